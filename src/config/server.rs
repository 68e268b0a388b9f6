//! Where the server is: its address on this machine, and its name to the world.

use std::net::SocketAddr;

use url::Url;

use super::{ConfigError, Setting, sources::Sources};
use crate::values::Issuer;

pub(super) const SETTINGS: [Setting; 2] = [LISTEN, ISSUER];

const LISTEN: Setting = Setting {
    name: "listen",
    default: "127.0.0.1:8080",
    help: "The address and port to listen on; `[::]:8080` is every address of the machine.",
};

const ISSUER: Setting = Setting {
    name: "issuer",
    default: "http://localhost:8080",
    help: "The address by which clients and browsers know the server, and the `iss` of every \
           token: https, or http on a loopback host; without a slash at its end. Left out, it is \
           localhost with the port of --listen.",
};

/// Where the server is.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its name to the world.
    pub issuer: Issuer,
}

impl ServerConfig {
    pub(super) fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let listen = sources.read(&LISTEN, listen)?;
        let issuer = if sources.is_given(&ISSUER) {
            sources.read(&ISSUER, issuer)?
        } else {
            let port = listen.port();
            format!("http://localhost:{port}").parse().expect("http is allowed on localhost")
        };
        Ok(Self { listen, issuer })
    }
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    let remedy = "must be an IP address and a port, such as 127.0.0.1:8080 or [::]:8080";
    text.parse().map_err(|_| remedy.to_owned())
}

fn issuer(text: &str) -> Result<Issuer, String> {
    text.parse().map_err(|_| {
        let trimmed = text.trim_end_matches('/');
        if trimmed != text && trimmed.parse::<Issuer>().is_ok() {
            return format!("must be written without the slash at its end: {trimmed}");
        }
        // What would be right if only it were https is wrong for that reason alone.
        let secured = trimmed.strip_prefix("http://").map(|rest| format!("https://{rest}"));
        match secured.filter(|secured| secured.parse::<Issuer>().is_ok()) {
            Some(secured) if Url::parse(text).is_ok() => format!(
                "must begin with https://, as in {secured}; http:// is for loopback hosts such as \
                 http://localhost:8080 only"
            ),
            _ => "must be an address such as https://id.example.com or \
                  https://example.com/id, without query, fragment or a slash at its end"
                .to_owned(),
        }
    })
}

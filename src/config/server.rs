//! Where the server is: its address on this machine, and its name to the world.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use url::Url;

use super::{ConfigError, Setting, sources::Sources};
use crate::values::Issuer;

pub(super) const SETTINGS: [Setting; 6] =
    [LISTEN, ISSUER, TRUSTED_PROXIES, PROXY_HEADER, TLS_CERTIFICATE, TLS_KEY];

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

const TRUSTED_PROXIES: Setting = Setting {
    name: "trusted_proxies",
    default: "",
    help: "The proxies in front of the server, as addresses or networks parted by commas, such as \
           `127.0.0.1, 10.0.0.0/8`: what they say of where a request came from is believed.",
};

const PROXY_HEADER: Setting = Setting {
    name: "proxy_header",
    default: "x-forwarded-for",
    help: "The header in which they say it: `x-forwarded-for`, or `forwarded` (RFC 7239). It has to \
           be the one that they write, since they hand on the other one as a stranger wrote it.",
};

const TLS_CERTIFICATE: Setting = Setting {
    name: "tls_certificate",
    default: "",
    help: "A PEM file with the server's certificate and those between it and its root, to serve \
           https without a proxy; it is read again when it is renewed.",
};

const TLS_KEY: Setting = Setting {
    name: "tls_key",
    default: "",
    help: "A PEM file with the private key of `tls_certificate`.",
};

/// The header in which proxies say where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)).
    Forwarded,
}

/// Where the server is.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its name to the world.
    pub issuer: Issuer,
    /// Whether somebody gave that name, so that it does not follow from the port.
    pub issuer_is_given: bool,
    /// The proxies that say where a request came from.
    pub trusted_proxies: Vec<IpNet>,
    /// Where they say it.
    pub proxy_header: ProxyHeader,
    /// The certificate chain and its private key, to end TLS here.
    pub tls: Option<(PathBuf, PathBuf)>,
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
        Ok(Self {
            listen,
            issuer,
            issuer_is_given: sources.is_given(&ISSUER),
            trusted_proxies: sources.read(&TRUSTED_PROXIES, proxies)?,
            proxy_header: sources.read(&PROXY_HEADER, proxy_header)?,
            tls: tls(sources)?,
        })
    }
}

fn tls(sources: &Sources) -> Result<Option<(PathBuf, PathBuf)>, ConfigError> {
    let file = |text: &str| match PathBuf::from(text) {
        _ if text.is_empty() => Ok(None),
        file if file.is_file() => Ok(Some(file)),
        _ => Err("must be a PEM file that exists".to_owned()),
    };
    let certificate = sources.read(&TLS_CERTIFICATE, file)?;
    let both = |text: &str| match (certificate, file(text)?) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        _ => Err("must be given together with tls_certificate".to_owned()),
    };
    sources.read(&TLS_KEY, both)
}

fn proxies(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |word: &str| {
        word.parse().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
            "must be addresses or networks parted by commas, such as 127.0.0.1, 10.0.0.0/8"
                .to_owned()
        })
    };
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(network).collect()
}

fn proxy_header(text: &str) -> Result<ProxyHeader, String> {
    match text.to_ascii_lowercase().as_str() {
        "x-forwarded-for" => Ok(ProxyHeader::XForwardedFor),
        "forwarded" => Ok(ProxyHeader::Forwarded),
        _ => Err("must be x-forwarded-for or forwarded".to_owned()),
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

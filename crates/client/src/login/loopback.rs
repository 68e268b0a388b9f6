//! The address of this computer that the browser comes back to
//! ([RFC 8252 §7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use url::form_urlencoded;

use crate::Error;

const PATH: &str = "/callback";

/// How long a request may be, and how long it may take.
const LONGEST: usize = 32 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// How many connections may be open at once: browsers open some that they do not use.
const MOST: usize = 32;

/// A port of this computer that nobody else can reach.
#[derive(Debug)]
pub(super) struct Loopback {
    listener: TcpListener,
    authority: String,
}

/// The browser came back, and waits for a page.
#[derive(Debug)]
pub(super) struct Callback {
    stream: TcpStream,
    pub(super) parameters: HashMap<String, String>,
}

impl Loopback {
    pub(super) async fn open() -> Result<Self, Error> {
        let failed = |source| Error::Storage {
            what: "cannot listen on 127.0.0.1".to_owned(),
            source: Arc::new(source),
        };
        // The address and not the name: a name may lead elsewhere (§8.3).
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let authority = listener.local_addr().map_err(failed)?.to_string();
        Ok(Self { listener, authority })
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.authority)
    }

    /// Wait until the browser comes back with this state. Whatever else comes is told so and forgotten:
    /// any page and any program on this computer can send something here.
    pub(super) async fn wait_for(&self, state: &str) -> Result<Callback, Error> {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if open.len() < MOST => {
                    if let Ok((stream, _)) = accepted {
                        open.spawn(receive(stream, self.authority.clone()));
                    }
                }
                Some(received) = open.join_next() => {
                    let Ok(Some(callback)) = received else { continue };
                    if callback.parameters.get("state").is_some_and(|given| given == state) {
                        return Ok(callback);
                    }
                    callback.respond("400 Bad Request", OTHER).await;
                }
            }
        }
    }
}

impl Callback {
    /// Tell the person what came of it.
    pub(super) async fn answer(self, signed_in: bool) {
        let page = if signed_in { DONE } else { FAILED };
        self.respond("200 OK", page).await;
    }

    async fn respond(self, status: &str, page: &str) {
        respond(self.stream, status, page).await;
    }
}

/// A request for our address, if it is one.
async fn receive(mut stream: TcpStream, authority: String) -> Option<Callback> {
    let head = tokio::time::timeout(PATIENCE, read_head(&mut stream)).await.ok()?.ok()?;
    let Some(parameters) = parameters(&head, &authority) else {
        respond(stream, "404 Not Found", OTHER).await;
        return None;
    };
    Some(Callback { stream, parameters })
}

async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if head.len() > LONGEST || stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(head)
}

/// The parameters of a request that is meant for us: by its method, path and host. Another host's name
/// can be made to lead here, and its pages would then read what we answer.
fn parameters(head: &[u8], authority: &str) -> Option<HashMap<String, String>> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).ok()?;
    let mut hosts = request.headers.iter().filter(|one| one.name.eq_ignore_ascii_case("host"));
    let own = hosts.next().is_some_and(|host| host.value == authority.as_bytes());
    if request.method != Some("GET") || !own {
        return None;
    }
    let (path, query) = request.path?.split_once('?')?;
    if path != PATH {
        return None;
    }
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        // What is there twice has two meanings (RFC 6749 §3.1).
        if parameters.insert(name, value).is_some() {
            return None;
        }
    }
    Some(parameters)
}

async fn respond(mut stream: TcpStream, status: &str, page: &str) {
    let length = page.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n\
         content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n\
         connection: close\r\n\r\n{page}"
    );
    // Whoever has gone away needs no page.
    let sent = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    let _ = tokio::time::timeout(PATIENCE, sent).await;
}

macro_rules! page {
    ($title:literal, $text:literal) => {
        concat!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">",
            "<meta name=\"viewport\" content=\"width=device-width\"><title>",
            $title,
            "</title><style>:root{color-scheme:light dark;font:1.125rem/1.6 system-ui,sans-serif}",
            "body{max-width:32rem;margin:20vh auto;padding:0 1.5rem}</style><h1>",
            $title,
            "</h1><p>",
            $text,
            "</p></html>"
        )
    };
}

const DONE: &str = page!("You are signed in", "You may close this window.");
const FAILED: &str =
    page!("You are not signed in", "The program that asked says why. You may close this window.");
const OTHER: &str = page!("Nothing to see here", "This address waits for a sign-in.");

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Option<HashMap<String, String>> {
        parameters(head.as_bytes(), "127.0.0.1:4711")
    }

    #[test]
    fn only_a_request_for_this_address_is_read() {
        let own = "GET /callback?code=a%20b&state=s HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n";
        assert_eq!(read(own).unwrap()["code"], "a b");
        for (from, to) in [
            ("GET", "POST"),
            ("GET", "HEAD"),
            ("/callback", "/favicon.ico"),
            ("?code", "/code"),
            ("Host: 127.0.0.1:4711", "Host: evil.test:4711"),
            ("Host: 127.0.0.1:4711", "X: y"),
            ("&state=s", "&state=s&state=t"),
            ("HTTP/1.1", "HTTP/9"),
        ] {
            assert!(read(&own.replace(from, to)).is_none(), "{to}");
        }
    }
}

//! HTTP/1.1 with as little as it takes ([RFC 9112](https://www.rfc-editor.org/rfc/rfc9112)): one
//! kept connection, answers with a length. Every microsecond here is one that the server seems slower.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that is kept.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

/// What came back.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    head: &'a str,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { address, stream: None, received: Vec::with_capacity(16 * 1024) }
    }

    /// Send a whole request and wait for its whole answer. After an error the next request goes over
    /// a new connection.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address).await?,
        };
        stream.write_all(request).await?;

        self.received.clear();
        let (head, length, keep) = loop {
            receive(&mut stream, &mut self.received).await?;
            if let Some(end) = end_of_head(&self.received) {
                let head = str::from_utf8(&self.received[..end])?;
                let length = field(head, "content-length").map_or(Ok(0), str::parse::<usize>)?;
                if field(head, "transfer-encoding").is_some() {
                    bail!("the answer has no length");
                }
                break (end, length, field(head, "connection") != Some("close"));
            }
        };
        while self.received.len() < head + length {
            receive(&mut stream, &mut self.received).await?;
        }
        self.stream = keep.then_some(stream);

        let (head, body) = self.received.split_at(head);
        let head = str::from_utf8(head)?;
        let status = head.split(' ').nth(1).context("the answer has no status")?.parse()?;
        Ok(Answer { status, head, body })
    }
}

impl Answer<'_> {
    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        field(self.head, name)
    }

    /// Every header of this name.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        fields(self.head, name)
    }

    /// This, if it has the status that was expected.
    pub(crate) fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status != status {
            let body = String::from_utf8_lossy(self.body);
            let start: String = body.chars().take(300).collect();
            bail!("{} instead of {status}: {start}", self.status);
        }
        Ok(self)
    }

    /// A string of the answer's JSON, found without reading the rest.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let body = str::from_utf8(self.body).ok()?;
        let (_, value) = body.split_once(&format!("\"{name}\":\""))?;
        value.split('"').next()
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn receive(stream: &mut TcpStream, received: &mut Vec<u8>) -> anyhow::Result<()> {
    if stream.read_buf(received).await? == 0 {
        bail!("the server hung up");
    }
    Ok(())
}

fn end_of_head(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    fields(head, name).next()
}

fn fields<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    head.split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter_map(move |(field, value)| field.eq_ignore_ascii_case(name).then_some(value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 303 See Other\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n";

    #[test]
    fn a_head_is_read_whatever_the_case_of_its_names() {
        assert_eq!(end_of_head(HEAD.as_bytes()), Some(HEAD.len()));
        assert_eq!(fields(HEAD, "set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(field(HEAD, "location"), None);
    }

    #[test]
    fn an_unexpected_status_is_an_error() {
        let answer = || Answer { status: 303, head: HEAD, body: b"{\"code\":\"x\"}" };
        assert_eq!(answer().expect(303).unwrap().text("code"), Some("x"));
        assert!(answer().expect(200).is_err());
    }
}

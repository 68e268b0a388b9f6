//! Pages and answers, as browsers and programs rely on them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::Server;

on_both_engines! {
    a_body_that_breaks_off_is_the_callers_fault
}

/// [RFC 9112 §8](https://www.rfc-editor.org/rfc/rfc9112#section-8).
async fn a_body_that_breaks_off_is_the_callers_fault(server: Server) {
    let host = server.issuer.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "POST /token HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n4\r\na=bc\r\nno number\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("\"error\":\"invalid_request\""), "{answer}");
}

//! The program as a process: how it speaks, and how it stops.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client};

use crate::program::Program;

on_both_engines! {
    who_was_answered_in_part_gets_the_rest_when_the_program_is_asked_to_stop
    who_asks_twice_does_not_wait
    a_request_without_a_host_or_with_two_is_refused
}

/// A request whose body is still on its way.
const BEGUN: &str = "POST /token HTTP/1.1\r\nhost: a\r\n\
    content-type: application/x-www-form-urlencoded\r\ncontent-length: 16\r\n\r\ngrant";

async fn who_was_answered_in_part_gets_the_rest_when_the_program_is_asked_to_stop(
    mut program: Program,
) {
    let mut slow = TcpStream::connect(program.address()).unwrap();
    slow.write_all(BEGUN.as_bytes()).unwrap();
    let silent = TcpStream::connect(program.address()).unwrap();

    program.node.signal("-TERM");
    // It goes on for a while, but says that it wants no more.
    while !ask(&program, "/readyz").starts_with("HTTP/1.1 503") {}
    assert!(ask(&program, "/jwks").contains("connection: close"));

    slow.write_all(b"_type=nonsens").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
    assert_eq!(program.node.exit_code(), Some(0));
    drop(silent);
}

async fn who_asks_twice_does_not_wait(mut program: Program) {
    let mut stalled = TcpStream::connect(program.address()).unwrap();
    stalled.write_all(BEGUN.as_bytes()).unwrap();
    ask(&program, "/healthz");

    program.node.signal("-INT");
    while !ask(&program, "/readyz").is_empty() {}
    program.node.signal("-INT");
    assert_eq!(program.node.exit_code(), Some(0));
    assert_eq!(stalled.read(&mut [0; 1]).unwrap_or(0), 0);
}

async fn a_request_without_a_host_or_with_two_is_refused(program: Program) {
    for (host, status) in [("", 400), ("host: a\r\nhost: b\r\n", 400), ("host: a\r\n", 200)] {
        let request = format!("GET /jwks HTTP/1.1\r\n{host}connection: close\r\n\r\n");
        let answer = exchange(&program, &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
    }
}

#[tokio::test]
async fn with_a_certificate_of_its_own_it_serves_https() {
    let directory = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = |name| directory.path().join(name).display().to_string();
    let (chain, key) = (file("chain.pem"), file("key.pem"));
    fs::write(&chain, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();

    let settings = ["--tls-certificate", &chain, "--tls-key", &key];
    let program = Program::start_in(directory, None, "https", &settings);
    let trusted = Certificate::from_pem(cert.pem().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([trusted]).build().unwrap();
    let answer = client.get(format!("{}/jwks", program.issuer)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"));
}

#[test]
fn a_renewed_certificate_is_taken_up_and_a_half_renewed_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let (chain, key) = (directory.path().join("chain.pem"), directory.path().join("key.pem"));
    let [first, second] =
        ["a", "b"].map(|name| generate_simple_self_signed([name.to_owned()]).unwrap());
    let later = |file: &std::path::Path, seconds| {
        let file = fs::File::options().append(true).open(file).unwrap();
        let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        file.set_modified(at).unwrap();
    };
    fs::write(&chain, first.cert.pem()).unwrap();
    fs::write(&key, first.signing_key.serialize_pem()).unwrap();
    later(&chain, 1_000);
    later(&key, 1_000);
    let tls = signet::edge::Tls::open(chain.clone(), key.clone()).unwrap();
    assert!(!tls.renew().unwrap(), "nothing has changed");

    fs::write(&chain, second.cert.pem()).unwrap();
    later(&chain, 2_000);
    assert!(tls.renew().is_err(), "the key is still the old one");
    fs::write(&key, second.signing_key.serialize_pem()).unwrap();
    later(&key, 2_000);
    assert!(tls.renew().unwrap());
    assert!(!tls.renew().unwrap());
}

/// Ask for a path on a connection of its own; nothing, if there is none to be had.
fn ask(program: &Program, path: &str) -> String {
    exchange(program, &format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"))
}

fn exchange(program: &Program, request: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(program.address()) else { return String::new() };
    if stream.write_all(request.as_bytes()).is_err() {
        return String::new();
    }
    let mut lines = Vec::new();
    for line in BufReader::new(stream).lines() {
        match line {
            Ok(line) => lines.push(line),
            Err(_) => break,
        }
    }
    lines.join("\n")
}

//! More of everything than the program can take.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread::{self, JoinHandle},
};

use reqwest::{StatusCode, header};
use tokio::task::{JoinSet, spawn_blocking};

use crate::{
    client::{Client, SCOPE, browser, hidden, location},
    program::{PASSWORD, Program, USERNAME},
};

// The same on every machine, however many cores it has.
on_both_engines! {
    with (&["--argon2-concurrency", "2"])
    a_flood_is_turned_away_while_everybody_else_is_served
}

/// Sign-ins at once: 2 may run and 64 may wait.
const SIGN_INS: usize = 500;

/// How often they come: a heap that grows from flood to flood would be seen.
const FLOODS: usize = 3;

/// KiB that the program may have resident at its worst.
const MOST_MEMORY: usize = 300 * 1024;

async fn a_flood_is_turned_away_while_everybody_else_is_served(program: Program) {
    let client = Client::of(&program);
    let slow: Vec<TcpStream> = (0..200).map(|_| half_a_head(&program)).collect();

    for _ in 0..FLOODS {
        let heads = raw(&program, "GET /jwks HTTP/1.1\r\nhost: a\r\nx-large: ", 1 << 20, b"a");
        let form = "POST /token HTTP/1.1\r\nhost: a\r\n\
            content-type: application/x-www-form-urlencoded\r\n";
        let known =
            raw(&program, &format!("{form}content-length: 104857600\r\n\r\n"), 100 << 20, b"a");
        let chunk = format!("10000\r\n{}\r\n", "a".repeat(1 << 16));
        let form = format!("{form}transfer-encoding: chunked\r\n\r\n");
        let chunked = raw(&program, &form, 100 << 20, chunk.as_bytes());
        let sign_ins = tokio::spawn(sign_ins(client.clone()));

        let mut served = 0;
        while !sign_ins.is_finished() || served == 0 {
            assert_eq!(client.jwks().await.unwrap().0, 200);
            let (status, tokens) = client.machine_token().await.unwrap();
            assert_eq!(status, 200, "{tokens}");
            served += 1;
        }

        let (let_in, turned_away) = sign_ins.await.unwrap();
        println!("{let_in} signed in, {turned_away} turned away, {served} served meanwhile");
        assert!(let_in > 0 && turned_away > 0, "{let_in} signed in, {turned_away} did not");
        for refused in [heads, known, chunked] {
            let answer = spawn_blocking(|| refused.join().unwrap()).await.unwrap();
            // Who sends on regardless may lose the answer with the connection.
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
    }

    let peak = peak_memory(program.node.id());
    println!("{peak} KiB resident at most");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
    drop(slow);
}

/// Everybody at once: how many were let in, and how many were asked to come again.
async fn sign_ins(client: Client) -> (usize, usize) {
    let browser = browser();
    let begun = browser.get(client.authorization(None, SCOPE)).send().await.unwrap();
    let page = client.url(&location(&begun).unwrap());
    let request =
        hidden(&browser.get(&page).send().await.unwrap().text().await.unwrap(), "request");
    let mut tasks = JoinSet::new();
    for _ in 0..SIGN_INS {
        let form = [("username", USERNAME), ("password", PASSWORD), ("action", "login")];
        let form = [&form[..], &[("request", &request)]].concat();
        let request = browser.post(&page).form(&form);
        tasks.spawn(async move {
            let answer = request.send().await.unwrap();
            match answer.status() {
                StatusCode::SEE_OTHER => true,
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert!(answer.headers().contains_key(header::RETRY_AFTER));
                    false
                }
                status => panic!("{status}"),
            }
        });
    }
    let answers = tasks.join_all().await;
    let let_in = answers.iter().filter(|let_in| **let_in).count();
    (let_in, answers.len() - let_in)
}

fn half_a_head(program: &Program) -> TcpStream {
    let mut stream = TcpStream::connect(program.address()).unwrap();
    stream.write_all(b"POST /token HTTP/1.1\r\nhost: a\r\ncontent-").unwrap();
    stream
}

/// Send this and then `length` bytes in such pieces, for as long as somebody reads it: the answer.
fn raw(program: &Program, head: &str, length: usize, piece: &[u8]) -> JoinHandle<String> {
    let mut stream = TcpStream::connect(program.address()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let pieces = piece.repeat(65_536_usize.div_ceil(piece.len()));
    thread::spawn(move || {
        let mut reader = stream.try_clone().unwrap();
        let answer = thread::spawn(move || {
            let mut answer = Vec::new();
            let _ = reader.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        });
        let mut sent = 0;
        while sent < length && stream.write_all(&pieces).is_ok() {
            sent += pieces.len();
        }
        let _ = stream.shutdown(Shutdown::Write);
        answer.join().unwrap()
    })
}

/// The most memory that a process has had resident, in KiB.
fn peak_memory(id: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

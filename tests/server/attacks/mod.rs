//! What must not work, whoever tries it. Every refusal stands beside what does work, here or in
//! `flows`.

mod assertions;
mod bearer;
mod bodies;
mod client_auth;
mod codes;
mod cors;
mod device;
mod disabled;
mod dpop;
mod exchange;
mod forms;
mod introspection;
mod issuer;
mod keys;
mod logout;
mod pages;
mod parameters;
mod pkce;
mod prompts;
mod redirects;
mod refresh;
mod sessions;
mod tokens;

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::support::{location, parameter, text};

/// A program was refused in these words.
#[track_caller]
fn refused((status, answer): &(StatusCode, Value), expected: u16, error: &str) {
    assert_eq!((status.as_u16(), text(answer, "error")), (expected, error), "{answer}");
}

/// A browser was shown why not, and sent nowhere.
#[track_caller]
fn stays(response: &Response) {
    assert_eq!((response.status().as_u16(), location(response)), (400, None), "{}", response.url());
}

/// The form was not one that this browser was given: nothing happens.
#[track_caller]
fn is_foreign(response: &Response) {
    assert_eq!((response.status().as_u16(), location(response)), (403, None), "{}", response.url());
}

/// A client was told this error.
#[track_caller]
fn told(answer: &url::Url, error: &str) {
    assert_eq!(parameter(answer, "error").as_deref(), Some(error), "{answer}");
    assert_eq!(parameter(answer, "code"), None, "{answer}");
}

//! Signet, an OAuth 2.0 and OpenID Connect authorization server.
//!
//! The modules below are its layers, from the ground up. A module imports only from modules above it
//! in this list; `tests/architecture.rs` keeps it so. A feature has the same file name in every layer
//! that it touches: to change a feature, open its files; to understand a layer, open its folder.

/// The words: newtypes of the protocol. A value that exists is valid.
pub mod values;

/// The nouns: what exists, as plain data.
pub mod model;

/// The rules: what the RFCs decide. Pure.
pub mod protocol;

/// The settings: file, environment and flags become one typed `Config`.
pub mod config;

/// The memory: one `Store`, every statement once; SQLite and PostgreSQL behind it.
pub mod storage;

/// The seal: which key signs now, which are still trusted, when the next one comes.
pub mod keys;

/// The deeds: what happens, in order. Load, decide, remember, answer.
pub mod flows;

/// The door: what both faces share.
pub mod edge;

/// The face for machines: JSON, no cookies.
pub mod http;

/// The face for people: pages and redirects.
pub mod web;

/// The clockwork: what happens without being asked.
pub mod jobs;

/// Logs, set up once.
pub mod telemetry;

/// The handles: the command line.
pub mod cli;

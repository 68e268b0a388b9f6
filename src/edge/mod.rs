//! The door: what both faces share.

mod client_address;
mod connections;
mod current;
mod documents;
mod door;
mod form;
mod headers;
mod listener;
mod tls;

pub use client_address::ClientAddress;
pub use connections::serve;
pub use current::{CurrentRequest, RequestId};
pub use documents::{Documents, Write};
pub use door::Door;
pub use form::{Body, JsonBody, LARGEST_BODY, Rejection};
pub use headers::no_store;
pub use tls::{Tls, TlsError};

//! The door: what both faces share.

mod client_address;
mod connections;
mod door;
mod form;
mod headers;
mod listener;
mod tls;

pub use client_address::ClientAddress;
pub use connections::serve;
pub use door::{Door, RequestId};
pub use form::{Body, LARGEST_BODY, Rejection};
pub use headers::no_store;
pub use tls::{Tls, TlsError};

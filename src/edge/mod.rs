//! The door: what both faces share.

mod form;
mod headers;
mod request_id;

pub use form::{Body, LARGEST_BODY, Rejection};
pub use headers::{harden, no_store};
pub use request_id::{RequestId, identify};

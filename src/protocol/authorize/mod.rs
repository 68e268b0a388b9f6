//! The authorization endpoint
//! ([RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1),
//! [OpenID Connect Core §3.1.2](https://openid.net/specs/openid-connect-core-1_0.html#AuthorizationEndpoint)):
//! where the answer may go, what is asked, and what happens next.

mod address;
mod decision;
mod request;

pub(super) use address::form_action_source;
pub use address::{AuthorizationResponse, Outcome, ResponseMode, ReturnAddress, locate};
pub use decision::{Asked, Next, Progress, Standing, decide};
pub use request::AuthorizeRequest;

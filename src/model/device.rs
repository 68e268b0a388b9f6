//! Devices that ask to be let in ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).

use crate::values::{
    Authentication, ClientId, DeviceId, Resource, Scope, Timestamp, TokenHash, UserId,
};

/// A device authorization request, from its arrival to its end.
#[derive(Clone, Debug)]
pub struct DeviceRequest {
    /// Its row.
    pub id: DeviceId,
    /// What is kept of the device code's secret.
    pub secret: TokenHash,
    /// What is kept of the user code: a message authentication code, since a hash of eight letters is
    /// as good as the letters.
    pub user_code: TokenHash,
    /// Which client asks.
    pub client: ClientId,
    /// The scopes that it asks for.
    pub scope: Scope,
    /// The APIs that it names, in their registered form.
    pub resources: Vec<Resource>,
    /// Where it asks from.
    pub asker: Asker,
    /// How many seconds must pass between two polls.
    pub interval: i64,
    /// When it was last polled in time.
    pub polled_at: Option<Timestamp>,
    /// When it came.
    pub created_at: Timestamp,
    /// When both codes stop being valid.
    pub expires_at: Timestamp,
    /// What has become of it.
    pub state: DeviceState,
}

/// Where a request comes from, in words that help a person to tell their own device from a stranger's
/// ([RFC 8628 §5.4](https://www.rfc-editor.org/rfc/rfc8628#section-5.4)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// Its address, as far as proxies that we trust vouch for it.
    pub address: String,
    /// What it says of itself.
    pub user_agent: String,
}

/// What has become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Nobody has answered.
    Pending,
    /// Somebody has allowed it.
    Allowed(Approval),
    /// Somebody has denied it, or can no longer answer for having allowed it.
    Denied,
    /// It has its tokens.
    Spent,
}

/// Who has allowed a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The person.
    pub user: UserId,
    /// The sign-in that it rests on.
    pub authentication: Authentication,
}

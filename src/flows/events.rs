//! What is worth telling: one list, one emitter. The log is where it goes today.

use crate::{
    protocol::ErrorCode,
    values::{ApiKeyId, ClientId, FamilyId, SessionId, UserId},
};

/// Something that happened, to whom, and with which client.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are named after their types")]
pub enum Event<'a> {
    /// Somebody signed in.
    SignedIn { user: UserId, session: SessionId },
    /// Somebody failed to, as this person if there is one.
    SignInFailed { user: Option<UserId> },
    /// Somebody signed out.
    SignedOut { user: UserId, session: SessionId },
    /// A person allowed a client something.
    Consented { user: UserId, client: &'a ClientId },
    /// A person let a client in on another device.
    DeviceAllowed { user: UserId, session: SessionId, client: &'a ClientId },
    /// A person kept one out.
    DeviceDenied { user: UserId, client: &'a ClientId },
    /// A person has typed more wrong user codes than anybody mistypes.
    UserCodesGuessed { user: UserId },
    /// A client was given tokens.
    TokensIssued { client: &'a ClientId, family: Option<FamilyId> },
    /// A client was given an access token that is so large that a header may not hold it.
    LargeToken { client: &'a ClientId, bytes: usize },
    /// A code came twice: everything from it is revoked.
    CodeReused { client: &'a ClientId, family: FamilyId },
    /// A refresh token came twice: everything of its family is revoked.
    RefreshTokenReused { client: &'a ClientId, family: FamilyId },
    /// An API key was exchanged for a token.
    ApiKeyExchanged { key: ApiKeyId, client: &'a ClientId },
    /// An API key was revoked.
    ApiKeyRevoked { key: ApiKeyId },
    /// An API key was found where it must not be: it is revoked.
    ApiKeyLeaked { key: ApiKeyId },
    /// A client revoked a token.
    Revoked { client: &'a ClientId },
    /// A caller was refused.
    Refused { code: ErrorCode, reason: &'a str },
}

impl Event<'_> {
    /// Tell it. No event holds a secret. From which request it comes, and from which address, is told by
    /// the line of the log itself. A refusal is for whoever looks for it: strangers can cause as many as they
    /// like.
    pub fn emit(&self) {
        match self {
            Self::SignedIn { user, session } => {
                tracing::info!(target: "signet::audit", %user, %session, "signed_in");
            }
            Self::SignInFailed { user } => {
                let user = user.map(tracing::field::display);
                tracing::info!(target: "signet::audit", user, "sign_in_failed");
            }
            Self::SignedOut { user, session } => {
                tracing::info!(target: "signet::audit", %user, %session, "signed_out");
            }
            Self::Consented { user, client } => {
                tracing::info!(target: "signet::audit", %user, %client, "consented");
            }
            Self::DeviceAllowed { user, session, client } => {
                tracing::info!(
                    target: "signet::audit", %user, %session, %client, "device_allowed"
                );
            }
            Self::DeviceDenied { user, client } => {
                tracing::info!(target: "signet::audit", %user, %client, "device_denied");
            }
            Self::UserCodesGuessed { user } => {
                tracing::warn!(target: "signet::audit", %user, "user_codes_guessed");
            }
            Self::TokensIssued { client, family } => {
                let family = family.map(tracing::field::display);
                tracing::debug!(target: "signet::audit", %client, family, "tokens_issued");
            }
            Self::LargeToken { client, bytes } => {
                tracing::warn!(target: "signet::audit", %client, bytes, "large_token");
            }
            Self::CodeReused { client, family } => {
                tracing::warn!(target: "signet::audit", %client, %family, "code_reused");
            }
            Self::RefreshTokenReused { client, family } => {
                tracing::warn!(target: "signet::audit", %client, %family, "refresh_token_reused");
            }
            Self::ApiKeyExchanged { key, client } => {
                tracing::debug!(target: "signet::audit", %key, %client, "api_key_exchanged");
            }
            Self::ApiKeyRevoked { key } => {
                tracing::info!(target: "signet::audit", %key, "api_key_revoked");
            }
            Self::ApiKeyLeaked { key } => {
                tracing::warn!(target: "signet::audit", %key, "api_key_leaked");
            }
            Self::Revoked { client } => {
                tracing::info!(target: "signet::audit", %client, "revoked");
            }
            Self::Refused { code, reason } => {
                tracing::debug!(target: "signet::audit", code = code.as_str(), reason, "refused");
            }
        }
    }
}

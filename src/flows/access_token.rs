//! Access tokens that come back to us.

use std::sync::Arc;

use moka::sync::Cache;
use sha2::{Digest, Sha256};
use signet_jwt::{Expiry, Rejected};

use super::App;
use crate::{
    protocol::{
        ErrorCode::InvalidToken,
        OAuthError,
        access_token::{self, AccessClaims},
    },
    values::{KeyId, Timestamp},
};

/// How many tokens are remembered.
const MOST: u64 = 4096;

/// Tokens whose signature was verified here, by their hashes: APIs that introspect ask for the same one
/// again and again. Nothing but a token of ours gets in, and what may change is looked at every time.
#[derive(Clone)]
pub struct KnownTokens(Cache<[u8; 32], Known>);

#[derive(Clone)]
struct Known {
    claims: Arc<AccessClaims>,
    kid: Option<KeyId>,
}

impl Default for KnownTokens {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

/// The claims of an access token of ours that is worth something now.
///
/// # Errors
/// `invalid_token`.
pub fn live_token(app: &App, token: &str, now: Timestamp) -> Result<Arc<AccessClaims>, OAuthError> {
    let claims = verified(app, token, now)
        .map_err(|why| InvalidToken.because(format!("the access token is refused: {why}")))?;
    if app.directory.is_revoked(&claims) {
        return Err(InvalidToken.because("the access token has been revoked"));
    }
    Ok(claims)
}

fn verified(app: &App, token: &str, now: Timestamp) -> Result<Arc<AccessClaims>, Rejected> {
    let hash: [u8; 32] = Sha256::digest(token).into();
    if let Some(Known { claims, kid }) = app.known_tokens.0.get(&hash)
        && claims.exp > now
        && app.keys.trusted(now).keys().iter().any(|key| key.kid() == kid.as_ref())
    {
        return Ok(claims);
    }
    let verified = app.read::<AccessClaims>(token, access_token::TYP, Expiry::Required, now)?;
    let kid = verified.kid().cloned();
    let claims = Arc::new(verified.into_claims());
    app.known_tokens.0.insert(hash, Known { claims: claims.clone(), kid });
    Ok(claims)
}

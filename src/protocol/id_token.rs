//! ID tokens ([OpenID Connect Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha512};

use super::{IdTokenTerms, claims};
use crate::{
    model::User,
    values::{Algorithm, Authentication, ClientId, Issuer, SessionId, Timestamp, UserId},
};

/// The `typ` of an ID token.
pub const TYP: &str = "JWT";

/// What an ID token that comes back as a hint tells us.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HintClaims {
    /// Who it speaks of.
    pub sub: UserId,
    /// Who held it.
    pub aud: ClientId,
    /// The session that it came from.
    pub sid: SessionId,
}

/// The claims of the ID token that goes with `access_token`.
#[must_use]
pub fn claims(
    terms: &IdTokenTerms,
    user: &User,
    authentication: &Authentication,
    client: &ClientId,
    access_token: &str,
    validity: (&Issuer, Timestamp, i64),
) -> Map<String, Value> {
    let (issuer, now, lifetime) = validity;
    let mut claims = claims::single(user, &terms.claims);
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", json!(issuer));
    put("sub", json!(user.id));
    put("aud", json!(client));
    put("exp", json!(now.plus(lifetime)));
    put("iat", json!(now));
    put("auth_time", json!(authentication.at));
    put("acr", json!(authentication.acr));
    put("amr", json!(authentication.amr));
    put("sid", json!(authentication.session));
    put("at_hash", json!(at_hash(access_token, terms.algorithm)));
    if let Some(nonce) = &terms.nonce {
        put("nonce", json!(nonce));
    }
    claims
}

/// The left half of the access token's hash, by the hash of the signature's algorithm
/// ([§3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)).
fn at_hash(access_token: &str, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => {
            Sha256::digest(access_token).to_vec()
        }
        Algorithm::EdDsa => Sha512::digest(access_token).to_vec(),
    };
    let (left, _) = hash.split_at(hash.len() / 2);
    BASE64.encode(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_openid_connect_core_appendix_a_3_holds() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(token, Algorithm::Rs256), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}

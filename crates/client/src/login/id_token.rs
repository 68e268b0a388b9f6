//! Who has signed in
//! ([OpenID Connect Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).

use http::HeaderMap;
use serde::Deserialize;
use signet_jwt::{Algorithm, Expected, Expiry, KeySet, Typ, Unverified};

use super::Person;
use crate::{Error, server::Server};

/// By how many seconds the server's clock and ours may differ.
const LEEWAY: i64 = 60;

#[derive(Deserialize)]
struct Claims {
    nonce: Option<String>,
    azp: Option<String>,
    #[serde(flatten)]
    person: Person,
}

/// The person that a verified ID token names.
pub(super) async fn read(
    server: &Server,
    token: &str,
    nonce: Option<&str>,
) -> Result<Person, Error> {
    let keys = keys(server).await?;
    let client_id = server.credentials.client_id();
    let expected = Expected {
        typ: Typ::AbsentOr(&["JWT"]),
        issuer: Some(server.issuer.as_str()),
        audience: Some(&[client_id]),
        algorithms: &Algorithm::ALL,
        expiry: Expiry::Required,
        now: server.clock.moment().now,
        leeway: LEEWAY,
        ahead: LEEWAY,
    };
    let verified =
        Unverified::parse(token).and_then(|token| token.verify::<Claims>(&keys, &expected));
    let verified = verified.map_err(|_| untrue())?;
    let claims = verified.claims();

    let for_another = claims.azp.as_deref().is_some_and(|azp| azp != client_id);
    if for_another || (nonce.is_some() && claims.nonce.as_deref() != nonce) {
        return Err(untrue());
    }
    Ok(claims.person.clone())
}

async fn keys(server: &Server) -> Result<KeySet, Error> {
    let metadata = server.metadata().await?;
    let url = metadata.jwks_uri.as_deref().ok_or(Error::Unsupported { what: "key set" })?;
    let unlike = |_| Error::Unreadable { url: url.to_owned(), what: "is not a key set" };
    KeySet::parse(server.document(url, HeaderMap::new()).await?).map_err(unlike)
}

fn untrue() -> Error {
    Error::NotLetIn { what: "the server's ID token is not for this sign-in" }
}

//! The only place where tokens are minted.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::Serialize;

use super::{App, Result, events::Event};
use crate::{
    model::User,
    protocol::{
        Entitlement, Subject, access_token, id_token,
        role::Authority,
        status::{self, ListClaims},
    },
    values::{Algorithm, RefreshToken, Scope, StatusPlace, Timestamp},
};

/// What a client is given ([RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
#[derive(Serialize)]
pub struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(rename = "issued_token_type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

impl Issued {
    /// The same, for a client that exchanged something
    /// ([RFC 8693 §2.2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1)).
    #[must_use]
    pub(super) fn in_exchange(self, kind: &'static str) -> Self {
        Self { kind: Some(kind), ..self }
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// From how many bytes on an access token is told of: what carries it in a header may refuse it.
const LARGE: usize = 4096;

/// What goes with an access token: where it is found in the status lists, what its subject may do, and how to
/// get the next one.
#[derive(Debug, Default)]
pub struct Held {
    /// Where it is found.
    pub place: Option<Place>,
    /// What its subject may do.
    pub authority: Authority,
    /// The refresh token of its grant.
    pub refresh_token: Option<RefreshToken>,
}

/// Where a token is found in the status lists.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// Where all tokens of its grant are.
    OfGrant(StatusPlace),
    /// Somewhere in the block of its client.
    InBlock(StatusPlace),
}

impl Place {
    fn of(self, jti: &str) -> StatusPlace {
        match self {
            Self::OfGrant(place) => place,
            Self::InBlock(first) => first.of_token(jti),
        }
    }
}

/// Turn an entitlement into tokens: one signature for each. `user` is the person that it speaks of.
pub async fn mint(
    app: &App,
    entitlement: &Entitlement,
    user: Option<&User>,
    held: Held,
    now: Timestamp,
) -> Result<Issued> {
    let Held { place, authority, refresh_token } = held;
    let terms = entitlement.terms();
    let lifetime = app.config.tokens.access_lifetime;
    let jti = BASE64.encode(app.random.bytes::<16>());
    let validity = (app.issuer(), lifetime, now);
    let place = place.map(|place| place.of(&jti));
    let claims = access_token::claims(entitlement, authority, jti, place, validity);
    let expires_in = claims.exp.since(now);
    let access_token = app.keys.sign(terms.algorithm, access_token::TYP, &claims, now).await?;
    if access_token.len() > LARGE {
        Event::LargeToken { client: &terms.client, bytes: access_token.len() }.emit();
    }

    let id_token = match (&terms.id_token, &terms.subject, user) {
        (Some(id_terms), Subject::Person(_, authentication), Some(user)) => {
            let validity = (app.issuer(), now, app.config.tokens.id_lifetime);
            let claims = id_token::claims(
                id_terms,
                user,
                authentication,
                &terms.client,
                &access_token,
                validity,
            );
            Some(app.keys.sign(id_terms.algorithm, id_token::TYP, &claims, now).await?)
        }
        _ => None,
    };

    Event::TokensIssued { client: &terms.client, family: terms.family }.emit();
    Ok(Issued {
        access_token,
        token_type: entitlement.binding().token_type(),
        expires_in,
        scope: terms.scope.clone(),
        refresh_token: refresh_token.map(|token| token.expose()),
        id_token,
        kind: None,
    })
}

/// Sign a status list: what is published of tokens comes from where they come from.
pub(super) async fn status_list(app: &App, list: &ListClaims, now: Timestamp) -> Result<String> {
    Ok(app.keys.sign(Algorithm::Rs256, status::TYP, list, now).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_is_given_is_never_printed() {
        let issued = Issued {
            access_token: "eyJ.access".to_owned(),
            token_type: "Bearer",
            expires_in: 900,
            scope: Scope::empty(),
            refresh_token: Some("sgr_refresh".to_owned()),
            id_token: Some("eyJ.id".to_owned()),
            kind: None,
        };
        let printed = format!("{issued:?}");
        assert!(!printed.contains("eyJ") && !printed.contains("sgr_"), "{printed}");
    }
}

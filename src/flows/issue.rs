//! The only place where tokens are minted.

use std::{collections::BTreeSet, fmt};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::Serialize;

use super::{App, Result, events::Event};
use crate::{
    model::User,
    protocol::{Entitlement, Subject, access_token, id_token},
    values::{RefreshToken, Scope, Timestamp},
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
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// Turn an entitlement into tokens: one signature for each. `user` is the person that it speaks of.
pub async fn mint(
    app: &App,
    entitlement: &Entitlement,
    user: Option<&User>,
    refresh_token: Option<RefreshToken>,
    now: Timestamp,
) -> Result<Issued> {
    let terms = entitlement.terms();
    let lifetime = app.config.tokens.access_lifetime;
    let jti = BASE64.encode(app.random.bytes::<16>());
    let roles = user.map_or_else(BTreeSet::new, |user| user.roles.clone());
    let claims = access_token::claims(entitlement, &roles, jti, app.issuer(), lifetime, now);
    let access_token = app.keys.sign(terms.algorithm, access_token::TYP, &claims, now).await?;

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
        token_type: "Bearer",
        expires_in: lifetime,
        scope: terms.scope.clone(),
        refresh_token: refresh_token.map(|token| token.expose()),
        id_token,
    })
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
        };
        let printed = format!("{issued:?}");
        assert!(!printed.contains("eyJ") && !printed.contains("sgr_"), "{printed}");
    }
}

//! The refresh token grant ([RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)), with
//! rotation and the detection of reuse
//! ([RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2)).

use super::{
    Entitlement,
    ErrorCode::{InvalidGrant, InvalidScope},
    OAuthError, Params,
    authorization_code::{narrowed, person_terms},
    client_auth::AuthenticatedClient,
    dpop,
    resource::Catalogue,
    token::{asked_resources, asked_scope},
};
use crate::{
    model::RefreshFamily,
    values::{RefreshToken, Scope, Timestamp},
};

/// A client continues a family.
#[derive(Debug)]
pub struct RefreshRequest {
    /// The token that it presents.
    pub token: RefreshToken,
    scope: Option<Scope>,
    resources: Vec<String>,
}

/// What follows from a refresh token.
#[derive(Debug)]
pub enum Decision {
    /// It is the newest: spend it, and give its successor.
    Rotate(Entitlement),
    /// It was spent a moment ago and its successor has not been used: give the same successor again,
    /// since an answer may have been lost or two tabs may have raced.
    Repeat(Entitlement),
    /// It was spent and others have moved on: somebody has a copy, and the family must die.
    Reused,
}

impl RefreshRequest {
    pub(super) fn parse(params: &Params) -> Result<Self, OAuthError> {
        let token = params.required("refresh_token")?.parse().map_err(|_| not_a_token())?;
        Ok(Self { token, scope: asked_scope(params)?, resources: asked_resources(params) })
    }
}

/// Decide what a refresh token gives. Generations decide, never timestamps; `grace` is how many
/// seconds the one before the newest is still answered.
///
/// # Errors
/// `invalid_grant` for a family that is not this client's, bound to another key or no longer alive,
/// `invalid_dpop_proof` when its key is not proved to be held, `invalid_scope` for more than was
/// granted, `invalid_target`.
pub fn decide(
    request: &RefreshRequest,
    client: &AuthenticatedClient,
    family: &RefreshFamily,
    catalogue: &Catalogue,
    grace: i64,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    if family.authorization.client != *client.id() {
        return Err(not_a_token());
    }
    if !family.is_alive(now) {
        return Err(InvalidGrant.because("the refresh token has expired or was revoked"));
    }
    if family.is_offline() && !client.client().scope.contains("offline_access") {
        return Err(InvalidGrant.because("the client may no longer ask for offline_access"));
    }
    let held = dpop::check_holder(family.binding, client);
    let entitled = || entitlement(request, client, family, catalogue);
    match family.generation - request.token.generation {
        0 => held.and_then(|()| entitled()).map(Decision::Rotate),
        // Whoever has no key, or another one, did not lose an answer. He may also be the one from whom
        // the token was stolen before the thief bound the family to a key of his own.
        1 if held.is_ok() && now.since(family.rotated_at) < grace => {
            entitled().map(Decision::Repeat)
        }
        1.. => Ok(Decision::Reused),
        _ => Err(not_a_token()),
    }
}

/// The answer to whatever is not a refresh token of ours for this client.
#[must_use]
pub fn not_a_token() -> OAuthError {
    InvalidGrant.because("the refresh token is unknown, or was issued to another client")
}

/// The answer to a token that was spent before.
#[must_use]
pub fn reused() -> OAuthError {
    InvalidGrant.because("the refresh token was used before, and its whole family is revoked")
}

fn entitlement(
    request: &RefreshRequest,
    client: &AuthenticatedClient,
    family: &RefreshFamily,
    catalogue: &Catalogue,
) -> Result<Entitlement, OAuthError> {
    let authorization = &family.authorization;
    // What the registration has lost since is no longer given (RFC 6749 §6 allows any narrowing).
    let granted = authorization.scope.intersection(&client.client().scope);
    let scope = match &request.scope {
        None => granted,
        Some(asked) => granted.narrow(asked).ok_or_else(|| {
            InvalidScope.because("a refresh cannot ask for more than was granted")
        })?,
    };
    let resources = narrowed(&request.resources, authorization, client.client(), catalogue)?;
    let mut terms = person_terms(authorization, &scope, &resources, client.client(), catalogue);
    terms.family = Some(family.id);
    Ok(terms.decided(client))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{
            ErrorCode::{InvalidDpopProof, InvalidTarget},
            fixtures::{NOW, authenticated, authorization, client, holding, resource},
        },
        values::{Binding, FamilyId, Thumbprint},
    };

    fn family(generation: i64) -> RefreshFamily {
        RefreshFamily {
            id: FamilyId::from_bytes([5; 16]),
            authorization: authorization(&client("app"), "openid email offline_access"),
            binding: Binding::Bearer,
            generation,
            rotated_at: NOW.minus(10),
            idle_until: NOW.plus(100),
            expires_at: NOW.plus(1000),
            revoked_at: None,
            status_place: None,
        }
    }

    fn refresh(
        generation: i64,
        body: &str,
        family: &RefreshFamily,
        by: &str,
    ) -> Result<Decision, OAuthError> {
        let token = RefreshToken { family: family.id, generation, mac: [0; 24] }.expose();
        let body = format!("refresh_token={token}&{body}");
        let request = RefreshRequest::parse(&Params::parse(&body).unwrap())?;
        let apis = vec![resource("https://api.test", "orders:read")];
        let catalogue = Catalogue::new("https://id.test".parse().unwrap(), apis);
        let holder = match by.split_once(" with ") {
            Some((by, key)) => holding(client(by), key.parse().unwrap()),
            None => authenticated(client(by)),
        };
        decide(&request, &holder, family, &catalogue, 30, NOW)
    }

    #[test]
    fn the_newest_token_rotates_the_one_before_repeats_and_older_ones_betray_a_copy() {
        assert!(matches!(refresh(3, "", &family(3), "app"), Ok(Decision::Rotate(_))));
        assert!(matches!(refresh(2, "", &family(3), "app"), Ok(Decision::Repeat(_))));
        assert!(matches!(refresh(1, "", &family(3), "app"), Ok(Decision::Reused)));
    }

    #[test]
    fn after_the_grace_the_token_before_the_newest_betrays_a_copy_too() {
        let late = RefreshFamily { rotated_at: NOW.minus(30), ..family(3) };
        assert!(matches!(refresh(2, "", &late, "app"), Ok(Decision::Reused)));
    }

    #[test]
    fn a_refresh_may_narrow_the_scope_but_never_widen_it() {
        let Ok(Decision::Rotate(entitlement)) = refresh(0, "scope=email", &family(0), "app") else {
            panic!()
        };
        assert_eq!(entitlement.terms().scope, "email".parse().unwrap());
        let widened = refresh(0, "scope=email+profile", &family(0), "app");
        assert_eq!(widened.unwrap_err().code, InvalidScope);
    }

    #[test]
    fn a_refresh_cannot_reach_an_api_that_was_not_granted() {
        let refused = refresh(0, "resource=https://api.test", &family(0), "app");
        assert_eq!(refused.unwrap_err().code, InvalidTarget);
    }

    #[test]
    fn a_dead_family_or_a_foreign_client_is_refused() {
        for dead in [
            RefreshFamily { revoked_at: Some(NOW), ..family(0) },
            RefreshFamily { idle_until: NOW, ..family(0) },
            RefreshFamily { expires_at: NOW, ..family(0) },
        ] {
            assert_eq!(refresh(0, "", &dead, "app").unwrap_err().code, InvalidGrant);
        }
        assert_eq!(refresh(0, "", &family(0), "other").unwrap_err().code, InvalidGrant);
    }

    /// RFC 9449 §5.
    #[test]
    fn a_bound_family_is_continued_by_the_holder_of_its_key_alone() {
        let (right, wrong) = (Thumbprint::from([1; 32]), Thumbprint::from([2; 32]));
        let bound = RefreshFamily { binding: Binding::Dpop(right), ..family(3) };
        let attempt = |generation, by: &str| refresh(generation, "", &bound, by);
        let (right, wrong) = (format!("app with {right}"), format!("app with {wrong}"));
        assert!(matches!(attempt(3, &right), Ok(Decision::Rotate(_))));
        assert_eq!(attempt(3, &wrong).unwrap_err().code, InvalidGrant);
        assert_eq!(attempt(3, "app").unwrap_err().code, InvalidDpopProof);
        assert!(matches!(attempt(2, &right), Ok(Decision::Repeat(_))));
        for (generation, by) in [(2, &*wrong), (2, "app"), (1, &right), (1, &wrong), (1, "app")] {
            assert!(matches!(attempt(generation, by), Ok(Decision::Reused)), "{generation} {by}");
        }
    }

    #[test]
    fn a_token_from_the_future_is_not_ours() {
        assert_eq!(refresh(4, "", &family(3), "app").unwrap_err().code, InvalidGrant);
    }
}

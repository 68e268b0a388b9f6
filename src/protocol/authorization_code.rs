//! The authorization code grant, from the code on
//! ([RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3),
//! [RFC 7636 §4.6](https://www.rfc-editor.org/rfc/rfc7636#section-4.6)).

use super::{
    Entitlement,
    ErrorCode::{InvalidGrant, InvalidRequest, InvalidTarget},
    OAuthError, Params,
    client_auth::AuthenticatedClient,
    dpop,
    entitlement::IdTokenTerms,
    resource::Catalogue,
    token::asked_resources,
};
use crate::{
    model::{Authorization, Client, CodeState, GrantType, IssuedCode},
    protocol::{Subject, Terms},
    values::{AuthorizationCode, CodeVerifier, FamilyId, Resource, Scope, Timestamp},
};

/// A client redeems a code.
#[derive(Debug)]
pub struct CodeRequest {
    /// The code.
    pub code: AuthorizationCode,
    verifier: Option<CodeVerifier>,
    redirect_uri: Option<String>,
    resources: Vec<String>,
}

/// What follows from a code.
#[derive(Debug)]
pub enum Decision {
    /// It is good, once.
    Redeem(Box<Redeemable>),
    /// It was redeemed before: what it gave must die
    /// ([RFC 9700 §4.5.3](https://www.rfc-editor.org/rfc/rfc9700#section-4.5.3)).
    Reused(FamilyId),
}

/// A code that may be redeemed.
#[derive(Debug)]
pub struct Redeemable {
    /// What the tokens may do.
    pub entitlement: Entitlement,
    /// Whether a refresh token is due.
    pub refreshable: bool,
}

impl CodeRequest {
    pub(super) fn parse(params: &Params) -> Result<Self, OAuthError> {
        let code = params.required("code")?.parse().map_err(|_| not_a_code())?;
        let verifier = params.one("code_verifier")?.map(str::parse).transpose().map_err(|_| {
            InvalidGrant.because("code_verifier must be 43 to 128 unreserved characters")
        })?;
        Ok(Self {
            code,
            verifier,
            redirect_uri: params.one("redirect_uri")?.map(str::to_owned),
            resources: asked_resources(params),
        })
    }
}

/// Decide what a code gives. `family` is the name of the grant, should it come to be.
///
/// # Errors
/// `invalid_grant` for a code that is not this client's, has expired, or comes with the wrong
/// verifier, key or redirect address; `invalid_dpop_proof` when its key is not proved to be held;
/// `invalid_target`.
pub fn decide(
    request: &CodeRequest,
    client: &AuthenticatedClient,
    code: &IssuedCode,
    catalogue: &Catalogue,
    family: FamilyId,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    if !code.secret.matches(&request.code.hash()) || code.authorization.client != *client.id() {
        return Err(not_a_code());
    }
    if let CodeState::Spent(family) = code.state {
        return Ok(Decision::Reused(family));
    }
    if code.expires_at <= now {
        return Err(InvalidGrant.because("the code has expired"));
    }
    dpop::check_holder(code.binding, client)?;
    check_verifier(code, request.verifier.as_ref())?;
    check_redirect(code, request.redirect_uri.as_deref())?;

    let authorization = &code.authorization;
    let named = narrowed(&request.resources, authorization, client.client(), catalogue)?;
    let mut terms =
        person_terms(authorization, &authorization.scope, &named, client.client(), catalogue);
    terms.family = Some(family);
    if let Some(id_token) = &mut terms.id_token {
        id_token.nonce.clone_from(&code.nonce);
    }
    let refreshable = gives_refresh_token(client.client(), &authorization.scope);
    let redeemable = Redeemable { entitlement: terms.decided(client), refreshable };
    Ok(Decision::Redeem(Box::new(redeemable)))
}

/// The answer to whatever is not a code of ours for this client.
#[must_use]
pub fn not_a_code() -> OAuthError {
    InvalidGrant.because("the code is unknown, or was issued to another client")
}

/// The answer to a code that was redeemed before.
#[must_use]
pub fn reused() -> OAuthError {
    InvalidGrant.because("the code was used before, and everything issued from it is revoked")
}

/// With the grant alone in plain OAuth; where `openid` was asked for, only with `offline_access`
/// ([OpenID Connect Core §11](https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess)).
pub(super) fn gives_refresh_token(client: &Client, granted: &Scope) -> bool {
    client.may_use(GrantType::RefreshToken)
        && (!granted.contains("openid") || granted.contains("offline_access"))
}

fn check_verifier(code: &IssuedCode, verifier: Option<&CodeVerifier>) -> Result<(), OAuthError> {
    match (&code.challenge, verifier) {
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (Some(_), Some(_)) => {
            Err(InvalidGrant.because("code_verifier does not match the code_challenge"))
        }
        (Some(_), None) => Err(InvalidGrant.because("code_verifier is missing")),
        // A verifier without a challenge is how a downgrade looks (RFC 9700 §4.8.2).
        (None, Some(_)) => Err(InvalidGrant.because(
            "code_verifier was sent, but the authorization request had no code_challenge",
        )),
        (None, None) => Ok(()),
    }
}

/// With PKCE the redirect address may be left out, as OAuth 2.1 has it; what is sent must be right.
fn check_redirect(code: &IssuedCode, presented: Option<&str>) -> Result<(), OAuthError> {
    match (code.redirect_uri.as_deref(), presented) {
        (asked, Some(presented)) if asked == Some(presented) => Ok(()),
        (_, Some(_)) => {
            Err(InvalidGrant.because("redirect_uri is not the one of the authorization request"))
        }
        (Some(_), None) if code.challenge.is_none() => {
            Err(InvalidRequest.because("redirect_uri is missing"))
        }
        (_, None) => Ok(()),
    }
}

/// The resources of this token: those that the request names, which the grant must hold, or all of
/// the grant's ([RFC 8707 §2.2](https://www.rfc-editor.org/rfc/rfc8707#section-2.2)). A grant that
/// named none may still name one now that it has a scope of.
pub(super) fn narrowed(
    asked: &[String],
    authorization: &Authorization,
    client: &Client,
    catalogue: &Catalogue,
) -> Result<Vec<Resource>, OAuthError> {
    if asked.is_empty() {
        return still_there(&authorization.resources, client, catalogue);
    }
    let named = catalogue.ask(asked.iter().map(String::as_str), client)?;
    let granted = |resource: &Resource| {
        if authorization.resources.is_empty() {
            catalogue
                .find(resource.as_str())
                .is_none_or(|resource| resource.scope.meets(&authorization.scope))
        } else {
            authorization.resources.contains(resource)
        }
    };
    if named.iter().all(granted) {
        Ok(named)
    } else {
        Err(InvalidTarget.because("the resource was not part of the grant"))
    }
}

/// Those of a grant's resources that the client may still reach.
fn still_there(
    granted: &[Resource],
    client: &Client,
    catalogue: &Catalogue,
) -> Result<Vec<Resource>, OAuthError> {
    let reachable =
        |resource: &&Resource| catalogue.ask(std::iter::once(resource.as_str()), client).is_ok();
    let left: Vec<_> = granted.iter().filter(reachable).cloned().collect();
    if left.is_empty() && !granted.is_empty() {
        return Err(InvalidTarget.because("the client can no longer reach what was granted"));
    }
    Ok(left)
}

/// The terms on which a person's authorization becomes tokens with this scope.
pub(super) fn person_terms(
    authorization: &Authorization,
    scope: &Scope,
    resources: &[Resource],
    client: &Client,
    catalogue: &Catalogue,
) -> Terms {
    let aim = catalogue.aim(scope, resources);
    let id_token = scope.contains("openid").then(|| IdTokenTerms {
        algorithm: client.id_token_algorithm,
        nonce: None,
        claims: authorization.claims.id_token.iter().cloned().collect(),
    });
    Terms {
        subject: Subject::Person(authorization.user, authorization.authentication.clone()),
        client: client.id.clone(),
        scope: aim.scope,
        audience: aim.audience,
        algorithm: aim.algorithm,
        family: None,
        api_key: None,
        actor: None,
        expires_by: None,
        userinfo_claims: authorization.claims.userinfo.iter().cloned().collect(),
        id_token,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{
            ErrorCode::InvalidDpopProof,
            fixtures::{NOW, authenticated, authorization, client, holding},
        },
        values::{Binding, CodeId, Thumbprint},
    };

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn token() -> AuthorizationCode {
        AuthorizationCode::new(CodeId::from_bytes([3; 16]), [4; 32])
    }

    fn issued() -> IssuedCode {
        IssuedCode {
            id: token().id(),
            secret: token().hash(),
            authorization: authorization(&client("app"), "openid offline_access"),
            redirect_uri: Some("https://app.test/cb".to_owned()),
            challenge: Some(CHALLENGE.parse().unwrap()),
            binding: Binding::Bearer,
            nonce: Some("n".to_owned()),
            expires_at: NOW.plus(60),
            state: CodeState::Fresh,
        }
    }

    fn redeem(body: &str, code: &IssuedCode, by: &str) -> Result<Decision, OAuthError> {
        redeem_as(body, code, &authenticated(client(by)))
    }

    fn redeem_as(
        body: &str,
        code: &IssuedCode,
        by: &AuthenticatedClient,
    ) -> Result<Decision, OAuthError> {
        let body = format!("code={}&{body}", token().expose());
        let request = CodeRequest::parse(&Params::parse(&body).unwrap())?;
        let catalogue = Catalogue::new("https://id.test".parse().unwrap(), Vec::new());
        let family = FamilyId::from_bytes([9; 16]);
        decide(&request, by, code, &catalogue, family, NOW)
    }

    #[test]
    fn a_fresh_code_with_its_verifier_is_redeemed_with_its_nonce() {
        let body = format!("code_verifier={VERIFIER}&redirect_uri=https://app.test/cb");
        let Ok(Decision::Redeem(redeemable)) = redeem(&body, &issued(), "app") else { panic!() };
        assert!(redeemable.refreshable);
        let id_token = redeemable.entitlement.terms().id_token.as_ref().unwrap();
        assert_eq!(id_token.nonce.as_deref(), Some("n"));
    }

    #[test]
    fn a_code_is_refused_without_its_verifier_address_client_or_time() {
        let right = format!("code_verifier={VERIFIER}");
        let wrong = format!("code_verifier={CHALLENGE}");
        let elsewhere = format!("{right}&redirect_uri=https://app.test/other");
        let expired = IssuedCode { expires_at: NOW, ..issued() };
        for refused in [
            redeem("", &issued(), "app"),
            redeem(&wrong, &issued(), "app"),
            redeem(&elsewhere, &issued(), "app"),
            redeem(&right, &issued(), "other"),
            redeem(&right, &expired, "app"),
        ] {
            assert_eq!(refused.unwrap_err().code, InvalidGrant);
        }
    }

    #[test]
    fn a_verifier_without_a_challenge_is_a_downgrade() {
        let code = IssuedCode { challenge: None, ..issued() };
        let body = format!("code_verifier={VERIFIER}&redirect_uri=https://app.test/cb");
        assert_eq!(redeem(&body, &code, "app").unwrap_err().code, InvalidGrant);
    }

    /// RFC 9449 §10.
    #[test]
    fn a_bound_code_is_redeemed_by_the_holder_of_its_key_alone() {
        let (right, wrong) = (Thumbprint::from([1; 32]), Thumbprint::from([2; 32]));
        let code = IssuedCode { binding: Binding::Dpop(right), ..issued() };
        let body = format!("code_verifier={VERIFIER}");
        let by = |key| redeem_as(&body, &code, &holding(client("app"), key));
        let Ok(Decision::Redeem(redeemable)) = by(right) else { panic!() };
        assert_eq!(redeemable.entitlement.binding(), Binding::Dpop(right));
        assert_eq!(by(wrong).unwrap_err().code, InvalidGrant);
        assert_eq!(redeem(&body, &code, "app").unwrap_err().code, InvalidDpopProof);
    }

    #[test]
    fn a_code_used_before_names_the_family_that_must_die() {
        let family = FamilyId::from_bytes([5; 16]);
        let code = IssuedCode { state: CodeState::Spent(family), ..issued() };
        let body = format!("code_verifier={VERIFIER}");
        assert!(matches!(redeem(&body, &code, "app"), Ok(Decision::Reused(id)) if id == family));
    }

    #[test]
    fn openid_without_offline_access_gives_no_refresh_token() {
        let mut app = client("app");
        assert!(gives_refresh_token(&app, &"openid offline_access".parse().unwrap()));
        assert!(gives_refresh_token(&app, &"orders:read".parse().unwrap()));
        assert!(!gives_refresh_token(&app, &"openid email".parse().unwrap()));
        app.grants.remove(&GrantType::RefreshToken);
        assert!(!gives_refresh_token(&app, &"orders:read".parse().unwrap()));
    }
}

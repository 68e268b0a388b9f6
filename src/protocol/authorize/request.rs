//! What an authorization request asks for.

use std::collections::BTreeSet;

use crate::{
    model::{ClaimsRequest, Client, GrantType},
    protocol::{
        ErrorCode::{
            InvalidRequest, InvalidScope, RegistrationNotSupported, RequestNotSupported,
            RequestUriNotSupported, UnauthorizedClient, UnsupportedResponseType,
        },
        OAuthError, Params,
        claims::{self, Wishes},
        resource::Catalogue,
    },
    values::{Acr, Binding, CodeChallenge, MaxAge, Prompts, Resource, Scope, Thumbprint, UserId},
};

/// The longest `state` and `nonce`, in bytes.
const LONGEST_ECHO: usize = 4096;

/// An authorization request whose every part is in order.
#[derive(Clone, Debug)]
pub struct AuthorizeRequest {
    /// The scopes that it asks for: within the client's registration.
    pub scope: Scope,
    /// The APIs that it names, in their registered form.
    pub resources: Vec<Resource>,
    /// Every API that it reaches, named or by its scopes.
    pub apis: BTreeSet<Resource>,
    /// The redirect address that it names.
    pub redirect_uri: Option<String>,
    /// What the code's redeemer must meet.
    pub challenge: Option<CodeChallenge>,
    /// Who may redeem the code: the holder of the key that `dpop_jkt` names, or anybody
    /// ([RFC 9449 §10](https://www.rfc-editor.org/rfc/rfc9449#section-10)).
    pub binding: Binding,
    /// What the ID token must repeat.
    pub nonce: Option<String>,
    /// What the person is to be shown.
    pub prompts: Prompts,
    /// How old the sign-in may be.
    pub max_age: Option<MaxAge>,
    /// Whom the client expects, in the person's words.
    pub login_hint: Option<String>,
    /// The languages that the person reads, the dearest first.
    pub ui_locales: Option<String>,
    /// Whom the client expects, in ours: an earlier ID token.
    pub id_token_hint: Option<String>,
    /// Whom the client demands, by subject.
    pub subject: Option<Result<UserId, ()>>,
    /// Claims asked for one by one.
    pub claims: ClaimsRequest,
    /// Classes of which the sign-in must reach one, if there are any.
    pub essential_acrs: Vec<String>,
}

impl AuthorizeRequest {
    /// Read the request of `client`.
    ///
    /// # Errors
    /// What RFC 6749 §4.1.2.1, RFC 7636 §4.4.1, RFC 8707 §2 and OpenID Connect Core §3.1.2.6 name.
    pub fn parse(
        params: &Params,
        client: &Client,
        catalogue: &Catalogue,
    ) -> Result<Self, OAuthError> {
        params.without_repeats()?;
        check_response(params)?;
        check_unsupported(params)?;
        if !client.may_use(GrantType::AuthorizationCode) {
            return Err(UnauthorizedClient
                .because("the client is not registered for the authorization_code grant"));
        }
        let scope = asked_scope(params, client)?;
        let challenge = challenge(params, client, &scope)?;
        let resources = catalogue.ask(params.many("resource"), client)?;
        let invalid = |invalid: crate::values::Invalid| InvalidRequest.because(invalid.to_string());
        let prompts = params.one("prompt")?.map(str::parse).transpose().map_err(invalid)?;
        let max_age = params.one("max_age")?.map(str::parse).transpose().map_err(invalid)?;
        let wishes = params
            .one("claims")?
            .map_or(Ok(Wishes::default()), |text| claims::parse(text, &client.scope))?;

        Ok(Self {
            apis: catalogue.reach(&scope, &resources),
            scope,
            resources,
            redirect_uri: params.one("redirect_uri")?.map(str::to_owned),
            challenge,
            binding: dpop_jkt(params)?.into(),
            nonce: echoed(params, "nonce")?,
            prompts: prompts.unwrap_or_default(),
            max_age,
            login_hint: params.one("login_hint")?.map(str::to_owned),
            ui_locales: params.one("ui_locales")?.map(str::to_owned),
            id_token_hint: params.one("id_token_hint")?.map(str::to_owned),
            subject: wishes.subject.map(|subject| subject.parse().map_err(|_| ())),
            claims: wishes.claims,
            essential_acrs: wishes.essential_acrs,
        })
    }

    /// Whether a sign-in of this class is as strong as the request demands. `acr_values` is a wish
    /// (OpenID Connect Core §3.1.2.1); only an essential `acr` claim is a demand (§5.5.1.1).
    #[must_use]
    pub fn is_satisfied_by(&self, acr: Acr) -> bool {
        self.essential_acrs.is_empty()
            || self.essential_acrs.iter().any(|demanded| demanded == acr.as_str())
    }
}

fn check_response(params: &Params) -> Result<(), OAuthError> {
    echoed(params, "state")?;
    if params.required("response_type")? != "code" {
        return Err(UnsupportedResponseType.because("response_type must be code"));
    }
    match params.one("response_mode")? {
        None | Some("query" | "form_post") => Ok(()),
        Some(_) => Err(InvalidRequest.because("response_mode must be query or form_post")),
    }
}

fn check_unsupported(params: &Params) -> Result<(), OAuthError> {
    if params.one("request")?.is_some() {
        return Err(RequestNotSupported.because("request objects are not supported"));
    }
    if params.one("request_uri")?.is_some() {
        return Err(RequestUriNotSupported.because("request_uri is not supported"));
    }
    if params.one("registration")?.is_some() {
        return Err(RegistrationNotSupported.because("registration is not supported here"));
    }
    Ok(())
}

fn asked_scope(params: &Params, client: &Client) -> Result<Scope, OAuthError> {
    let Some(text) = params.one("scope")? else { return Ok(client.scope.clone()) };
    let asked = text
        .parse()
        .map_err(|_| InvalidScope.because("scope is not a list of names with single spaces"))?;
    client
        .scope
        .narrow(&asked)
        .ok_or_else(|| InvalidScope.because("the client is not registered for this scope"))
}

/// PKCE is for everybody; only a confidential OpenID Connect client may be registered to do without,
/// since its nonce stands in for it ([RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1)).
fn challenge(
    params: &Params,
    client: &Client,
    scope: &Scope,
) -> Result<Option<CodeChallenge>, OAuthError> {
    let challenge = params.one("code_challenge")?;
    match (challenge, params.one("code_challenge_method")?) {
        (Some(challenge), Some("S256")) => challenge.parse().map(Some).map_err(|_| {
            InvalidRequest.because("code_challenge must be 43 base64url characters without padding")
        }),
        (Some(_), _) => Err(InvalidRequest.because("code_challenge_method must be S256")),
        (None, Some(_)) => Err(InvalidRequest.because("code_challenge is missing")),
        (None, None) if client.pkce_required || client.is_public() => {
            Err(InvalidRequest.because("code_challenge is missing: this client must use PKCE"))
        }
        (None, None) if !scope.contains("openid") => Err(InvalidRequest
            .because("code_challenge is missing: only OpenID Connect can do without PKCE")),
        (None, None) => Ok(None),
    }
}

fn dpop_jkt(params: &Params) -> Result<Option<Thumbprint>, OAuthError> {
    let thumbprint = params.one("dpop_jkt")?.map(str::parse).transpose();
    thumbprint.map_err(|_| {
        InvalidRequest.because("dpop_jkt must be the SHA-256 thumbprint of a key in base64url")
    })
}

fn echoed(params: &Params, name: &str) -> Result<Option<String>, OAuthError> {
    match params.one(name)? {
        Some(value) if value.len() > LONGEST_ECHO => {
            Err(InvalidRequest.because(format!("{name} is longer than {LONGEST_ECHO} bytes")))
        }
        value => Ok(value.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        ErrorCode,
        fixtures::{client, confidential},
    };

    const PKCE: &str =
        "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn parse(query: &str, client: &Client) -> Result<AuthorizeRequest, OAuthError> {
        let catalogue = Catalogue::new("https://id.test".parse().unwrap(), Vec::new());
        AuthorizeRequest::parse(&Params::parse(query).unwrap(), client, &catalogue)
    }

    fn refusal(query: &str) -> ErrorCode {
        parse(query, &client("app")).unwrap_err().code
    }

    #[test]
    fn every_response_type_but_code_is_unsupported() {
        for response_type in ["token", "id_token", "code id_token", "code token", "none"] {
            let query = format!("response_type={}&{PKCE}", response_type.replace(' ', "+"));
            assert_eq!(refusal(&query), UnsupportedResponseType, "{response_type}");
        }
        assert_eq!(refusal(PKCE), InvalidRequest);
    }

    #[test]
    fn a_challenge_is_s256_or_the_request_is_refused() {
        for pkce in [
            "",
            "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=plain",
            "code_challenge=short&code_challenge_method=S256",
            "code_challenge_method=S256",
        ] {
            assert_eq!(refusal(&format!("response_type=code&{pkce}")), InvalidRequest, "{pkce}");
        }
        let mut relaxed = confidential("conf", "s");
        relaxed.pkce_required = false;
        assert!(parse("response_type=code", &relaxed).is_ok());
        let plain = parse("response_type=code&scope=email", &relaxed);
        assert_eq!(plain.unwrap_err().code, InvalidRequest, "plain OAuth has no nonce");
    }

    #[test]
    fn repeated_parameters_are_refused_whatever_they_are() {
        for twice in ["state=1&state=1", "foo=1&foo=2", "nonce=1&nonce=2", "prompt=a&prompt=b"] {
            assert_eq!(refusal(&format!("response_type=code&{PKCE}&{twice}")), InvalidRequest);
        }
    }

    #[test]
    fn a_mode_or_a_feature_that_is_not_offered_is_refused_by_name() {
        for (extra, code) in [
            ("response_mode=fragment", InvalidRequest),
            ("response_mode=query.jwt", InvalidRequest),
            ("request=e30.e30.", RequestNotSupported),
            ("request_uri=http://169.254.169.254/", RequestUriNotSupported),
            ("registration={}", RegistrationNotSupported),
            ("max_age=-1", InvalidRequest),
            ("prompt=none+login", InvalidRequest),
            ("prompt=create", InvalidRequest),
            ("claims=x", InvalidRequest),
            ("dpop_jkt=short", InvalidRequest),
            ("dpop_jkt=NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs=", InvalidRequest),
            ("scope=openid+admin", InvalidScope),
        ] {
            assert_eq!(refusal(&format!("response_type=code&{PKCE}&{extra}")), code, "{extra}");
        }
    }

    #[test]
    fn without_scope_the_registered_one_is_asked_for() {
        let request = parse(&format!("response_type=code&{PKCE}"), &client("app")).unwrap();
        assert_eq!(request.scope, client("app").scope);
    }

    #[test]
    fn state_and_nonce_may_have_4096_bytes() {
        let query = |length| format!("response_type=code&{PKCE}&state={}", "s".repeat(length));
        assert!(parse(&query(4096), &client("app")).is_ok());
        assert_eq!(refusal(&query(4097)), InvalidRequest);
    }
}

//! What happens next with an authorization request.

use std::collections::BTreeSet;

use super::AuthorizeRequest;
use crate::{
    model::{Client, Consent},
    protocol::{
        CLOCK_SKEW,
        ErrorCode::{
            AccountSelectionRequired, ConsentRequired, InvalidRequest, LoginRequired,
            UnmetAuthenticationRequirements,
        },
        OAuthError, claims,
    },
    values::{Authentication, MaxAge, Prompt, Scope, Timestamp, UserId},
};

/// What must happen before the client is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Somebody must sign in.
    Login,
    /// The person must say whether to go on as the one who is signed in.
    SelectAccount,
    /// The person must allow this.
    Consent(Asked),
    /// Nothing: a code may be issued.
    Grant,
    /// Nothing helps.
    Refuse(OAuthError),
}

/// What a person is asked to allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Every scope of the request.
    pub scope: Scope,
    /// Those that the person has not allowed before.
    pub new: Scope,
    /// Claims beyond what the scopes give.
    pub claims: BTreeSet<String>,
}

/// Who is signed in, and what is known of them and the client.
#[derive(Debug)]
pub struct Standing<'a> {
    /// The person and the sign-in, if there is one.
    pub signed_in: Option<(UserId, &'a Authentication)>,
    /// What the person has allowed this client.
    pub consent: Option<&'a Consent>,
    /// Whom the `id_token_hint` speaks of; an error when it is not a token of ours.
    pub hinted: Option<Result<UserId, ()>>,
}

/// What has happened to this request so far.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Whether the sign-in is another than the one that was there when the request came.
    pub signed_in_since: bool,
    /// When the request came.
    pub asked_at: Timestamp,
    /// Whether the person has been shown anything yet.
    pub under_way: bool,
    /// Whether the person has chosen the account.
    pub account_chosen: bool,
}

impl Progress {
    /// A request that has just come.
    #[must_use]
    pub fn begun(asked_at: Timestamp) -> Self {
        Self { signed_in_since: false, asked_at, under_way: false, account_chosen: false }
    }
}

/// Decide what happens next.
#[must_use]
pub fn decide(
    request: &AuthorizeRequest,
    client: &Client,
    standing: &Standing<'_>,
    progress: &Progress,
    now: Timestamp,
) -> Next {
    let next = undisturbed(request, client, standing, progress, now);
    if request.prompts.contains(Prompt::None) { without_asking(next) } else { next }
}

/// `prompt=none`: whatever needs a page is an error
/// ([OpenID Connect Core §3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError)).
fn without_asking(next: Next) -> Next {
    let refusal = match next {
        Next::Login => LoginRequired.because("nobody is signed in, or not recently enough"),
        Next::SelectAccount => AccountSelectionRequired.because("an account must be chosen"),
        Next::Consent(_) => ConsentRequired.because("the person has not allowed all of this"),
        other => return other,
    };
    Next::Refuse(refusal)
}

fn undisturbed(
    request: &AuthorizeRequest,
    client: &Client,
    standing: &Standing<'_>,
    progress: &Progress,
    now: Timestamp,
) -> Next {
    let expected = match expected_person(request, standing) {
        Ok(expected) => expected,
        Err(refusal) => return Next::Refuse(refusal),
    };
    let Some((user, authentication)) = standing.signed_in else { return Next::Login };
    let fresh = is_fresh(authentication, progress);

    if needs_sign_in(request, authentication, now) && !fresh {
        return Next::Login;
    }
    if expected.is_some_and(|expected| expected != user) {
        // A person who has just signed in is somebody else, and asking again would not change it.
        return if fresh {
            Next::Refuse(LoginRequired.because("another person signed in than was asked for"))
        } else {
            Next::Login
        };
    }
    if !request.is_satisfied_by(authentication.acr) {
        return Next::Refuse(
            UnmetAuthenticationRequirements.because("the essential acr cannot be reached"),
        );
    }
    if request.prompts.contains(Prompt::SelectAccount) && !progress.account_chosen && !fresh {
        return Next::SelectAccount;
    }
    if needs_consent(request, client, standing.consent) {
        return Next::Consent(asked(request, standing.consent));
    }
    Next::Grant
}

/// The one person that the request is about, if it says so.
fn expected_person(
    request: &AuthorizeRequest,
    standing: &Standing<'_>,
) -> Result<Option<UserId>, OAuthError> {
    match (request.subject, standing.hinted) {
        (Some(Err(())), _) => {
            Err(LoginRequired.because("nobody has the subject that is asked for"))
        }
        (_, Some(Err(()))) => {
            Err(InvalidRequest.because("id_token_hint is not an ID token of ours"))
        }
        (Some(Ok(one)), Some(Ok(other))) if one != other => {
            Err(InvalidRequest.because("claims and id_token_hint name different people"))
        }
        (Some(Ok(person)), _) | (None, Some(Ok(person))) => Ok(Some(person)),
        (None, None) => Ok(None),
    }
}

/// Whether the sign-in happened for this request. One that was there before never counts, so that
/// going back to an old address proves nothing.
fn is_fresh(authentication: &Authentication, progress: &Progress) -> bool {
    progress.under_way
        && progress.signed_in_since
        // Another node may have signed them in, and its clock may be behind.
        && authentication.at.plus(CLOCK_SKEW) >= progress.asked_at
}

fn needs_sign_in(
    request: &AuthorizeRequest,
    authentication: &Authentication,
    now: Timestamp,
) -> bool {
    let too_old = |MaxAge(seconds)| seconds == 0 || now.since(authentication.at) > seconds;
    request.prompts.contains(Prompt::Login) || request.max_age.is_some_and(too_old)
}

fn needs_consent(request: &AuthorizeRequest, client: &Client, consent: Option<&Consent>) -> bool {
    let covers = |consent: &Consent| {
        request.scope.is_subset_of(&consent.scope)
            && request.apis.is_subset(&consent.apis)
            && claims::beyond_scope(&request.claims, &request.scope).is_subset(&consent.claims)
    };
    request.prompts.contains(Prompt::Consent) || !client.first_party && !consent.is_some_and(covers)
}

fn asked(request: &AuthorizeRequest, consent: Option<&Consent>) -> Asked {
    let before = consent.map(|consent| consent.scope.clone()).unwrap_or_default();
    Asked {
        scope: request.scope.clone(),
        new: request.scope.without(&before),
        claims: claims::beyond_scope(&request.claims, &request.scope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        Params,
        fixtures::{NOW, alice, authentication, client},
        resource::Catalogue,
    };

    const BASE: &str = "response_type=code&code_challenge_method=S256\
                        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn request(extra: &str) -> AuthorizeRequest {
        let catalogue = Catalogue::new("https://id.test".parse().unwrap(), Vec::new());
        let params = Params::parse(&format!("{BASE}&{extra}")).unwrap();
        AuthorizeRequest::parse(&params, &client("app"), &catalogue).unwrap()
    }

    fn consent(scope: &str) -> Consent {
        Consent {
            user: alice(),
            client: "app".parse().unwrap(),
            scope: scope.parse().unwrap(),
            apis: BTreeSet::new(),
            claims: BTreeSet::new(),
            granted_at: NOW,
        }
    }

    fn next(extra: &str, signed_in: bool, allowed: Option<&str>, progress: &Progress) -> Next {
        let authentication = authentication();
        let consent = allowed.map(consent);
        let standing = Standing {
            signed_in: signed_in.then_some((alice(), &authentication)),
            consent: consent.as_ref(),
            hinted: None,
        };
        decide(&request(extra), &client("app"), &standing, progress, NOW)
    }

    fn start() -> Progress {
        Progress::begun(NOW)
    }

    #[test]
    fn a_person_signs_in_then_consents_then_the_client_gets_its_code() {
        assert_eq!(next("scope=openid", false, None, &start()), Next::Login);
        assert!(matches!(next("scope=openid", true, None, &start()), Next::Consent(_)));
        assert_eq!(next("scope=openid", true, Some("openid email"), &start()), Next::Grant);
    }

    #[test]
    fn consent_is_asked_again_when_it_grows_and_when_the_client_insists() {
        let Next::Consent(asked) = next("scope=openid+email", true, Some("openid"), &start())
        else {
            panic!()
        };
        assert_eq!(asked.new, "email".parse().unwrap());
        let insisting = next("scope=openid&prompt=consent", true, Some("openid"), &start());
        assert!(matches!(insisting, Next::Consent(_)));
    }

    #[test]
    fn prompt_none_never_shows_anything() {
        let code = |signed_in, allowed| match next(
            "scope=openid&prompt=none",
            signed_in,
            allowed,
            &start(),
        ) {
            Next::Refuse(refusal) => refusal.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(false, None), LoginRequired);
        assert_eq!(code(true, None), ConsentRequired);
        let silent = next("scope=openid&prompt=none", true, Some("openid"), &start());
        assert_eq!(silent, Next::Grant);
    }

    #[test]
    fn only_a_sign_in_for_this_request_satisfies_prompt_login() {
        let asked =
            |progress: &Progress| next("prompt=login&scope=openid", true, Some("openid"), progress);
        assert_eq!(asked(&start()), Next::Login);
        let replayed = Progress { under_way: true, ..start() };
        assert_eq!(asked(&replayed), Next::Login);
        let mut after = Progress::begun(authentication().at);
        (after.under_way, after.signed_in_since) = (true, true);
        assert_eq!(asked(&after), Next::Grant);
    }

    #[test]
    fn a_sign_in_older_than_max_age_does_not_do() {
        assert_eq!(next("max_age=59&scope=openid", true, Some("openid"), &start()), Next::Login);
        assert_eq!(next("max_age=60&scope=openid", true, Some("openid"), &start()), Next::Grant);
        assert_eq!(next("max_age=0&scope=openid", true, Some("openid"), &start()), Next::Login);
    }

    #[test]
    fn an_essential_acr_that_cannot_be_reached_is_refused() {
        let claims = r#"claims={"id_token":{"acr":{"essential":true,"values":["gold"]}}}"#;
        let Next::Refuse(refusal) = next(claims, true, Some("openid"), &start()) else { panic!() };
        assert_eq!(refusal.code, UnmetAuthenticationRequirements);
    }

    #[test]
    fn a_hint_at_somebody_else_asks_for_a_sign_in() {
        let authentication = authentication();
        let standing = Standing {
            signed_in: Some((alice(), &authentication)),
            consent: None,
            hinted: Some(Ok(UserId::from_bytes([2; 16]))),
        };
        let next = decide(&request("scope=openid"), &client("app"), &standing, &start(), NOW);
        assert_eq!(next, Next::Login);
    }
}

//! The access token of a request, and the challenge to one that does not do
//! ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750),
//! [RFC 9449 §7](https://www.rfc-editor.org/rfc/rfc9449#section-7)).

use std::sync::Arc;

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Refusal,
    call::{Call, authorization, proof},
};
use crate::{
    flows::{App, Error},
    protocol::{
        ErrorCode, OAuthError, Params,
        dpop::{ALGORITHMS, ProofHeader},
        userinfo::{Presented, Scheme},
    },
    values::Algorithm,
};

/// The one access token of a request, and what proves that it is the caller's.
pub(super) struct AccessToken {
    pub(super) presented: Presented,
    pub(super) proof: ProofHeader,
    pub(super) method: Method,
}

/// The answer to a request that is not let in: it says what would be.
pub(super) enum Challenge {
    /// It brought no token, and is told nothing more (RFC 6750 §3.1).
    Bare,
    /// Something is wrong with it or with its token, which it presented like this.
    Refused(Scheme, Error),
}

impl FromRequest<Arc<App>> for AccessToken {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let method = request.method().clone();
        // A POST may be empty, with its token in the header.
        let form = method == Method::POST && request.headers().contains_key(header::CONTENT_TYPE);
        let (authorization, proof, params) = if form {
            let call = Call::from_request(request, app).await?;
            (call.authorization, call.proof, call.params)
        } else {
            let headers = request.headers();
            (authorization(headers), proof(headers), Params::default())
        };
        match Presented::parse(authorization.as_deref(), &params) {
            Ok(Some(presented)) => Ok(Self { presented, proof, method }),
            Ok(None) => Err(Challenge::Bare.into_response()),
            Err(refusal) => Err(Challenge::Refused(Scheme::Bearer, refusal.into()).into_response()),
        }
    }
}

impl IntoResponse for Challenge {
    fn into_response(self) -> Response {
        let (mut response, challenges) = match self {
            Self::Bare => (
                StatusCode::UNAUTHORIZED.into_response(),
                vec![challenge(Scheme::Bearer, None), challenge(Scheme::Dpop, None)],
            ),
            Self::Refused(scheme, Error::Refused(refusal)) => refused(scheme, refusal),
            Self::Refused(_, failure) => return Refusal::from(failure).into_response(),
        };
        for challenge in challenges {
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
            }
        }
        response
    }
}

/// The scheme that was used tells what is wrong (RFC 9449 §7.2). Whoever came without a proof hears of
/// the other one, too; a proof is no reason to offer to do without.
fn refused(scheme: Scheme, refusal: OAuthError) -> (Response, Vec<String>) {
    let mut challenges = vec![challenge(scheme, Some(refusal.code))];
    let is_about_proof =
        matches!(refusal.code, ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce);
    let mut response = Refusal::from(refusal).into_response();
    if is_about_proof {
        // What is 400 to who asks for a token is 401 to who brings one (§8, §9).
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    if scheme == Scheme::Bearer && response.status() == StatusCode::UNAUTHORIZED {
        challenges.push(challenge(Scheme::Dpop, None));
    }
    (response, challenges)
}

fn challenge(scheme: Scheme, error: Option<ErrorCode>) -> String {
    let needed = matches!(error, Some(ErrorCode::InsufficientScope)).then_some("scope=\"openid\"");
    let error = error.map(|code| format!("error=\"{}\"", code.as_str()));
    let (scheme, algorithms) = match scheme {
        Scheme::Bearer => ("Bearer", None),
        Scheme::Dpop => ("DPoP", Some(ALGORITHMS.map(Algorithm::as_str).join(" "))),
    };
    let algorithms = algorithms.map(|names| format!("algs=\"{names}\""));
    let realm = Some("realm=\"signet\"".to_owned());
    let told = [realm, error, needed.map(str::to_owned), algorithms];
    format!("{scheme} {}", told.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

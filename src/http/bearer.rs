//! The access token of a request, and the challenge to one that does not do
//! ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).

use std::sync::Arc;

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Refusal,
    call::{Call, authorization},
};
use crate::{
    flows::{App, Error},
    protocol::{ErrorCode, Params, userinfo},
    values::Secret,
};

/// The one access token of a request.
pub(super) struct Bearer(pub(super) Secret<String>);

/// The answer to a request that is not let in: it says what would be (§3).
pub(super) enum Challenge {
    /// It brought no token, and is told nothing more (§3.1).
    Bare,
    /// Something is wrong with it or with its token.
    Refused(Error),
}

impl FromRequest<Arc<App>> for Bearer {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        // A POST may be empty, with its token in the header.
        let form = request.method() == Method::POST
            && request.headers().contains_key(header::CONTENT_TYPE);
        let (authorization, params) = if form {
            let call = Call::from_request(request, app).await?;
            (call.authorization, call.params)
        } else {
            (authorization(request.headers()), Params::default())
        };
        match userinfo::bearer(authorization.as_deref(), &params) {
            Ok(Some(token)) => Ok(Self(token)),
            Ok(None) => Err(Challenge::Bare.into_response()),
            Err(refusal) => Err(Challenge::Refused(refusal.into()).into_response()),
        }
    }
}

impl<E: Into<Error>> From<E> for Challenge {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl IntoResponse for Challenge {
    fn into_response(self) -> Response {
        const REALM: &str = "Bearer realm=\"signet\"";
        let (mut response, challenge) = match self {
            Self::Bare => (StatusCode::UNAUTHORIZED.into_response(), REALM.to_owned()),
            Self::Refused(Error::Refused(refusal)) => {
                let needed = match refusal.code {
                    ErrorCode::InsufficientScope => ", scope=\"openid\"",
                    _ => "",
                };
                let challenge = format!("{REALM}, error=\"{}\"{needed}", refusal.code.as_str());
                (Refusal::from(refusal).into_response(), challenge)
            }
            Self::Refused(failure) => return Refusal::from(failure).into_response(),
        };
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

//! Sign-out that a client asks for
//! ([RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)).

use url::form_urlencoded;

use super::{
    ErrorCode::InvalidRequest, OAuthError, Params, authorize::form_action_source,
    id_token::HintClaims,
};
use crate::{
    model::{Client, Session},
    values::{ClientId, UserId},
};

/// A request to sign out.
#[derive(Clone, Debug)]
pub struct LogoutRequest {
    /// An ID token that shows who is meant and who asks.
    pub id_token_hint: Option<String>,
    /// Who asks, where no hint tells.
    pub client_id: Option<ClientId>,
    /// Where to go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

/// Where a person may be sent after signing out. Only [`return_address`] makes one.
#[derive(Clone, Debug)]
pub struct PostLogoutAddress(String);

/// What happens next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The person is asked, since nothing proves that the request is theirs.
    Confirm,
    /// The session ends at once: the hint is from it.
    End,
    /// Nobody is signed in.
    Nobody,
}

impl LogoutRequest {
    /// Read the request.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        params.without_repeats()?;
        let client_id = params.one("client_id")?.map(str::parse).transpose();
        Ok(Self {
            id_token_hint: params.one("id_token_hint")?.map(str::to_owned),
            client_id: client_id
                .map_err(|_| InvalidRequest.because("client_id is not a client of ours"))?,
            post_logout_redirect_uri: params.one("post_logout_redirect_uri")?.map(str::to_owned),
            state: params.one("state")?.map(str::to_owned),
        })
    }

    /// The client that asks: the hint's audience, which `client_id` must not contradict.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn client(&self, hint: Option<&HintClaims>) -> Result<Option<ClientId>, OAuthError> {
        match (hint, &self.client_id) {
            (Some(hint), Some(named)) if hint.aud != *named => Err(InvalidRequest
                .because("client_id is not the client that id_token_hint was issued to")),
            (Some(hint), _) => Ok(Some(hint.aud.clone())),
            (None, named) => Ok(named.clone()),
        }
    }
}

/// The address to go to afterwards: registered by `client`, compared like any redirect address.
///
/// # Errors
/// `invalid_request` when an address is asked for that is not registered, or by nobody we know.
pub fn return_address(
    request: &LogoutRequest,
    client: Option<&Client>,
) -> Result<Option<PostLogoutAddress>, OAuthError> {
    let Some(asked) = &request.post_logout_redirect_uri else { return Ok(None) };
    let registered = client
        .is_some_and(|client| client.post_logout_redirect_uris.iter().any(|uri| uri.admits(asked)));
    if !registered {
        return Err(InvalidRequest
            .because("post_logout_redirect_uri is not registered for the client that asks"));
    }
    let Some(state) = &request.state else { return Ok(Some(PostLogoutAddress(asked.clone()))) };
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    let separator = if asked.contains('?') { '&' } else { '?' };
    Ok(Some(PostLogoutAddress(format!("{asked}{separator}{query}"))))
}

impl PostLogoutAddress {
    /// The address, with the request's `state`.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.0
    }

    /// What a content security policy must let forms reach.
    #[must_use]
    pub fn form_action_source(&self) -> String {
        form_action_source(&self.0)
    }
}

/// Decide what happens next. Only a hint from this very session, or one of this very person, shows
/// that the request is theirs.
#[must_use]
pub fn decide(session: Option<&Session>, hint: Option<&HintClaims>) -> Next {
    let is_theirs = |session: &Session, sub: UserId| session.user == sub;
    match (session, hint) {
        (None, _) => Next::Nobody,
        (Some(session), Some(hint)) if is_theirs(session, hint.sub) && hint.sid == session.id => {
            Next::End
        }
        (Some(_), _) => Next::Confirm,
    }
}

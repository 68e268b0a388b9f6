//! Requests that wait while somebody signs in or decides. They travel sealed in the browser's own
//! pages, bound to that browser, so that a stranger's request costs no row.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    App,
    sessions::{SignedIn, Visitor},
};
use crate::{
    keys::Purpose,
    protocol::{
        ErrorCode::{AccessDenied, InvalidRequest},
        OAuthError,
        authorize::Progress,
    },
    values::{BrowserToken, SessionId, Timestamp, TokenHash},
};

/// How long a request may wait, in seconds.
const PATIENCE: i64 = 3600;

/// The longest request, in bytes: sealed, it still fits into an address and a form.
const LONGEST: usize = 16 * 1024;

/// A request that waits, as it came: it is read and checked anew at every step, so that what has been
/// unregistered since no longer works.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    /// The parameters, form-encoded.
    pub(super) parameters: String,
    /// The sign-in that was there when it came: what is kept of its cookie's secret, which is new
    /// after every sign-in.
    before: Option<TokenHash>,
    /// When it came.
    pub(super) asked_at: Timestamp,
    /// Whether the person wants to go on as the one who is signed in.
    pub(super) account_chosen: bool,
    /// Whether the person wants to be somebody else.
    pub(super) switching: bool,
    /// Whose answer the page asks for.
    pub(super) shown_to: Option<SessionId>,
}

impl Pending {
    pub(super) fn begun(
        parameters: String,
        visitor: &Visitor,
        asked_at: Timestamp,
    ) -> Result<Self, OAuthError> {
        if parameters.len() > LONGEST {
            return Err(InvalidRequest.because("the request is longer than 16 KiB"));
        }
        Ok(Self {
            parameters,
            before: visitor.signed_in.as_ref().map(|signed_in| signed_in.session.secret),
            asked_at,
            account_chosen: false,
            switching: false,
            shown_to: None,
        })
    }

    /// Whether this sign-in is another than the one that was there when the request came.
    pub(super) fn is_older_than(&self, signed_in: &SignedIn) -> bool {
        !self.before.is_some_and(|before| before.matches(&signed_in.session.secret))
    }

    pub(super) fn progress(&self, signed_in: Option<&SignedIn>, under_way: bool) -> Progress {
        Progress {
            signed_in_since: signed_in.is_some_and(|signed_in| self.is_older_than(signed_in)),
            asked_at: self.asked_at,
            under_way,
            account_chosen: self.account_chosen,
        }
    }

    /// Seal it for one kind of page in one browser.
    pub(super) fn seal(&self, app: &App, page: &str, browser: &BrowserToken) -> String {
        seal(app, page, browser, self)
    }

    /// Open what this browser was given.
    pub(super) fn open(
        app: &App,
        page: &str,
        browser: &BrowserToken,
        sealed: &str,
    ) -> Result<Self, OAuthError> {
        let pending: Self = open(app, page, browser, sealed)?;
        check_age(app, pending.asked_at)?;
        Ok(pending)
    }
}

/// Seal what one kind of page in one browser carries.
pub(super) fn seal(
    app: &App,
    page: &str,
    browser: &BrowserToken,
    value: &impl Serialize,
) -> String {
    let plain = serde_json::to_vec(value).expect("what pages carry has a JSON form");
    BASE64.encode(app.keys.seal(Purpose::Request, &context(page, browser), &plain))
}

/// Open what this kind of page in this browser was given.
pub(super) fn open<T: DeserializeOwned>(
    app: &App,
    page: &str,
    browser: &BrowserToken,
    sealed: &str,
) -> Result<T, OAuthError> {
    let refused = || {
        AccessDenied.because(
            "this page does not belong to a request of this browser: go back to the application \
             and start again",
        )
    };
    let sealed = BASE64.decode(sealed).map_err(|_| refused())?;
    let plain = app.keys.open_sealed(Purpose::Request, &context(page, browser), &sealed);
    serde_json::from_slice(&plain.ok_or_else(refused)?).map_err(|_| refused())
}

/// Nobody comes back to a page for ever.
pub(super) fn check_age(app: &App, since: Timestamp) -> Result<(), OAuthError> {
    if app.clock.now().since(since) > PATIENCE {
        return Err(InvalidRequest.because(
            "this page has waited for more than an hour: go back to the application and start again",
        ));
    }
    Ok(())
}

fn context(page: &str, browser: &BrowserToken) -> String {
    format!("{page} {}", BASE64.encode(browser.hash().as_bytes()))
}

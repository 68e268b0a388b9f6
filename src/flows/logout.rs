//! Sign somebody out, at a client's wish or their own.

use super::{
    App, Result,
    authorize::hint_claims,
    events::Event,
    pending::Pending,
    revocation::revocation,
    sessions::{SignedIn, Visitor},
};
use crate::{
    model::Revoked,
    protocol::{
        Params,
        logout::{self, LogoutRequest, Next, PostLogoutAddress},
    },
    storage::SignOut,
};

/// What happens to a request to sign out.
#[derive(Debug)]
pub enum Step {
    /// The person is asked.
    Confirm {
        /// The request, for the page to carry.
        sealed: String,
        /// Who asks, as people know it.
        client_name: Option<String>,
        /// What forms must be able to reach afterwards.
        address: Option<PostLogoutAddress>,
    },
    /// Nobody is signed in any more.
    Done(Option<PostLogoutAddress>),
}

/// A request to sign out arrives.
pub async fn begin(app: &App, parameters: String, visitor: &Visitor) -> Result<Step> {
    let (address, client_name, next) = read(app, &parameters, visitor).await?;
    match (next, &visitor.signed_in) {
        (Next::Confirm, Some(_)) => {
            let pending = Pending::begun(parameters, visitor, app.clock.now())?;
            let sealed = pending.seal(app, "logout", &visitor.browser);
            Ok(Step::Confirm { sealed, client_name, address })
        }
        (Next::End, Some(signed_in)) => {
            end(app, signed_in).await?;
            Ok(Step::Done(address))
        }
        _ => Ok(Step::Done(address)),
    }
}

/// The person confirms.
pub async fn confirm(app: &App, sealed: &str, visitor: &Visitor) -> Result<Step> {
    let pending = Pending::open(app, "logout", &visitor.browser, sealed)?;
    let (address, ..) = read(app, &pending.parameters, visitor).await?;
    if let Some(signed_in) = &visitor.signed_in {
        end(app, signed_in).await?;
    }
    Ok(Step::Done(address))
}

async fn read(
    app: &App,
    parameters: &str,
    visitor: &Visitor,
) -> Result<(Option<PostLogoutAddress>, Option<String>, Next)> {
    let request = LogoutRequest::parse(&Params::parse(parameters)?)?;
    let now = app.clock.now();
    let hint = request.id_token_hint.as_deref();
    let valid_hint = hint.and_then(|hint| hint_claims(app, hint, now));
    // A hint that is not ours proves nothing, and a request with one is not what it claims to be.
    let asker = if hint.is_some() && valid_hint.is_none() {
        None
    } else {
        request.client(valid_hint.as_ref())?
    };
    let client = match asker {
        Some(id) => app.directory.client(&id).await?,
        None => None,
    };
    let client = client.filter(|client| client.disabled_at.is_none());
    let address = logout::return_address(&request, client.as_deref())?;
    let session = visitor.signed_in.as_ref().map(|signed_in| &signed_in.session);
    let next = logout::decide(session, valid_hint.as_ref());
    Ok((address, client.map(|client| client.name.clone()), next))
}

async fn end(app: &App, signed_in: &SignedIn) -> Result<()> {
    let session = signed_in.session.id;
    let revocation = revocation(app, Revoked::Session(session), app.clock.now());
    let outcome = app.store.end_session(session, &revocation).await?;
    app.directory.note(revocation);
    if outcome == SignOut::Ended {
        Event::SignedOut { user: signed_in.user.id, session }.emit();
    }
    Ok(())
}

//! A person answers for a device
//! ([RFC 8628 §3.3](https://www.rfc-editor.org/rfc/rfc8628#section-3.3)).
//!
//! A code is looked for only when somebody has signed in, and only in answer to a form of ours: a
//! stranger learns nothing by typing codes, and no link can use up somebody's attempts. Until then it
//! travels sealed in the browser's own pages, like a request that waits for a sign-in.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{WRONG_CODES, network};
use crate::{
    flows::{
        App, Result,
        events::Event,
        pending,
        sessions::{SignedIn, Visitor},
    },
    model::{Approval, Client, DeviceRequest, DeviceState, GrantType, ResourceServer},
    protocol::{ErrorCode::InvalidRequest, OAuthError},
    storage::Entry,
    values::{DeviceId, SessionId, Timestamp, UserCode},
};

/// The longest text that is shown again as it was typed, in characters.
const LONGEST_TYPED: usize = 32;

/// The pages at `/device`, and the sign-in page on the way there.
const PAGE: &str = "device";
const SIGN_IN: &str = "device sign-in";

/// What the browser is shown next.
#[derive(Debug)]
pub enum Step {
    /// This page, which carries what is sealed.
    Show(Page, String),
    /// The page at `/device` that carries what is sealed.
    Go(String),
    /// The sign-in page, which carries what is sealed.
    SignIn(String),
    /// That it is done.
    Done(Answer),
}

/// A page at `/device`.
#[derive(Debug)]
pub enum Page {
    /// Which code does your device show?
    Enter {
        /// What was typed so far.
        typed: String,
        /// What was wrong with it.
        problem: Option<Problem>,
    },
    /// Is it your device that shows this code, and may it do this?
    Confirm(Box<Question>),
}

/// Why a code leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// It is no code at all.
    Malformed,
    /// No device waits under it.
    Wrong,
    /// It came after too many that were wrong.
    TooMany,
    /// Its device has been answered for, or has waited too long.
    Over,
}

/// What a person is asked about a device.
#[derive(Debug)]
pub struct Question {
    /// The request.
    pub device: DeviceRequest,
    /// The code to compare.
    pub user_code: String,
    /// Who asks.
    pub client: Arc<Client>,
    /// The APIs that it wants to use.
    pub apis: Vec<ResourceServer>,
}

/// What a person answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It may.
    Allow,
    /// It may not.
    Deny,
}

/// What a page carries.
#[derive(Serialize, Deserialize)]
struct Errand {
    begun_at: Timestamp,
    stage: Stage,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// A code is to be typed.
    Enter { typed: String, problem: Option<Problem> },
    /// A code was typed, and somebody must sign in before it is looked for.
    Typed { code: String },
    /// A device waits under the code. Whose answer the page asks for is known once it is shown.
    Found { device: DeviceId, code: String, shown_to: Option<SessionId> },
}

/// The page for a code. One that came with the address is filled in, and nothing is done about it until
/// the person goes on (RFC 8628 §3.3.1).
#[must_use]
pub fn begin(app: &App, typed: &str, visitor: &Visitor) -> Step {
    enter_again(app, typed, None, visitor)
}

/// A page is opened that an earlier step led to.
pub async fn open(app: &App, sealed: &str, visitor: &Visitor) -> Result<Step> {
    let errand = Errand::open(app, PAGE, sealed, visitor)?;
    let (id, code) = match errand.stage {
        Stage::Enter { typed, problem } => {
            return Ok(enter_again(app, &typed, problem, visitor));
        }
        Stage::Found { device, code, .. } => (device, code),
        Stage::Typed { .. } => return Err(misplaced().into()),
    };
    let Some(signed_in) = &visitor.signed_in else { return Ok(sign_in(app, code, visitor)) };

    match question(app, id, code.clone()).await? {
        Some(question) => {
            let shown_to = Some(signed_in.session.id);
            let sealed = seal(app, PAGE, Stage::Found { device: id, code, shown_to }, visitor);
            Ok(Step::Show(Page::Confirm(Box::new(question)), sealed))
        }
        None => Ok(enter_again(app, "", Some(Problem::Over), visitor)),
    }
}

/// Somebody has typed a code.
pub async fn enter(
    app: &App,
    sealed: &str,
    typed: &str,
    visitor: &Visitor,
    from: Option<IpAddr>,
) -> Result<Step> {
    // Only a page that we showed may try a code.
    Errand::open(app, PAGE, sealed, visitor)?;
    let Ok(code) = typed.parse::<UserCode>() else {
        return Ok(go(app, typed, Problem::Malformed, visitor));
    };
    match &visitor.signed_in {
        Some(signed_in) => look_for(app, code, signed_in, visitor, from).await,
        None => Ok(sign_in(app, code.expose(), visitor)),
    }
}

/// Whether the sign-in page carries a code that was typed, and not an authorization request.
#[must_use]
pub fn waits(app: &App, sealed: &str, visitor: &Visitor) -> bool {
    Errand::open(app, SIGN_IN, sealed, visitor).is_ok()
}

/// The person has signed in, and the code that was typed before is looked for.
pub async fn resume(
    app: &App,
    sealed: &str,
    visitor: &Visitor,
    from: Option<IpAddr>,
) -> Result<Step> {
    let errand = Errand::open(app, SIGN_IN, sealed, visitor)?;
    let Stage::Typed { code } = errand.stage else { return Err(misplaced().into()) };
    let code: UserCode = code.parse().map_err(|_| misplaced())?;
    match &visitor.signed_in {
        Some(signed_in) => look_for(app, code, signed_in, visitor, from).await,
        None => Ok(sign_in(app, code.expose(), visitor)),
    }
}

/// The person answers what the page asked: about exactly the device that it showed, and only if it was
/// shown to this very session.
pub async fn answer(app: &App, sealed: &str, answer: Answer, visitor: &Visitor) -> Result<Step> {
    let now = app.clock.now();
    let errand = Errand::open(app, PAGE, sealed, visitor)?;
    let Stage::Found { device, code, shown_to } = errand.stage else {
        return Err(misplaced().into());
    };
    let Some(signed_in) = &visitor.signed_in else { return Ok(sign_in(app, code, visitor)) };
    if shown_to != Some(signed_in.session.id) {
        let stage = Stage::Found { device, code, shown_to: None };
        return Ok(Step::Go(seal(app, PAGE, stage, visitor)));
    }
    let Some(Question { client, .. }) = question(app, device, code).await? else {
        return Ok(go(app, "", Problem::Over, visitor));
    };

    let (user, session) = (signed_in.user.id, signed_in.session.id);
    let authentication = signed_in.session.authentication.clone();
    let answered = match answer {
        Answer::Allow => {
            app.store.allow_device(device, &Approval { user, authentication }, now).await?
        }
        Answer::Deny => app.store.deny_device(device, now).await?,
    };

    if !answered {
        return Ok(go(app, "", Problem::Over, visitor));
    }
    match answer {
        Answer::Allow => Event::DeviceAllowed { user, session, client: &client.id }.emit(),
        Answer::Deny => Event::DeviceDenied { user, client: &client.id }.emit(),
    }
    Ok(Step::Done(answer))
}

/// Look for the device that waits under a code. Whoever types wrong ones is counted by the database,
/// and the address that they come from by this node.
async fn look_for(
    app: &App,
    code: UserCode,
    signed_in: &SignedIn,
    visitor: &Visitor,
    from: Option<IpAddr>,
) -> Result<Step> {
    let now = app.clock.now();
    let (user, guesses) = (signed_in.user.id, &app.device_limits.guesses);
    let from = from.map(network);
    if from.is_some_and(|from| guesses.is_used_up(&from, now)) {
        return Ok(go(app, "", Problem::TooMany, visitor));
    }
    let hashes = app.keys.user_code_hashes(&code);

    match app.store.enter_user_code(user, &hashes, WRONG_CODES, now).await? {
        Entry::Found(device) => {
            let stage = Stage::Found { device: device.id, code: code.expose(), shown_to: None };
            Ok(Step::Go(seal(app, PAGE, stage, visitor)))
        }
        Entry::Wrong => {
            if let Some(from) = from {
                guesses.admits(from, now);
            }
            Ok(go(app, &code.expose(), Problem::Wrong, visitor))
        }
        Entry::TooMany => {
            Event::UserCodesGuessed { user }.emit();
            Ok(go(app, "", Problem::TooMany, visitor))
        }
    }
}

/// What to ask about a device: nothing, if it no longer waits or its client may no longer ask.
async fn question(app: &App, id: DeviceId, user_code: String) -> Result<Option<Question>> {
    let now = app.clock.now();
    let waiting =
        |device: &DeviceRequest| device.state == DeviceState::Pending && now < device.expires_at;
    let Some(device) = app.store.device(id).await?.filter(waiting) else { return Ok(None) };
    let client = app.directory.client(&device.client).await?;
    let may_ask = |client: &Arc<Client>| {
        client.disabled_at.is_none() && client.may_use(GrantType::DeviceCode)
    };
    let Some(client) = client.filter(may_ask) else { return Ok(None) };

    let known = app.directory.apis();
    let reached = known.catalogue.reach(&device.scope, &device.resources);
    let apis = known.catalogue.resources().iter().filter(|api| reached.contains(&api.id));
    let apis = apis.cloned().collect();
    Ok(Some(Question { device, user_code, client, apis }))
}

fn enter_again(app: &App, typed: &str, problem: Option<Problem>, visitor: &Visitor) -> Step {
    let typed: String = typed.chars().take(LONGEST_TYPED).collect();
    let sealed = seal(app, PAGE, Stage::Enter { typed: typed.clone(), problem }, visitor);
    Step::Show(Page::Enter { typed, problem }, sealed)
}

fn go(app: &App, typed: &str, problem: Problem, visitor: &Visitor) -> Step {
    let typed = typed.chars().take(LONGEST_TYPED).collect();
    Step::Go(seal(app, PAGE, Stage::Enter { typed, problem: Some(problem) }, visitor))
}

fn sign_in(app: &App, code: String, visitor: &Visitor) -> Step {
    Step::SignIn(seal(app, SIGN_IN, Stage::Typed { code }, visitor))
}

fn seal(app: &App, page: &str, stage: Stage, visitor: &Visitor) -> String {
    let errand = Errand { begun_at: app.clock.now(), stage };
    pending::seal(app, page, &visitor.browser, &errand)
}

impl Errand {
    fn open(
        app: &App,
        page: &str,
        sealed: &str,
        visitor: &Visitor,
    ) -> std::result::Result<Self, OAuthError> {
        let errand: Self = pending::open(app, page, &visitor.browser, sealed)?;
        pending::check_age(app, errand.begun_at)?;
        Ok(errand)
    }
}

fn misplaced() -> OAuthError {
    InvalidRequest.because("this form belongs to another page")
}

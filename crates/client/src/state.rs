//! What a token source holds, and what is to be done about it. Pure: the clock and the errands are
//! its caller's.

use std::time::Duration;

use tokio::sync::watch;

use crate::{
    AccessToken, Error,
    clock::{Deadline, Moment},
    random,
};

/// At which part of its life, in per cent, a token is renewed: somewhere in between, so that a
/// thousand programs that started together do not ask together.
const RENEWED: (u32, u32) = (75, 90);

/// How long it is before a failed request is made again: twice as long each time, up to the latter.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// For how long a token that replaced a rejected one is not rejected again: an API that refuses one
/// fresh token after the other does not refuse them for their age.
const TRUSTED: Duration = Duration::from_secs(30);

/// What came of asking for a token.
pub(crate) type Outcome = Result<AccessToken, Error>;

/// The end of an errand, for everybody who waits for it.
pub(crate) type Pending = watch::Receiver<Option<Outcome>>;

/// A token, and what was found while it was obtained.
#[derive(Clone, Debug)]
pub(crate) struct Obtained {
    pub(crate) token: AccessToken,
    /// When it ends; never, as far as anybody knows, if this is missing.
    pub(crate) ends: Option<Deadline>,
    /// For how long it is good from now on.
    pub(crate) lifetime: Duration,
    /// Why it is still the old one.
    pub(crate) failed: Option<Error>,
}

/// What a source holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    held: Option<Held>,
    rejected: Option<AccessToken>,
    errand: Option<Pending>,
    failures: u32,
    failed: Option<Failed>,
}

#[derive(Debug)]
struct Held {
    token: AccessToken,
    ends: Option<Deadline>,
    renewal: Option<Deadline>,
    trusted: Option<Deadline>,
}

#[derive(Debug)]
struct Failed {
    error: Error,
    until: Duration,
}

/// What whoever wants a token is to do.
#[derive(Debug)]
pub(crate) enum Next {
    /// Take this one.
    Take(AccessToken),
    /// Take this one, and begin an errand for the next.
    TakeAndBegin(AccessToken),
    /// Wait for the errand that is under way.
    Wait(Pending),
    /// Begin one, and wait for it.
    Begin,
    /// Give up: it failed a moment ago.
    GiveUp(Error),
}

impl State {
    pub(crate) fn next(&self, moment: Moment) -> Next {
        // A sender that is gone without a word belonged to an errand whose runtime ended.
        let errand = self.errand.as_ref().filter(|errand| errand.has_changed().is_ok());
        let failed = self.failed.as_ref().filter(|failed| moment.elapsed < failed.until);
        let alive = |held: &&Held| held.ends.is_none_or(|ends| !ends.passed(moment));
        if let Some(held) = self.held.as_ref().filter(alive) {
            let due = held.renewal.is_some_and(|renewal| renewal.passed(moment));
            let begin = due && errand.is_none() && failed.is_none();
            let token = held.token.clone();
            return if begin { Next::TakeAndBegin(token) } else { Next::Take(token) };
        }
        match (errand, failed) {
            (Some(errand), _) => Next::Wait(errand.clone()),
            (None, Some(failed)) => Next::GiveUp(failed.error.clone()),
            (None, None) => Next::Begin,
        }
    }

    /// An errand begins. The token that was rejected is the one that must not come back.
    pub(crate) fn begin(&mut self, errand: Pending) -> Option<AccessToken> {
        self.errand = Some(errand);
        self.rejected.clone()
    }

    /// An errand is over.
    pub(crate) fn end(&mut self, result: Result<Obtained, Error>, moment: Moment) -> Outcome {
        self.errand = None;
        match result {
            Ok(obtained) => {
                let token = obtained.token.clone();
                let failed = obtained.failed.clone();
                self.hold(obtained, moment);
                self.failed = None;
                if let Some(error) = failed {
                    self.rest(error, moment);
                } else {
                    self.failures = 0;
                }
                Ok(token)
            }
            Err(error) => {
                self.rest(error.clone(), moment);
                Err(error)
            }
        }
    }

    fn hold(&mut self, obtained: Obtained, moment: Moment) {
        let renewal = match (&obtained.failed, obtained.ends) {
            (_, None) => None,
            (Some(_), Some(_)) => Some(moment.plus(Duration::ZERO)),
            (None, Some(_)) => {
                Some(moment.plus(random::between(obtained.lifetime, RENEWED.0, RENEWED.1)))
            }
        };
        let replaces_rejected = self.rejected.take().is_some();
        let trusted = replaces_rejected.then(|| moment.plus(TRUSTED));
        self.held = Some(Held { token: obtained.token, ends: obtained.ends, renewal, trusted });
    }

    fn rest(&mut self, error: Error, moment: Moment) {
        let rest = REST.0.saturating_mul(1 << self.failures.min(10)).min(REST.1);
        self.failures = self.failures.saturating_add(1);
        let rest = random::between(rest, 50, 100).max(error.retry_after().unwrap_or_default());
        self.failed = Some(Failed { error, until: moment.elapsed.saturating_add(rest) });
    }

    /// An API did not accept this token. It is dropped if it is the one that is held: of a thousand
    /// who say so of the same, the first one counts.
    pub(crate) fn reject(&mut self, token: &AccessToken, moment: Moment) -> bool {
        let Some(held) = self.held.as_ref().filter(|held| held.token.is(token)) else {
            return false;
        };
        if held.trusted.is_some_and(|trusted| !trusted.passed(moment)) {
            return false;
        }
        self.held = None;
        self.rejected = Some(token.clone());
        true
    }
}

#[cfg(test)]
mod tests {
    use signet_jwt::Timestamp;

    use super::*;

    fn at(seconds: u64) -> Moment {
        let now = Timestamp(1_800_000_000 + i64::try_from(seconds).unwrap());
        Moment { now, elapsed: Duration::from_secs(seconds) }
    }

    fn token(value: &str) -> AccessToken {
        AccessToken::bearer(value).unwrap()
    }

    fn obtained(value: &str, moment: Moment) -> Obtained {
        let lifetime = Duration::from_secs(1000);
        let ends = Some(moment.plus(lifetime));
        Obtained { token: token(value), ends, lifetime, failed: None }
    }

    fn holding(value: &str) -> State {
        let mut state = State::default();
        state.end(Ok(obtained(value, at(0))), at(0)).unwrap();
        state
    }

    fn outage() -> Error {
        let (url, status) = ("https://id.test/token".to_owned(), http::StatusCode::BAD_GATEWAY);
        Error::Unavailable { url, status, retry_after: None }
    }

    #[test]
    fn a_token_is_renewed_while_it_is_still_served() {
        let state = holding("one");
        assert!(matches!(state.next(at(749)), Next::Take(_)));
        assert!(matches!(state.next(at(901)), Next::TakeAndBegin(_)));
        assert!(matches!(state.next(at(999)), Next::TakeAndBegin(_)));
        assert!(matches!(state.next(at(1000)), Next::Begin));
    }

    #[test]
    fn one_errand_is_under_way_at_a_time() {
        let mut state = holding("one");
        let (_done, pending) = watch::channel(None);
        assert!(state.begin(pending).is_none());
        assert!(matches!(state.next(at(901)), Next::Take(_)));
        assert!(matches!(state.next(at(1000)), Next::Wait(_)));
    }

    #[test]
    fn an_errand_whose_runtime_ended_is_begun_again() {
        let mut state = State::default();
        let (done, pending) = watch::channel(None);
        state.begin(pending);
        drop(done);
        assert!(matches!(state.next(at(0)), Next::Begin));
    }

    #[test]
    fn failures_are_spaced_ever_further_apart_and_no_further_than_a_minute() {
        let mut state = State::default();
        let mut now = 0;
        for most in [1, 2, 4, 8, 16, 32, 60, 60] {
            state.end(Err(outage()), at(now)).unwrap_err();
            let rest = state.failed.as_ref().unwrap().until.checked_sub(at(now).elapsed).unwrap();
            let most = Duration::from_secs(most);
            assert!(rest >= most / 2 && rest <= most, "{rest:?} of {most:?}");
            assert!(matches!(state.next(at(now)), Next::GiveUp(_)));
            now += 60;
            assert!(matches!(state.next(at(now)), Next::Begin));
        }
        state.end(Ok(obtained("one", at(now))), at(now)).unwrap();
        assert_eq!(state.failures, 0);
    }

    #[test]
    fn a_rejection_counts_for_the_token_that_is_held() {
        let mut state = holding("one");
        assert!(!state.reject(&token("zero"), at(1)));
        assert!(state.reject(&token("one"), at(1)));
        assert!(!state.reject(&token("one"), at(1)));
        let (_done, pending) = watch::channel(None);
        assert!(state.begin(pending).unwrap().is(&token("one")));
        state.end(Ok(obtained("two", at(2))), at(2)).unwrap();
        assert!(!state.reject(&token("one"), at(3)));
        // An API that refuses whatever it is shown causes no storm.
        assert!(!state.reject(&token("two"), at(3)));
        assert!(state.reject(&token("two"), at(40)));
    }

    #[test]
    fn an_old_token_that_could_not_be_renewed_is_served_and_tried_again() {
        let mut state = State::default();
        let old = Obtained { failed: Some(outage()), ..obtained("one", at(0)) };
        state.end(Ok(old), at(0)).unwrap();
        assert!(matches!(state.next(at(0)), Next::Take(_)));
        assert!(matches!(state.next(at(2)), Next::TakeAndBegin(_)));
    }
}

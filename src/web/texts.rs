//! What people read, language by language: `locales/*.toml`, read once and checked when it is read.
//! Templates have no words of their own.

use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::LazyLock};

use askama::filters;
use serde::{Deserialize, Deserializer, de};

use crate::protocol::{ErrorCode, claims};

/// Every language, the one that is spoken to strangers first.
static ALL: LazyLock<Vec<Texts>> = LazyLock::new(|| {
    let files = [include_str!("locales/en.toml")];
    files.map(|file| read(file).expect("the locales are in order, as a test shows")).into()
});

/// The texts of one language: a table for each template.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    pub(super) lang: String,
    pub(super) dir: String,
    pub(super) page: Page,
    pub(super) links: Links,
    pub(super) login: Login,
    pub(super) select_account: SelectAccount,
    pub(super) consent: Consent,
    pub(super) device: Device,
    pub(super) device_confirm: DeviceConfirm,
    pub(super) device_done: DeviceDone,
    pub(super) logout: Logout,
    pub(super) logged_out: LoggedOut,
    pub(super) signed_in: SignedIn,
    pub(super) form_post: FormPost,
    pub(super) error: Error,
    pub(super) scopes: Scopes,
    errors: BTreeMap<String, String>,
    claims: BTreeMap<String, String>,
}

macro_rules! tables {
    ($($name:ident { $($text:ident: $kind:ty),+ $(,)? })+) => { $(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name { $(pub(super) $text: $kind),+ }
    )+ };
}

tables! {
    Page { brand: String, request: String }
    Links { policy: String, terms: String }
    Login {
        title: String, lead: Phrase<OfClient>, again: Phrase<OfAccount>, wrong: String,
        username: String, password: String, submit: String, cancel: String,
    }
    SelectAccount {
        title: String, lead: Phrase<OfClient>, go_on: Phrase<OfAccount>, other: String,
        cancel: String,
    }
    Consent {
        title: String, heading: Phrase<OfClient>, lead: Phrase<OfAccountAndHost>, loopback: String,
        scopes: String, new: String, claims: String, audiences: String, allow: String, deny: String,
    }
    Device {
        title: String, lead: String, sign_in: String, code: String, submit: String,
        malformed: String, wrong: String, too_many: String, over: String,
    }
    DeviceConfirm {
        title: String, heading: Phrase<OfClient>, lead: Phrase<OfAccount>, code: String,
        caution: String, asker: String, address: String, program: String, unknown: String,
        scopes: String, audiences: String, allow: String, deny: String,
    }
    DeviceDone { allowed: String, allowed_text: String, denied: String, denied_text: String }
    Logout {
        title: String, asked: Phrase<OfClient>, account: Phrase<OfAccount>, submit: String,
        stay: String,
    }
    LoggedOut { title: String, text: String }
    SignedIn { title: String, text: Phrase<OfAccount> }
    FormPost { title: String, text: String, go_on: String }
    Error {
        refused: String, stale: String, stale_cause: String, foreign: String, foreign_cause: String,
        busy: String, busy_cause: String, failed: String, failed_cause: String, start_again: String,
        tell: String, code: String, details: String, request: String,
    }
    Scopes {
        openid: String, profile: String, email: String, address: String, phone: String,
        offline_access: String, api: Phrase<OfApiAndScope>, other: Phrase<OfScope>,
    }
}

impl Texts {
    /// Why a request cannot be answered.
    pub(super) fn cause(&self, code: ErrorCode) -> &str {
        &self.errors[code.as_str()]
    }

    /// What a claim tells of a person.
    pub(super) fn claim<'a>(&'a self, claim: &'a str) -> &'a str {
        self.claims.get(claim).map_or(claim, String::as_str)
    }
}

/// The language that a client wishes for its person (`ui_locales`), or that the browser speaks.
pub(super) fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> &'static Texts {
    let wished = ui_locales.unwrap_or("").split(' ');
    let accepted = by_preference(accept_language.unwrap_or(""));
    wished.chain(accepted).find_map(spoken).unwrap_or(&ALL[0])
}

/// Read every language now: what is wrong with one stops the start, and not the first person.
pub(super) fn load() {
    LazyLock::force(&ALL);
}

/// The text of a language or, where that is not spoken, of the wider one around it
/// ([RFC 4647 §3.4](https://www.rfc-editor.org/rfc/rfc4647#section-3.4)).
fn spoken(tag: &str) -> Option<&'static Texts> {
    let found = ALL.iter().find(|texts| texts.lang.eq_ignore_ascii_case(tag));
    found.or_else(|| spoken(tag.rsplit_once('-')?.0))
}

/// The tags of an `Accept-Language` header
/// ([RFC 9110 §12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4)), the dearest first.
fn by_preference(header: &str) -> impl Iterator<Item = &str> {
    let weighed = header.split(',').map(|part| {
        let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
        (tag.trim(), weight.trim().parse::<f32>().unwrap_or(0.0))
    });
    let mut weighed: Vec<_> = weighed.filter(|(_, weight)| *weight > 0.0).collect();
    weighed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    weighed.into_iter().map(|(tag, _)| tag)
}

fn read(file: &str) -> Result<Texts, String> {
    let texts: Texts = toml::from_str(file).map_err(|why| why.to_string())?;
    let codes = ErrorCode::ALL.iter().map(|code| code.as_str());
    let missing = codes.filter(|code| !texts.errors.contains_key(*code));
    let missing =
        missing.chain(claims::supported().filter(|claim| !texts.claims.contains_key(*claim)));
    match missing.collect::<Vec<_>>().as_slice() {
        [] => Ok(texts),
        missing => Err(format!("{}: no text for {missing:?}", texts.lang)),
    }
}

/// What a phrase says of somebody or something.
pub(super) trait Slots {
    const NAMES: &'static [&'static str];

    fn value(&self, name: &str) -> &str;
}

macro_rules! slots {
    ($($name:ident { $($slot:ident),+ })+) => { $(
        pub(super) struct $name { $(pub(super) $slot: String),+ }

        impl Slots for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($slot)),+];

            fn value(&self, name: &str) -> &str {
                match name { $(stringify!($slot) => &self.$slot,)+ _ => "" }
            }
        }
    )+ };
}

slots! {
    OfClient { client }
    OfAccount { account }
    OfAccountAndHost { account, host }
    OfApiAndScope { api, scope }
    OfScope { scope }
}

/// A phrase with every slot of `S` in it, once.
pub(super) struct Phrase<S> {
    pieces: Vec<Piece>,
    slots: PhantomData<fn(S)>,
}

enum Piece {
    Words(String),
    Slot(String),
}

/// Text for a page that is escaped already.
pub(super) struct Markup(String);

/// Text without slots, where a phrase may stand as well.
pub(super) fn verbatim(text: &str) -> Markup {
    Markup(escape(text))
}

fn escape(text: &str) -> String {
    filters::escape(text, filters::Html).map_or(String::new(), |text| text.to_string())
}

impl<S: Slots> Phrase<S> {
    /// The phrase, with what people have chosen as their names kept from turning the words around it.
    pub(super) fn fill(&self, values: &S) -> Markup {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Words(words) => escape(words),
            Piece::Slot(name) => format!("<bdi>{}</bdi>", escape(values.value(name))),
        });
        Markup(pieces.collect())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((words, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("a slot has no end")?;
            pieces.extend([Piece::Words(words.to_owned()), Piece::Slot(name.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Words(rest.to_owned()));

        let mut found: Vec<_> = pieces.iter().filter_map(Piece::slot).collect();
        let mut expected = S::NAMES.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        if found == expected {
            Ok(Self { pieces, slots: PhantomData })
        } else {
            Err(format!("{text:?} has the slots {found:?} and not {expected:?}"))
        }
    }
}

impl Piece {
    fn slot(&self) -> Option<&str> {
        match self {
            Self::Slot(name) => Some(name),
            Self::Words(_) => None,
        }
    }
}

impl<'de, S: Slots> Deserialize<'de> for Phrase<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl filters::HtmlSafe for Markup {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::metadata::UI_LOCALES;

    #[test]
    fn every_language_is_complete_and_announced() {
        let spoken: Vec<_> = ALL.iter().map(|texts| texts.lang.as_str()).collect();
        assert_eq!(spoken, UI_LOCALES);
    }

    #[test]
    fn a_text_that_nobody_shows_or_that_is_missing_is_found_when_it_is_read() {
        let english = include_str!("locales/en.toml");
        assert!(read(english).is_ok());
        for (from, to) in [
            ("[page]", "[page]\nunknown = \"x\""),
            ("submit = \"Sign in\"", ""),
            ("invalid_grant = ", "invalid_grunt = "),
            ("birthdate = ", "birthdat = "),
            ("to continue to {client}", "to continue to {klient}"),
            ("to continue to {client}", "to continue"),
            ("to continue to {client}", "to continue to {client}, {client}"),
            ("to continue to {client}", "to continue to {client"),
        ] {
            assert!(english.contains(from), "{from}");
            assert!(read(&english.replacen(from, to, 1)).is_err(), "{to}");
        }
    }

    #[test]
    fn what_stands_in_a_slot_is_text_and_turns_nothing_around() {
        let phrase = Phrase::<OfClient>::parse("to {client} & back").unwrap();
        let client = "<b>\u{5d0}</b>".to_owned();
        assert_eq!(
            phrase.fill(&OfClient { client }).to_string(),
            "to <bdi>&#60;b&#62;\u{5d0}&#60;/b&#62;</bdi> &#38; back"
        );
    }

    #[test]
    fn the_clients_wish_comes_before_the_browsers() {
        let header = "fr;q=0.5, de-AT, *;q=0.1, it;q=0, en;q=0.8";
        assert_eq!(by_preference(header).collect::<Vec<_>>(), ["de-AT", "en", "fr", "*"]);
        for (wish, header) in
            [(Some("xx en-GB"), None), (None, Some("en-US")), (Some("../etc"), None), (None, None)]
        {
            assert_eq!(choose(wish, header).lang, "en");
        }
        assert!(spoken("en-Latn-GB").is_some());
        assert!(spoken("de").is_none() && spoken("").is_none());
    }
}

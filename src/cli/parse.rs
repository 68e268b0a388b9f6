//! How the values of options are read. What is wrong with one is said together with what is right.

use std::{net::IpAddr, str::FromStr};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ipnet::IpNet;

use crate::{
    flows::admin::{AuthMethod, Edit},
    model::GrantType,
    values::{
        Algorithm, ApiKeyId, ClientId, Email, GroupName, Permission, PostLogoutUri, RedirectUri,
        Resource, Role, RoleAddress, Scope, Username, WebUri,
    },
};

pub(super) fn client_id(text: &str) -> Result<ClientId, String> {
    read(text, "a client id has 1 to 512 visible ASCII characters without spaces")
}

pub(super) fn redirect_uri(text: &str) -> Result<RedirectUri, String> {
    read(text, ADDRESS_OF_A_CLIENT)
}

pub(super) fn post_logout_uri(text: &str) -> Result<PostLogoutUri, String> {
    read(text, ADDRESS_OF_A_CLIENT)
}

const ADDRESS_OF_A_CLIENT: &str = "give a whole address without a fragment: https, http on a \
    loopback host such as http://localhost:3000/callback, or a scheme of the app's own with a dot \
    in it, such as com.example.app:/callback";

pub(super) fn web_uri(text: &str) -> Result<WebUri, String> {
    read(text, "give a whole web address, such as https://www.example.com/page")
}

pub(super) fn resource(text: &str) -> Result<Resource, String> {
    read(
        text,
        "give a whole address without a fragment, such as https://api.example.com, http on a \
         loopback host, or a urn:",
    )
}

pub(super) fn username(text: &str) -> Result<Username, String> {
    read(text, "a username has 1 to 128 visible characters, without spaces and without @")
}

pub(super) fn email(text: &str) -> Result<Email, String> {
    read(text, "give an address such as alice@example.com")
}

pub(super) fn role(text: &str) -> Result<Role, String> {
    read(
        text,
        "a role has 1 to 64 letters, digits or the characters - _ : . (`signet role grant` gives \
         somebody a role of an API)",
    )
}

pub(super) fn role_address(text: &str) -> Result<RoleAddress, String> {
    read(
        text,
        "a role is named by its API's address, # and its own name, such as \
         https://api.example.com#editor",
    )
}

pub(super) fn permission(text: &str) -> Result<Permission, String> {
    read(text, "a permission has 1 to 128 letters, digits or the characters - _ : . /")
}

pub(super) fn group(text: &str) -> Result<GroupName, String> {
    read(text, "a group's name has 1 to 64 letters, digits or the characters - _ : .")
}

/// One or several scopes; none, if the text is empty.
pub(super) fn scope(text: &str) -> Result<Scope, String> {
    if text.is_empty() {
        return Ok(Scope::empty());
    }
    read(text, "scopes are words of ASCII characters without \" and \\, parted by single spaces")
}

pub(super) fn api_key_id(text: &str) -> Result<ApiKeyId, String> {
    read(
        text,
        "an API key is named by its identifier, such as 018f3c2e-7b1a-7000-8000-0123456789ab",
    )
}

/// An address or a network.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let one = text.parse::<IpAddr>().map(IpNet::from);
    one.or_else(|_| read(text, "give an IP address or a network, such as 192.0.2.0/24"))
}

/// Seconds, or a number with a unit.
pub(super) fn duration(text: &str) -> Result<i64, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, text.as_bytes().last().copied().unwrap_or(b's')),
        None => (text, b's'),
    };
    let seconds = match unit {
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        _ => 1,
    };
    let duration = number.parse::<u32>().ok().map(|number| i64::from(number) * seconds);
    duration.ok_or_else(|| {
        "give a number of seconds, or a number with m, h or d, such as 30d".to_owned()
    })
}

/// Text that pages show on one line.
pub(super) fn line(text: &str) -> Result<String, String> {
    let plain = !text.chars().any(char::is_control) && text.chars().count() <= 1024;
    plain.then(|| text.to_owned()).ok_or_else(|| "give one line of text".to_owned())
}

/// Text of several lines.
pub(super) fn lines(text: &str) -> Result<String, String> {
    text.split('\n').try_for_each(|each| line(each).map(drop)).map(|()| text.to_owned())
}

/// A value, or its removal if the text is empty.
pub(super) fn edit<T>(
    parse: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<Edit<T>, String> + Clone {
    move |text| if text.is_empty() { Ok(Edit::Remove) } else { parse(text).map(Edit::Set) }
}

pub(super) fn grant() -> impl TypedValueParser<Value = GrantType> {
    one_of(GrantType::ALL.map(GrantType::as_str))
}

pub(super) fn auth_method() -> impl TypedValueParser<Value = AuthMethod> {
    one_of(AuthMethod::ALL.map(AuthMethod::as_str))
}

pub(super) fn algorithm() -> impl TypedValueParser<Value = Algorithm> {
    one_of(Algorithm::ALL.map(Algorithm::as_str))
}

fn one_of<T, const N: usize>(names: [&'static str; N]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

fn read<T: FromStr>(text: &str, remedy: &str) -> Result<T, String> {
    text.parse().map_err(|_| remedy.to_owned())
}

/// The whole of a list that an option names one by one: nothing if the option was not given.
pub(super) fn list<T, C: FromIterator<T>>(edits: Vec<Edit<T>>) -> Option<C> {
    (!edits.is_empty()).then(|| edits.into_iter().filter_map(Edit::value).collect())
}

/// All scopes of an option that may be given several times.
pub(super) fn union(scopes: &[Scope]) -> Option<Scope> {
    let all = scopes.iter().fold(Scope::empty(), |all, scope| all.union(scope));
    (!scopes.is_empty()).then_some(all)
}

//! Claims about a person: which scope gives which
//! ([OpenID Connect Core §5.4](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims)),
//! and those asked for one by one
//! ([§5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter)).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{ErrorCode::InvalidRequest, OAuthError};
use crate::{
    model::{ClaimsRequest, User},
    values::Scope,
};

/// The claims of each scope.
const BY_SCOPE: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// Every claim about a person that this server can give.
pub fn supported() -> impl Iterator<Item = &'static str> {
    std::iter::once("sub").chain(BY_SCOPE.iter().flat_map(|(_, claims)| claims.iter().copied()))
}

/// What a request's `claims` parameter asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Claims about the person that its client may ask for.
    pub claims: ClaimsRequest,
    /// Classes of which the sign-in must reach one.
    pub essential_acrs: Vec<String>,
    /// The person that it must be.
    pub subject: Option<String>,
}

/// Read a `claims` parameter. Claims that no scope of the client's registration covers are left out,
/// as are those that we do not know.
///
/// # Errors
/// `invalid_request` when it is not the JSON object that §5.5 describes.
pub fn parse(text: &str, registered: &Scope) -> Result<Wishes, OAuthError> {
    let malformed = || InvalidRequest.because("claims is not a JSON object of claims requests");
    let mut members: Map<String, Value> = serde_json::from_str(text).map_err(|_| malformed())?;
    let mut member = |name: &str| match members.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(asked)) => Ok(asked),
        Some(_) => Err(malformed()),
    };
    let (userinfo, id_token) = (member("userinfo")?, member("id_token")?);
    if !userinfo.values().chain(id_token.values()).all(is_well_formed) {
        return Err(malformed());
    }
    // A class and a person are named by text; what is anything else can never be met.
    if ["acr", "sub"].iter().filter_map(|name| id_token.get(*name)).any(|wish| !names_text(wish)) {
        return Err(malformed());
    }

    let allowed = |asked: &Map<String, Value>| -> BTreeSet<String> {
        asked.keys().filter(|claim| is_covered(claim, registered)).cloned().collect()
    };
    let values = |claim: &str| -> Vec<String> {
        let wish = id_token.get(claim);
        let one = wish.and_then(|wish| wish.get("value")).into_iter();
        let several = wish.and_then(|wish| wish.get("values")).and_then(Value::as_array);
        one.chain(several.into_iter().flatten())
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    };
    let essential =
        id_token.get("acr").and_then(|wish| wish.get("essential")) == Some(&Value::Bool(true));
    Ok(Wishes {
        claims: ClaimsRequest { userinfo: allowed(&userinfo), id_token: allowed(&id_token) },
        essential_acrs: if essential { values("acr") } else { Vec::new() },
        subject: values("sub").into_iter().next(),
    })
}

fn is_well_formed(wish: &Value) -> bool {
    wish.is_null()
        || wish.as_object().is_some_and(|wish| {
            wish.get("essential").is_none_or(Value::is_boolean)
                && wish
                    .get("values")
                    .is_none_or(|values| values.as_array().is_some_and(|values| !values.is_empty()))
        })
}

fn names_text(wish: &Value) -> bool {
    let one = wish.get("value").into_iter();
    let several = wish.get("values").and_then(Value::as_array).into_iter().flatten();
    one.chain(several).all(Value::is_string)
}

/// Whether a scope of the registration includes the claim.
fn is_covered(claim: &str, registered: &Scope) -> bool {
    BY_SCOPE.iter().any(|(scope, claims)| claims.contains(&claim) && registered.contains(scope))
}

/// Those claims of `asked` that no granted scope gives already: what consent must name.
#[must_use]
pub fn beyond_scope(asked: &ClaimsRequest, granted: &Scope) -> BTreeSet<String> {
    asked.all().into_iter().filter(|claim| !is_covered(claim, granted)).collect()
}

/// What is known of `user` within `scope`, and of `single` claims.
#[must_use]
pub fn about(user: &User, scope: &Scope, single: &[String]) -> Map<String, Value> {
    let all = everything(user);
    all.into_iter()
        .filter(|(claim, _)| is_covered(claim, scope) || single.contains(claim))
        .collect()
}

/// What is known of `user` of these `single` claims.
#[must_use]
pub fn single(user: &User, single: &[String]) -> Map<String, Value> {
    about(user, &Scope::empty(), single)
}

fn everything(user: &User) -> Map<String, Value> {
    let mut claims = match serde_json::to_value(&user.profile) {
        Ok(Value::Object(claims)) => claims,
        _ => Map::new(),
    };
    claims.entry("preferred_username").or_insert_with(|| Value::String(user.username.to_string()));
    claims.insert("updated_at".to_owned(), json!(user.updated_at));
    if claims.contains_key("phone_number") {
        claims
            .insert("phone_number_verified".to_owned(), json!(user.profile.phone_number_verified));
    } else {
        claims.remove("phone_number_verified");
    }
    if let Some(email) = &user.email {
        claims.insert("email".to_owned(), json!(email));
        claims.insert("email_verified".to_owned(), json!(user.email_verified));
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn claims_that_the_client_may_not_ask_for_are_left_out() {
        let text = r#"{"userinfo":{"name":{"essential":true},"email":null,"secret":null}}"#;
        let wishes = parse(text, &scope("openid profile")).unwrap();
        assert_eq!(wishes.claims.userinfo, BTreeSet::from(["name".to_owned()]));
    }

    #[test]
    fn a_claims_parameter_that_is_not_a_request_is_refused() {
        let deep = "[".repeat(10_000);
        for text in ["", "x", "[]", "{\"userinfo\":1}", "{\"id_token\":{\"acr\":1}}", &deep] {
            assert!(parse(text, &scope("openid")).is_err(), "{text:.40}");
        }
    }

    #[test]
    fn an_essential_acr_names_what_the_sign_in_must_reach() {
        let text =
            r#"{"id_token":{"acr":{"essential":true,"values":["a","b"]},"sub":{"value":"u"}}}"#;
        let wishes = parse(text, &scope("openid")).unwrap();
        assert_eq!(wishes.essential_acrs, ["a", "b"]);
        assert_eq!(wishes.subject.as_deref(), Some("u"));
    }

    #[test]
    fn consent_names_only_the_claims_that_no_scope_gives() {
        let asked = ClaimsRequest {
            userinfo: BTreeSet::from(["name".to_owned(), "email".to_owned()]),
            ..ClaimsRequest::default()
        };
        assert_eq!(
            beyond_scope(&asked, &scope("openid profile")),
            BTreeSet::from(["email".to_owned()])
        );
    }
}

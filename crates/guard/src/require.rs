//! What a request needs beyond a good token.

use std::fmt;

use signet_jwt::{Scope, Timestamp};

use crate::caller::Caller;

/// What a caller must have. Made by [`scope`], [`role`], [`permission`], [`sign_in_class`],
/// [`signed_in_within`] and [`anybody`], and put together with [`and`](Self::and) and [`or`](Self::or).
///
/// ```
/// use signet_guard::{permission, role, scope};
///
/// let required = scope("orders:write").and(role("clerk").or(permission("orders.correct")));
/// assert_eq!(required.to_string(), "scope orders:write and (role clerk or permission orders.correct)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Require(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Anybody,
    Scope(Scope),
    Role(String),
    Permission(String),
    Class(String),
    SignedInWithin(u32),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// What a caller lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lacking {
    /// Another sign-in, or one more of it
    /// ([RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).
    SignIn { class: Option<String>, within: Option<u32> },
    /// Scope. This is all of it that the request needs.
    Scope(Scope),
    /// A role or a permission, which no other token will bring.
    Right,
}

/// Everybody with a token for this API.
#[must_use]
pub fn anybody() -> Require {
    Require(Node::Anybody)
}

/// Everybody with this scope, or all of these if the text has several with spaces between them.
///
/// # Panics
///
/// When the text is no scope: it is a part of your program.
#[must_use]
pub fn scope(scope: &str) -> Require {
    let scope: Scope = scope.parse().expect("a scope is of visible characters, not quotes");
    Require(Node::Scope(scope))
}

/// Everybody with this role at this API.
#[must_use]
pub fn role(role: impl Into<String>) -> Require {
    Require(Node::Role(role.into()))
}

/// Everybody whose roles permit this at this API.
#[must_use]
pub fn permission(permission: impl Into<String>) -> Require {
    Require(Node::Permission(permission.into()))
}

/// Everybody whose sign-in was of exactly this class, `acr`. Others are asked to sign in again (RFC 9470).
///
/// # Panics
///
/// When the text has spaces, quotes or anything that is not visible ASCII: it is a part of your program.
#[must_use]
pub fn sign_in_class(acr: &str) -> Require {
    let fits = !acr.is_empty() && acr.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    assert!(fits && !acr.contains('\\'), "an acr value is of visible characters, not quotes");
    Require(Node::Class(acr.to_owned()))
}

/// Everybody who has signed in within so many seconds. Others are asked to sign in again (RFC 9470).
#[must_use]
pub fn signed_in_within(seconds: u32) -> Require {
    Require(Node::SignedInWithin(seconds))
}

impl Require {
    /// This and the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Node::All(mut all), Node::All(others)) => {
                all.extend(others);
                Node::All(all)
            }
            (Node::All(mut all), other) => {
                all.push(other);
                Node::All(all)
            }
            (first, other) => Node::All(vec![first, other]),
        })
    }

    /// This or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Node::Any(mut any), other) => {
                any.push(other);
                Node::Any(any)
            }
            (first, other) => Node::Any(vec![first, other]),
        })
    }

    /// Whether a caller has it. What your own code needs of it, without a request.
    #[must_use]
    pub fn met_by(&self, caller: &Caller, now: Timestamp) -> bool {
        self.check(caller, now).is_ok()
    }

    pub(crate) fn check(&self, caller: &Caller, now: Timestamp) -> Result<(), Lacking> {
        self.0.check(caller, now)
    }

    /// The scope to ask for, by whoever has no token yet.
    pub(crate) fn scope(&self) -> Scope {
        self.0.scope()
    }
}

impl Node {
    fn check(&self, caller: &Caller, now: Timestamp) -> Result<(), Lacking> {
        match self {
            Self::Anybody => Ok(()),
            Self::Scope(scope) if scope.iter().all(|each| caller.has_scope(each)) => Ok(()),
            Self::Scope(scope) => Err(Lacking::Scope(scope.clone())),
            Self::Role(role) => right(caller.has_role(role)),
            Self::Permission(permission) => right(caller.may(permission)),
            Self::Class(class) if caller.sign_in_class() == Some(class) => Ok(()),
            Self::Class(class) => Err(Lacking::SignIn { class: Some(class.clone()), within: None }),
            Self::SignedInWithin(seconds) => signed_in_within_of(caller, *seconds, now),
            Self::All(all) => self.check_all(all, caller, now),
            Self::Any(any) => check_any(any, caller, now),
        }
    }

    /// What no other token will bring is said first; then scope, all that is needed at once; then how to
    /// sign in.
    fn check_all(&self, all: &[Self], caller: &Caller, now: Timestamp) -> Result<(), Lacking> {
        let lacking = all.iter().filter_map(|each| each.check(caller, now).err());
        match lacking.reduce(worst) {
            None => Ok(()),
            Some(Lacking::Scope(_)) => Err(Lacking::Scope(self.scope())),
            Some(lacking) => Err(lacking),
        }
    }

    fn scope(&self) -> Scope {
        match self {
            Self::Scope(scope) => scope.clone(),
            Self::All(all) => {
                all.iter().fold(Scope::empty(), |scope, each| scope.union(&each.scope()))
            }
            // One is enough: the first that is to be had by asking for it.
            Self::Any(any) => {
                any.iter().map(Self::scope).find(|scope| !scope.is_empty()).unwrap_or_default()
            }
            _ => Scope::empty(),
        }
    }
}

fn right(has: bool) -> Result<(), Lacking> {
    if has { Ok(()) } else { Err(Lacking::Right) }
}

fn signed_in_within_of(caller: &Caller, seconds: u32, now: Timestamp) -> Result<(), Lacking> {
    let recent = |at: Timestamp| now.since(at) <= i64::from(seconds);
    if caller.signed_in_at().is_some_and(recent) {
        return Ok(());
    }
    Err(Lacking::SignIn { class: None, within: Some(seconds) })
}

/// Of several ways, the one that is the easiest to go.
fn check_any(any: &[Node], caller: &Caller, now: Timestamp) -> Result<(), Lacking> {
    let mut lacking = None;
    for each in any {
        match each.check(caller, now) {
            Ok(()) => return Ok(()),
            Err(this) => {
                lacking = Some(match lacking {
                    Some(before) if rank(&before) <= rank(&this) => before,
                    _ => this,
                });
            }
        }
    }
    lacking.map_or(Ok(()), Err)
}

fn worst(one: Lacking, other: Lacking) -> Lacking {
    match (one, other) {
        (
            Lacking::SignIn { class, within },
            Lacking::SignIn { class: other_class, within: other_within },
        ) => Lacking::SignIn {
            class: class.or(other_class),
            within: within.into_iter().chain(other_within).min(),
        },
        (one, other) if rank(&one) >= rank(&other) => one,
        (_, other) => other,
    }
}

fn rank(lacking: &Lacking) -> u8 {
    match lacking {
        Lacking::SignIn { .. } => 0,
        Lacking::Scope(_) => 1,
        Lacking::Right => 2,
    }
}

impl fmt::Display for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => f.write_str("a token"),
            Self::Scope(scope) => write!(f, "scope {scope}"),
            Self::Role(role) => write!(f, "role {role}"),
            Self::Permission(permission) => write!(f, "permission {permission}"),
            Self::Class(class) => write!(f, "a sign-in of class {class}"),
            Self::SignedInWithin(seconds) => write!(f, "a sign-in within {seconds} s"),
            Self::All(all) => list(f, all, " and "),
            Self::Any(any) => list(f, any, " or "),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, nodes: &[Node], between: &str) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        match node {
            Node::All(_) | Node::Any(_) => write!(f, "({node})")?,
            node => write!(f, "{node}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::caller::fixtures::caller;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn with(claims: Value) -> Caller {
        caller(claims)
    }

    fn lacking(required: &Require, claims: Value) -> Option<Lacking> {
        required.check(&with(claims), NOW).err()
    }

    fn needs(text: &str) -> Lacking {
        Lacking::Scope(text.parse().unwrap())
    }

    #[test]
    fn scope_roles_and_permissions_are_looked_for_each_in_its_own_claim() {
        let claims = json!({"scope": "a b", "roles": ["r"], "permissions": ["p"]});
        for required in [anybody(), scope("a"), scope("a b"), role("r"), permission("p")] {
            assert_eq!(lacking(&required, claims.clone()), None, "{required}");
        }
        assert_eq!(lacking(&scope("r"), claims.clone()), Some(needs("r")));
        assert_eq!(lacking(&scope("a c"), claims.clone()), Some(needs("a c")));
        for required in [role("a"), role("p"), permission("a"), permission("r")] {
            assert_eq!(lacking(&required, claims.clone()), Some(Lacking::Right), "{required}");
        }
    }

    #[test]
    fn both_are_needed_and_all_the_scope_is_named_at_once() {
        let both = scope("a").and(scope("b")).and(role("r"));
        assert_eq!(lacking(&both, json!({"scope": "a b", "roles": ["r"]})), None);
        assert_eq!(lacking(&both, json!({"scope": "a", "roles": ["r"]})), Some(needs("a b")));
        assert_eq!(lacking(&both, json!({"scope": "a"})), Some(Lacking::Right));
    }

    #[test]
    fn one_of_two_is_enough_and_the_easier_one_is_asked_for() {
        let either = role("admin").or(scope("orders:read"));
        assert_eq!(lacking(&either, json!({"roles": ["admin"]})), None);
        assert_eq!(lacking(&either, json!({"scope": "orders:read"})), None);
        assert_eq!(lacking(&either, json!({})), Some(needs("orders:read")));
        assert_eq!(either.scope(), "orders:read".parse().unwrap());
    }

    /// RFC 9470 §3.
    #[test]
    fn a_sign_in_is_asked_for_when_it_is_weak_or_old() {
        let strong = sign_in_class("mfa").and(signed_in_within(300));
        let claims = |acr: &str, ago: i64| json!({"acr": acr, "auth_time": NOW.minus(ago)});
        assert_eq!(lacking(&strong, claims("mfa", 300)), None);
        let class = || Some("mfa".to_owned());
        let sign_in = |class, within| Some(Lacking::SignIn { class, within });
        assert_eq!(lacking(&strong, claims("pwd", 300)), sign_in(class(), None));
        assert_eq!(lacking(&strong, claims("mfa", 301)), sign_in(None, Some(300)));
        assert_eq!(lacking(&strong, json!({})), sign_in(class(), Some(300)));
        let all = strong.and(scope("a"));
        assert_eq!(lacking(&all, claims("pwd", 0)), Some(needs("a")));
    }
}

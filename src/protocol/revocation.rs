//! Revocation ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)), and the set of what is revoked
//! before its time.

use std::collections::HashMap;

use super::access_token::AccessClaims;
use crate::{
    model::{Revocation, Revoked},
    values::Timestamp,
};

/// What is revoked and matters still. Every node holds it in memory.
#[derive(Debug, Default)]
pub struct RevocationSet(HashMap<Revoked, (Timestamp, Timestamp)>);

impl RevocationSet {
    /// The set of these entries.
    pub fn new(entries: impl IntoIterator<Item = Revocation>) -> Self {
        let mut set = Self::default();
        entries.into_iter().for_each(|entry| set.add(entry));
        set
    }

    /// Add an entry.
    pub fn add(&mut self, entry: Revocation) {
        let times = self.0.entry(entry.what).or_insert((entry.at, entry.until));
        *times = (times.0.max(entry.at), times.1.max(entry.until));
    }

    /// Forget what matters no more, since every token that it reached has expired.
    pub fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, (_, until)| *until > now);
    }

    /// Whether the token with these claims is dead.
    #[must_use]
    pub fn reaches(&self, token: &AccessClaims) -> bool {
        // A token and a family never come back; a session's offline grants, a client and a person may.
        let dead = |what: &Revoked| self.0.contains_key(what);
        let old = |what: &Revoked| self.0.get(what).is_some_and(|(at, _)| token.iat <= *at);
        dead(&Revoked::Token(token.jti.clone()))
            || token.family.is_some_and(|family| {
                dead(&Revoked::Family(family)) || old(&Revoked::Issued(family))
            })
            || token.api_key.is_some_and(|key| dead(&Revoked::Key(key)))
            || token.sid.is_some_and(|session| old(&Revoked::Session(session)))
            || old(&Revoked::Client(token.client_id.clone()))
            || token.act.is_some() && token.client().is_some_and(|id| old(&Revoked::Client(id)))
            || token.person().is_some_and(|person| old(&Revoked::User(person)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{
            Subject, Terms,
            access_token::{self, Actor},
            fixtures::{NOW, alice, authenticated, authentication, client},
            role::Authority,
        },
        values::{Algorithm, FamilyId, Issuer, RevocationId},
    };

    fn token() -> AccessClaims {
        let issuer: Issuer = "https://id.test".parse().unwrap();
        let terms = Terms {
            subject: Subject::Person(alice(), authentication()),
            client: "app".parse().unwrap(),
            scope: "openid".parse().unwrap(),
            audience: (&issuer).into(),
            algorithm: Algorithm::Rs256,
            family: Some(FamilyId::from_bytes([5; 16])),
            api_key: None,
            actor: None,
            expires_by: None,
            userinfo_claims: Vec::new(),
            id_token: None,
        };
        let validity = (&issuer, 900, NOW);
        let entitlement = terms.decided(&authenticated(client("app")));
        access_token::claims(&entitlement, Authority::default(), "j".to_owned(), None, validity)
    }

    fn revoked(what: Revoked, at: Timestamp) -> RevocationSet {
        let id = RevocationId::from_bytes([0; 16]);
        RevocationSet::new([Revocation { id, what, at, until: at.plus(900) }])
    }

    #[test]
    fn a_token_dies_with_its_family_session_client_or_person() {
        let token = token();
        for what in [
            Revoked::Token("j".to_owned()),
            Revoked::Family(FamilyId::from_bytes([5; 16])),
            Revoked::Issued(FamilyId::from_bytes([5; 16])),
            Revoked::Session(authentication().session),
            Revoked::Client("app".parse().unwrap()),
            Revoked::User(alice()),
        ] {
            assert!(revoked(what.clone(), NOW).reaches(&token), "{what}");
        }
        assert!(!revoked(Revoked::Token("k".to_owned()), NOW).reaches(&token));
    }

    #[test]
    fn a_token_with_which_others_act_for_a_client_dies_with_it() {
        let act = Actor { sub: "app".to_owned(), client_id: "app".parse().unwrap(), act: None };
        let mut token = AccessClaims { sub: "robot".to_owned(), act: Some(act), ..token() };
        let robot = revoked(Revoked::Client("robot".parse().unwrap()), NOW);
        assert!(robot.reaches(&token));
        token.sub = alice().to_string();
        assert!(!robot.reaches(&token));
    }

    #[test]
    fn a_token_issued_after_its_person_came_back_lives() {
        assert!(!revoked(Revoked::User(alice()), NOW.minus(1)).reaches(&token()));
    }

    #[test]
    fn a_revoked_family_never_comes_back() {
        let family = Revoked::Family(FamilyId::from_bytes([5; 16]));
        assert!(revoked(family, NOW.minus(100)).reaches(&token()));
    }
}

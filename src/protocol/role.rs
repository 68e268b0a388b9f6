//! What a token says of roles and permissions ([RFC 9068 §2.2.3.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3.1)):
//! those that its subject was given, with all that they include, at the APIs that it is meant for.

use std::collections::{BTreeSet, HashMap};

use super::Terms;
use crate::{
    model::RoleRecord,
    values::{Permission, Role, RoleId},
};

/// Every role that there is. Every node holds it in memory.
#[derive(Clone, Debug, Default)]
pub struct RoleBook {
    revision: i64,
    roles: HashMap<RoleId, RoleRecord>,
    /// The roles of each API.
    of: HashMap<String, Vec<RoleId>>,
}

/// What the subject of a token may do where the token is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authority {
    /// Under these names.
    pub roles: BTreeSet<Role>,
    /// In these words of the APIs.
    pub permissions: BTreeSet<Permission>,
}

impl RoleBook {
    /// The book of these roles, at this revision.
    #[must_use]
    pub fn new(revision: i64, records: Vec<RoleRecord>) -> Self {
        let mut book = Self { revision, ..Self::default() };
        for role in records {
            book.of.entry(role.resource.to_string()).or_default().push(role.id);
            book.roles.insert(role.id, role);
        }
        book
    }

    /// How often roles had been changed when the book was written.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// These roles and all that they include, however long the way is and wherever it leads.
    #[must_use]
    pub fn reach(&self, granted: &BTreeSet<RoleId>) -> BTreeSet<RoleId> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<RoleId> = granted.iter().copied().collect();
        while let Some(id) = waiting.pop() {
            if let Some(role) = self.roles.get(&id)
                && reached.insert(id)
            {
                waiting.extend(&role.includes);
            }
        }
        reached
    }

    /// This role and all that include it: whoever holds one of them holds it.
    #[must_use]
    pub fn givers(&self, role: RoleId) -> BTreeSet<RoleId> {
        let gives = |id: &RoleId| self.reach(&BTreeSet::from([*id])).contains(&role);
        self.roles.keys().copied().filter(gives).chain([role]).collect()
    }

    /// What a token on these terms says, whose subject was given these roles, and `general` ones that
    /// belong to no API.
    ///
    /// An API that has roles of its own is told of no others. Where a token is meant for several APIs, a
    /// word counts only if each of them that knows it would hear it alone, too: what one calls `admin` must
    /// not make an `admin` at another. An API key stands for what it allows, and for no role of its owner.
    #[must_use]
    pub fn authority(
        &self,
        granted: &BTreeSet<RoleId>,
        general: &BTreeSet<Role>,
        terms: &Terms,
    ) -> Authority {
        let told: Vec<&[RoleId]> =
            terms.audience.iter().filter_map(|api| self.of.get(api)).map(Vec::as_slice).collect();
        let mut authority = if told.is_empty() {
            Authority { roles: general.clone(), permissions: BTreeSet::new() }
        } else {
            self.held_at(&told, &self.reach(granted))
        };
        if terms.api_key.is_some() {
            authority.roles.clear();
            authority.permissions.retain(|word| terms.scope.contains(word.as_str()));
        }
        authority
    }

    fn held_at(&self, apis: &[&[RoleId]], reached: &BTreeSet<RoleId>) -> Authority {
        let mut all = Authority::default();
        let mut disputed = Authority::default();
        for roles in apis {
            let held = self.words(roles.iter().filter(|role| reached.contains(role)));
            if apis.len() > 1 {
                let known = self.words(roles.iter());
                disputed.add(&known.without(&held));
            }
            all.add(&held);
        }
        all.without(&disputed)
    }

    fn words<'a>(&self, roles: impl Iterator<Item = &'a RoleId>) -> Authority {
        let mut words = Authority::default();
        for role in roles.filter_map(|id| self.roles.get(id)) {
            words.roles.insert(role.name.clone());
            words.permissions.extend(role.permissions.iter().cloned());
        }
        words
    }
}

impl Authority {
    fn add(&mut self, other: &Self) {
        self.roles.extend(other.roles.iter().cloned());
        self.permissions.extend(other.permissions.iter().cloned());
    }

    fn without(&self, other: &Self) -> Self {
        Self {
            roles: &self.roles - &other.roles,
            permissions: &self.permissions - &other.permissions,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        protocol::{Subject, fixtures::NOW},
        values::{Algorithm, ApiKeyId, Audience},
    };

    const ORDERS: &str = "https://orders.test";
    const MAIL: &str = "https://mail.test";

    fn id(number: u8) -> RoleId {
        RoleId::from_bytes([number; 16])
    }

    fn ids(numbers: &[u8]) -> BTreeSet<RoleId> {
        numbers.iter().copied().map(id).collect()
    }

    fn role(number: u8, api: &str, name: &str, permissions: &str, includes: &[u8]) -> RoleRecord {
        RoleRecord {
            id: id(number),
            resource: api.parse().unwrap(),
            name: name.parse().unwrap(),
            description: String::new(),
            permissions: permissions.split_whitespace().map(|word| word.parse().unwrap()).collect(),
            includes: ids(includes),
            created_at: NOW,
            updated_at: NOW,
        }
    }

    fn book() -> RoleBook {
        RoleBook::new(
            1,
            vec![
                role(1, ORDERS, "viewer", "orders:read", &[]),
                role(2, ORDERS, "editor", "orders:write", &[1, 3]),
                role(3, MAIL, "sender", "mail:send", &[]),
                role(4, MAIL, "admin", "orders:read all", &[]),
                role(5, ORDERS, "admin", "all", &[2, 4]),
            ],
        )
    }

    fn terms(audience: &[&str]) -> Terms {
        Terms {
            subject: Subject::Client,
            client: "app".parse().unwrap(),
            scope: "orders:read".parse().unwrap(),
            audience: Audience::new(audience.iter().map(|name| (*name).to_owned())).unwrap(),
            algorithm: Algorithm::Rs256,
            family: None,
            api_key: None,
            actor: None,
            expires_by: None,
            userinfo_claims: Vec::new(),
            id_token: None,
        }
    }

    fn said(granted: &[u8], terms: &Terms) -> (Vec<String>, Vec<String>) {
        let general = BTreeSet::from(["root".parse().unwrap()]);
        let authority = book().authority(&ids(granted), &general, terms);
        let roles = authority.roles.iter().map(ToString::to_string).collect();
        (roles, authority.permissions.iter().map(ToString::to_string).collect())
    }

    fn words(roles: &[&str], permissions: &[&str]) -> (Vec<String>, Vec<String>) {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        (owned(roles), owned(permissions))
    }

    #[test]
    fn a_role_gives_what_it_includes_at_the_api_of_the_token_alone() {
        let orders = words(&["editor", "viewer"], &["orders:read", "orders:write"]);
        assert_eq!(said(&[2], &terms(&[ORDERS])), orders);
        assert_eq!(said(&[2], &terms(&[MAIL])), words(&["sender"], &["mail:send"]));
        assert_eq!(said(&[1], &terms(&[MAIL])), words(&[], &[]));
    }

    #[test]
    fn roles_of_no_api_are_for_those_who_have_none_of_their_own() {
        assert_eq!(said(&[2], &terms(&["https://id.test"])), words(&["root"], &[]));
        assert_eq!(said(&[2], &terms(&["https://other.test"])), words(&["root"], &[]));
        assert_eq!(said(&[], &terms(&[ORDERS])), words(&[], &[]));
        assert_eq!(said(&[], &terms(&[ORDERS, "https://id.test"])), words(&[], &[]));
    }

    #[test]
    fn a_word_of_one_api_is_not_heard_by_another_that_means_something_else_by_it() {
        let both = terms(&[ORDERS, MAIL]);
        // The editor at one reads there, which at the other only an admin may.
        let editor = words(&["editor", "sender", "viewer"], &["mail:send", "orders:write"]);
        assert_eq!(said(&[2], &both), editor);
        assert_eq!(said(&[4], &both), words(&[], &[]));
        assert!(said(&[5], &both).0.contains(&"admin".to_owned()));
    }

    #[test]
    fn a_key_stands_for_what_it_allows_and_for_no_role() {
        let key = Some(ApiKeyId::from_bytes([1; 16]));
        let terms = Terms { api_key: key, ..terms(&[ORDERS]) };
        assert_eq!(said(&[5], &terms), words(&[], &["orders:read"]));
    }

    #[test]
    fn who_gives_a_role_is_found_through_all_that_include_it() {
        assert_eq!(book().givers(id(1)), ids(&[1, 2, 5]));
        assert_eq!(book().givers(id(9)), ids(&[9]));
    }

    /// Nine roles at three APIs, which include each other in any way at all, circles too.
    fn any_book() -> impl Strategy<Value = Vec<RoleRecord>> {
        let one = prop::collection::vec(0..12u8, 0..5);
        prop::collection::vec((0..3u8, one), 9).prop_map(|roles| {
            let record = |(number, (api, includes)): (u8, (u8, Vec<u8>))| {
                let name = format!("r{number}");
                let api = format!("https://api{api}.test");
                role(number, &api, &name, &format!("p{number} shared"), &includes)
            };
            (0..).zip(roles).map(record).collect()
        })
    }

    /// Whether there is a way of inclusions, found by trying all of so many steps.
    fn leads(records: &[RoleRecord], from: RoleId, to: RoleId, steps: usize) -> bool {
        let includes = |id| records.iter().find(|role| role.id == id).map(|role| &role.includes);
        from == to
            || steps > 0
                && includes(from).is_some_and(|next| {
                    next.iter().any(|next| leads(records, *next, to, steps - 1))
                })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nobody_is_told_more_or_less_than_was_given(
            records in any_book(),
            granted in prop::collection::btree_set(0..12u8, 0..3),
            audience in prop::collection::btree_set(0..4u8, 1..3),
        ) {
            let granted: BTreeSet<RoleId> = granted.into_iter().map(id).collect();
            let audience: Vec<String> =
                audience.into_iter().map(|api| format!("https://api{api}.test")).collect();
            let names: Vec<&str> = audience.iter().map(String::as_str).collect();
            let book = RoleBook::new(0, records.clone());
            let authority = book.authority(&granted, &BTreeSet::new(), &terms(&names));

            let given = |role: &&RoleRecord| {
                granted.iter().any(|from| leads(&records, *from, role.id, records.len().min(5)))
            };
            let at = |role: &&RoleRecord| names.contains(&role.resource.to_string().as_str());
            for role in records.iter().filter(at).filter(given) {
                prop_assert!(authority.roles.contains(&role.name), "{} is missing", role.name);
            }
            let reached = book.reach(&granted);
            for name in &authority.roles {
                let role = records.iter().find(|role| role.name == *name).unwrap();
                prop_assert!(at(&role) && reached.contains(&role.id), "{name} was not given");
            }
            for word in &authority.permissions {
                let gives = |role: &&RoleRecord| role.permissions.contains(word);
                let mut from = records.iter().filter(at).filter(gives);
                prop_assert!(from.any(|role| reached.contains(&role.id)), "{word} was not given");
            }
        }

        #[test]
        fn what_is_reached_was_given_or_is_included_by_what_is_reached(
            records in any_book(),
            granted in prop::collection::btree_set(0..12u8, 0..4),
        ) {
            let granted: BTreeSet<RoleId> = granted.into_iter().map(id).collect();
            let book = RoleBook::new(0, records.clone());
            let reached = book.reach(&granted);
            let known: BTreeSet<RoleId> = records.iter().map(|role| role.id).collect();
            prop_assert!(reached.is_subset(&known) && reached.is_superset(&(&granted & &known)));
            for role in &records {
                let wants = role.includes.iter().filter(|id| known.contains(id));
                if reached.contains(&role.id) {
                    prop_assert!(wants.clone().all(|id| reached.contains(id)));
                    let mut includers = records.iter().filter(|other| other.includes.contains(&role.id));
                    let from = includers.any(|other| reached.contains(&other.id));
                    prop_assert!(granted.contains(&role.id) || from);
                }
                let givers = book.givers(role.id);
                prop_assert_eq!(!givers.is_disjoint(&granted), reached.contains(&role.id));
            }
        }
    }
}

//! One of each noun, complete enough that a forgotten column shows.

use signet::{
    model::{
        ApiKeyRecord, Authorization, ClaimsRequest, Client, ClientKind, CodeState, Consent,
        Credentials, GrantType, IssuedCode, KeyOwner, RefreshFamily, ResourceServer, Revocation,
        Revoked, RoleRecord, SecretHash, SecretMethod, Session, SigningKeyRecord, User, UserGroup,
    },
    storage::{Attempt, Proof, Store, UserCreation},
    values::{
        Acr, Algorithm, Amr, Authentication, Binding, ClientId, FamilyId, PasswordHash, Profile,
        Scope, StatusPlace, Timestamp, TokenHash, UserId,
    },
};
use uuid::Uuid;

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);
pub(crate) const DAY: i64 = 86_400;

pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

pub(crate) fn hash(text: &str) -> TokenHash {
    TokenHash::of(text.as_bytes())
}

pub(crate) fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

pub(crate) fn client_id(name: &str) -> ClientId {
    name.parse().unwrap()
}

pub(crate) fn client(name: &str) -> Client {
    let secret = SecretHash { current: hash("new"), previous: Some((hash("old"), NOW.plus(3600))) };
    Client {
        id: client_id(name),
        name: format!("The {name} of Zoë"),
        kind: ClientKind::Confidential(Credentials::Secret(SecretMethod::Basic, secret)),
        redirect_uris: vec![
            "https://shop.example/cb?a=b".parse().unwrap(),
            "com.example.app:/cb".parse().unwrap(),
        ],
        post_logout_redirect_uris: vec!["https://shop.example/".parse().unwrap()],
        grants: GrantType::ALL.into(),
        scope: scope("openid orders:read"),
        first_party: true,
        pkce_required: false,
        dpop_bound: true,
        id_token_algorithm: Algorithm::Es256,
        policy_uri: Some("https://shop.example/policy".parse().unwrap()),
        tos_uri: None,
        disabled_at: None,
        first_status_place: None,
        revision: 0,
        created_at: NOW,
        updated_at: NOW.plus(1),
    }
}

pub(crate) fn user(number: u128, name: &str) -> User {
    let profile = Profile {
        name: Some(format!("{name} \"Ω\" O'Hara")),
        website: Some("https://example.com/".parse().unwrap()),
        phone_number_verified: true,
        ..Profile::default()
    };
    User {
        id: id(number),
        username: name.parse().unwrap(),
        email: Some(format!("{name}@example.com").parse().unwrap()),
        email_verified: true,
        profile,
        roles: ["admin".parse().unwrap(), "staff".parse().unwrap()].into(),
        password: Some(password()),
        disabled_at: None,
        revision: 0,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// Everybody here has the same password.
pub(crate) fn proof() -> Proof {
    Proof { hash: password(), anew: None }
}

fn password() -> PasswordHash {
    "$argon2id$v=19$m=1,t=1,p=1$AAAA$BBBB".parse().unwrap()
}

pub(crate) fn session(number: u128, user: UserId) -> Session {
    Session {
        id: id(number),
        secret: hash("cookie"),
        user,
        authentication: authentication(number),
        seen_at: NOW,
        expires_at: NOW.plus(DAY),
        ended_at: None,
        user_agent: "Mozilla/5.0 (Ünïx)".to_owned(),
    }
}

fn authentication(session: u128) -> Authentication {
    Authentication {
        session: id(session),
        at: NOW,
        acr: Acr::Password,
        amr: [Amr::Password].into(),
    }
}

/// What Alice (1) has authorized the shop to do, in session 1.
pub(crate) fn authorization() -> Authorization {
    Authorization {
        client: client_id("shop"),
        user: id(1),
        authentication: authentication(1),
        scope: scope("openid orders:read"),
        resources: vec!["https://api.example/".parse().unwrap()],
        claims: ClaimsRequest {
            userinfo: ["email".to_owned()].into(),
            id_token: ["name".to_owned(), "nickname".to_owned()].into(),
        },
    }
}

pub(crate) fn code(number: u128) -> IssuedCode {
    IssuedCode {
        id: id(number),
        secret: hash("code"),
        authorization: authorization(),
        redirect_uri: Some("https://shop.example/cb".to_owned()),
        challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap()),
        binding: Binding::Dpop([8; 32].into()),
        nonce: Some("n-0S6_WzA2Mj".to_owned()),
        expires_at: NOW.plus(60),
        state: CodeState::Fresh,
    }
}

/// The attempt to move such a family on.
pub(crate) fn attempt(
    id: FamilyId,
    presented: i64,
    now: Timestamp,
    idle_until: Timestamp,
) -> Attempt {
    let place = place(u128::from_be_bytes(id.to_bytes()));
    Attempt { id, presented, place_before: place, place, idle_until, now }
}

/// The place of the family of this number.
pub(crate) fn place(number: u128) -> Option<StatusPlace> {
    // Far from the blocks of clients.
    i64::try_from(number).ok().and_then(|number| StatusPlace::at(1000, number))
}

pub(crate) fn family(number: u128) -> RefreshFamily {
    RefreshFamily {
        id: id(number),
        authorization: authorization(),
        binding: Binding::Dpop([9; 32].into()),
        generation: 0,
        rotated_at: NOW,
        idle_until: NOW.plus(7 * DAY),
        expires_at: NOW.plus(30 * DAY),
        revoked_at: None,
        status_place: place(number),
    }
}

/// A key of Alice's (1).
pub(crate) fn api_key(number: u128) -> ApiKeyRecord {
    ApiKeyRecord {
        id: id(number),
        name: "Zoë's script".to_owned(),
        owner: KeyOwner::Person(id(1)),
        secret: SecretHash { current: hash("key"), previous: None },
        scope: scope("orders:read"),
        addresses: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        rate_limit: Some(60),
        created_at: NOW,
        expires_at: NOW.plus(DAY),
        revoked_at: None,
        last_used_at: None,
        status_place: None,
    }
}

pub(crate) fn consent(user: UserId, client: &str) -> Consent {
    Consent {
        user,
        client: client_id(client),
        scope: scope("openid email"),
        apis: ["https://api.example/".parse().unwrap()].into(),
        claims: ["email".to_owned()].into(),
        granted_at: NOW,
    }
}

pub(crate) fn resource(name: &str) -> ResourceServer {
    ResourceServer {
        id: name.parse().unwrap(),
        name: "Orders".to_owned(),
        scope: scope("orders:read orders:write"),
        client: None,
        algorithm: Algorithm::Rs256,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// A role at `https://api.example/`.
pub(crate) fn role(number: u128, name: &str) -> RoleRecord {
    RoleRecord {
        id: id(number),
        resource: "https://api.example/".parse().unwrap(),
        name: name.parse().unwrap(),
        description: "What Zoë may do".to_owned(),
        permissions: ["orders:read".parse().unwrap(), "orders:write".parse().unwrap()].into(),
        includes: [].into(),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(crate) fn group(number: u128, name: &str) -> UserGroup {
    UserGroup {
        id: id(number),
        name: name.parse().unwrap(),
        description: "Who works at Zoë's".to_owned(),
        created_at: NOW,
    }
}

/// A key that is announced now and becomes active an hour later for each period.
pub(crate) fn key(algorithm: Algorithm, period: i64, name: &str) -> SigningKeyRecord {
    SigningKeyRecord {
        kid: name.parse().unwrap(),
        algorithm,
        period,
        announced_at: NOW,
        active_at: NOW.plus(3600 * period),
        retired_at: None,
        forgotten_at: None,
        revoked_at: None,
        sealed: vec![0, 159, 146, 150],
        public: r#"{"kty":"EC"}"#.to_owned(),
    }
}

pub(crate) fn revocation(number: u128, what: Revoked, at: Timestamp) -> Revocation {
    Revocation { id: id(number), what, at, until: at.plus(600) }
}

/// The shop is registered, and Alice (1) is signed in at it in session 1.
pub(crate) async fn with_shop_and_alice(store: &Store) {
    store.create_client(&client("shop")).await.unwrap();
    assert_eq!(store.create_user(&user(1, "alice")).await.unwrap(), UserCreation::Created);
    store.start_session(&session(1, id(1)), &proof()).await.unwrap();
}

/// The shop holds a family of Alice's, from a code of the same number.
pub(crate) async fn with_family(store: &Store, family: &RefreshFamily) {
    let number = u128::from_be_bytes(family.id.to_bytes());
    store.keep_code(&code(number)).await.unwrap();
    store.redeem_code(id(number), family, NOW).await.unwrap();
}

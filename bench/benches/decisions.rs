//! What the rules cost without anything around them: `cargo bench -p signet-bench`.

#![expect(clippy::unwrap_used, reason = "what goes wrong makes the benchmark fail")]

use std::{collections::BTreeSet, hint::black_box, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use criterion::{Criterion, criterion_group, criterion_main};
use signet::{
    model::{
        Authorization, ClaimsRequest, Client, ClientKind, Credentials, GrantType, RefreshFamily,
        ResourceServer, SecretHash, SecretMethod,
    },
    protocol::{
        Params,
        authorize::{self, AuthorizeRequest, Progress, Standing},
        client_auth::{AuthenticatedClient, Presented, Proof},
        client_credentials, refresh,
        resource::Catalogue,
        status,
        token::GrantRequest,
    },
    values::{
        Acr, Algorithm, Amr, Authentication, Binding, FamilyId, Issuer, RefreshToken, SessionId,
        StatusPlace, Timestamp, TokenHash, UserId,
    },
};

const NOW: Timestamp = Timestamp(1_800_000_000);
const AUTHORIZE: &str = "response_type=code&client_id=app&scope=openid%20profile%20orders:read\
    &redirect_uri=https%3A%2F%2Fapp.test%2Fcb&state=af0ifjsldkj&nonce=n-0S6_WzA2Mj\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

fn client() -> Client {
    let hash = SecretHash { current: TokenHash::of(b"secret"), previous: None };
    let grants =
        [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    Client {
        id: "app".parse().unwrap(),
        name: "App".to_owned(),
        kind: ClientKind::Confidential(Credentials::Secret(SecretMethod::Basic, hash)),
        redirect_uris: vec!["https://app.test/cb".parse().unwrap()],
        post_logout_redirect_uris: Vec::new(),
        grants: grants.into(),
        scope: "openid profile email offline_access orders:read".parse().unwrap(),
        first_party: true,
        pkce_required: true,
        dpop_bound: false,
        id_token_algorithm: Algorithm::Rs256,
        policy_uri: None,
        tos_uri: None,
        disabled_at: None,
        first_status_place: None,
        revision: 0,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn catalogue() -> Catalogue {
    let api = ResourceServer {
        id: "https://api.test/".parse().unwrap(),
        name: "Orders".to_owned(),
        scope: "orders:read orders:write".parse().unwrap(),
        client: None,
        algorithm: Algorithm::Rs256,
        created_at: NOW,
        updated_at: NOW,
    };
    Catalogue::new("https://id.test".parse().unwrap(), vec![api])
}

fn authentication() -> Authentication {
    Authentication {
        session: SessionId::from_bytes([7; 16]),
        at: NOW.minus(60),
        acr: Acr::Password,
        amr: BTreeSet::from([Amr::Password]),
    }
}

fn family() -> RefreshFamily {
    RefreshFamily {
        id: FamilyId::from_bytes([3; 16]),
        authorization: Authorization {
            client: "app".parse().unwrap(),
            user: UserId::from_bytes([1; 16]),
            authentication: authentication(),
            scope: "openid offline_access orders:read".parse().unwrap(),
            resources: Vec::new(),
            claims: ClaimsRequest::default(),
        },
        binding: Binding::Bearer,
        generation: 1,
        rotated_at: NOW.minus(900),
        idle_until: NOW.plus(1000),
        expires_at: NOW.plus(10_000),
        revoked_at: None,
        status_place: None,
    }
}

fn authenticate(client: &Arc<Client>, header: &str, params: &Params) -> AuthenticatedClient {
    let presented = Presented::parse(Some(header), params).unwrap();
    let issuer = "https://id.test".parse().unwrap();
    match presented.authenticate(client.clone(), &issuer, "/token", NOW).unwrap() {
        Proof::Complete(client) => client,
        Proof::Once(_) => unreachable!("a secret is no assertion"),
    }
}

fn decisions(criterion: &mut Criterion) {
    let (client, catalogue, family) = (Arc::new(client()), catalogue(), family());
    let header = format!("Basic {}", BASE64_STANDARD.encode("app:secret"));
    let nothing = Params::default();
    let proven = authenticate(&client, &header, &nothing);

    criterion.bench_function("a form is read", |bench| {
        bench.iter(|| Params::parse(black_box(AUTHORIZE)).unwrap());
    });
    criterion.bench_function("a client authenticates with its secret", |bench| {
        bench.iter(|| authenticate(&client, black_box(&header), &nothing));
    });

    let params = Params::parse(AUTHORIZE).unwrap();
    criterion.bench_function("an authorization request is read", |bench| {
        bench.iter(|| {
            let address = authorize::locate(black_box(&params), &client).unwrap();
            (address, AuthorizeRequest::parse(&params, &client, &catalogue).unwrap())
        });
    });
    let request = AuthorizeRequest::parse(&params, &client, &catalogue).unwrap();
    let authentication = authentication();
    let standing = Standing {
        signed_in: Some((UserId::from_bytes([1; 16]), &authentication)),
        consent: None,
        hinted: None,
    };
    criterion.bench_function("an authorization request is decided", |bench| {
        let progress = Progress::begun(NOW);
        bench.iter(|| authorize::decide(black_box(&request), &client, &standing, &progress, NOW));
    });

    let params = Params::parse("grant_type=client_credentials&scope=orders:read").unwrap();
    criterion.bench_function("client credentials are read and decided", |bench| {
        bench.iter(|| {
            let request = GrantRequest::parse(black_box(&params), &client).unwrap();
            let GrantRequest::ClientCredentials(request) = request else { unreachable!() };
            client_credentials::decide(&request, &proven, &catalogue).unwrap()
        });
    });

    let token = RefreshToken { family: family.id, generation: 1, mac: [0; 24] };
    let params = format!("grant_type=refresh_token&refresh_token={}", token.expose());
    let params = Params::parse(&params).unwrap();
    criterion.bench_function("a refresh is read and decided", |bench| {
        bench.iter(|| {
            let request = GrantRequest::parse(black_box(&params), &client).unwrap();
            let GrantRequest::RefreshToken(request) = request else { unreachable!() };
            refresh::decide(&request, &proven, &family, &catalogue, 30, NOW).unwrap()
        });
    });

    // A thousandth of a million grants, anywhere.
    let revoked = || (0..1000_i64).map(|number| (number * 7919 % StatusPlace::LIST, 1));
    let issuer: Issuer = "https://id.test".parse().unwrap();
    let size = serde_json::to_string(&status::list(&issuer, 0, revoked(), NOW)).unwrap().len();
    criterion.bench_function(&format!("a status list of {size} bytes is built"), |bench| {
        bench.iter(|| status::list(&issuer, 0, black_box(revoked()), NOW));
    });
}

criterion_group!(benches, decisions);
criterion_main!(benches);

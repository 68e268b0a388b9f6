//! The crate `openidconnect` as a relying party that is configured with nothing but the issuer.

use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims},
    reqwest,
};
use url::Url;

use crate::{
    browser,
    program::{CALLBACK, Program},
};

on_both_engines! {
    the_crate_openidconnect_discovers_signs_in_refreshes_and_asks_who_it_is
}

async fn the_crate_openidconnect_discovers_signs_in_refreshes_and_asks_who_it_is(program: Program) {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.build().unwrap();
    let issuer = IssuerUrl::new(program.issuer.clone()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.unwrap();
    let secret = ClientSecret::new(program.web_secret.clone());
    let client =
        CoreClient::from_provider_metadata(metadata, ClientId::new("web".to_owned()), Some(secret))
            .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap());

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (address, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["email", "profile", "offline_access"].map(|word| Scope::new(word.into())))
        .set_pkce_challenge(challenge)
        .url();
    let answer = browser::sign_in(address).await;
    assert_eq!(parameter(&answer, "state"), *state.secret());
    // RFC 9207: the crate leaves this to its caller.
    assert_eq!(parameter(&answer, "iss"), program.issuer);

    let code = AuthorizationCode::new(parameter(&answer, "code"));
    let redeem = client.exchange_code(code).unwrap().set_pkce_verifier(verifier);
    let tokens = redeem.request_async(&http).await.unwrap();
    let id_token = tokens.id_token().unwrap();
    let trusted = client.id_token_verifier();
    let claims = id_token.claims(&trusted, &nonce).unwrap();
    let hash = AccessTokenHash::from_token(
        tokens.access_token(),
        id_token.signing_alg().unwrap(),
        id_token.signing_key(&trusted).unwrap(),
    );
    assert_eq!(claims.access_token_hash().unwrap(), &hash.unwrap());

    let refresh = client.exchange_refresh_token(tokens.refresh_token().unwrap()).unwrap();
    let fresh = refresh.request_async(&http).await.unwrap();
    assert_ne!(fresh.access_token().secret(), tokens.access_token().secret());
    // A refreshed ID token repeats no nonce (OpenID Connect Core §12.2).
    let again = fresh.id_token().unwrap().claims(&trusted, |_: Option<&Nonce>| Ok(())).unwrap();
    assert_eq!(again.subject(), claims.subject());

    let subject = Some(claims.subject().clone());
    let userinfo = client.user_info(fresh.access_token().clone(), subject).unwrap();
    let person: CoreUserInfoClaims = userinfo.request_async(&http).await.unwrap();
    assert_eq!(person.email().unwrap().as_str(), "ada@example.test");
    assert_eq!(person.email_verified(), Some(true));
}

fn parameter(answer: &Url, name: &str) -> String {
    let found = answer.query_pairs().find(|(other, _)| other == name);
    found.unwrap_or_else(|| panic!("no {name} in {answer}")).1.into_owned()
}

//! Nobody is signed out by somebody else.

use super::{is_foreign, stays};
use crate::support::{PASSWORD, Server, hidden, location, request, request_with, sealed, text};

on_both_engines! {
    nobody_is_signed_out_without_being_asked
    a_hint_of_another_session_or_person_does_not_sign_out
    an_altered_wish_to_sign_out_is_refused
    a_client_that_was_disabled_is_gone_back_to_no_more
}

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://app.test/bye");

/// [RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).
async fn nobody_is_signed_out_without_being_asked(server: Server) {
    let browser = server.browser();
    let tokens = server.tokens(&browser).await;
    let hint = text(&tokens, "id_token");
    let unsigned = format!("{}.", hint.rsplit_once('.').unwrap().0);
    for query in [
        &[][..],
        &[("client_id", "web"), BYE],
        &[("id_token_hint", &*unsigned)],
        &[("id_token_hint", text(&tokens, "access_token"))],
        &[("id_token_hint", "x")],
        &[("action", "logout")],
        &[("request", hint)],
    ] {
        let response = browser.get("/logout", query).await;
        assert_eq!((response.status().as_u16(), location(&response)), (200, None), "{query:?}");
        let page = response.text().await.unwrap();
        let staying = [("request", hidden(&page)), ("action", "stay")];
        assert_eq!(browser.post("/logout", &staying).await.status(), 200);
        assert!(browser.is_signed_in().await, "{query:?}");
    }
    // A hint that proves nothing does not say where to go, either.
    stays(&browser.get("/logout", &[("id_token_hint", "x"), ("client_id", "web"), BYE]).await);
    // The right one does both, though it has expired since.
    server.wait(3600).await;
    let response = browser.get("/logout", &[("id_token_hint", hint), BYE]).await;
    assert_eq!(location(&response).as_deref(), Some(BYE.1));
    assert!(!browser.is_signed_in().await);
}

/// [RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).
async fn a_hint_of_another_session_or_person_does_not_sign_out(server: Server) {
    server.person("bob").await;
    let (browser, other) = (server.browser(), server.browser());
    let tokens = server.tokens(&browser).await;
    let page = other.asks(&request()).await;
    other.follow(other.signs_in(&page, "bob", PASSWORD).await).await;
    // Ada's hint in bob's browser, and in another of hers.
    let (hint, hers) = (text(&tokens, "id_token"), server.browser());
    hers.begins(&request()).await;
    for browser in [&other, &hers] {
        let response = browser.get("/logout", &[("id_token_hint", hint), BYE]).await;
        assert_eq!((response.status().as_u16(), location(&response)), (200, None));
        assert!(browser.is_signed_in().await);
    }
}

/// [RP-Initiated Logout §4](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#ValidationAndErrorHandling).
async fn an_altered_wish_to_sign_out_is_refused(server: Server) {
    let (browser, other) = (server.browser(), server.browser());
    let tokens = server.tokens(&browser).await;
    let hint = ("id_token_hint", text(&tokens, "id_token"));
    stays(&browser.get("/logout", &[hint, ("client_id", "other")]).await);
    stays(&browser.get("/logout", &[hint, hint]).await);
    stays(&browser.get("/logout", &[hint, BYE, BYE]).await);
    server.tokens(&other).await;
    let page = other.get("/logout", &[]).await.text().await.unwrap();
    is_foreign(&browser.post("/logout", &[("request", hidden(&page)), ("action", "logout")]).await);
    let login = sealed(&browser.asks(&request_with("prompt", "login")).await);
    is_foreign(&browser.post("/logout", &[("request", &login), ("action", "logout")]).await);
    assert!(browser.is_signed_in().await && other.is_signed_in().await);
}

/// [RP-Initiated Logout §3](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RedirectionAfterLogout).
async fn a_client_that_was_disabled_is_gone_back_to_no_more(server: Server) {
    let browser = server.browser();
    let query = [("client_id", "web"), BYE];
    assert_eq!(location(&browser.get("/logout", &query).await).as_deref(), Some(BYE.1));
    server.admin().disable_client(&"web".parse().unwrap()).await.unwrap();
    server.follow().await;
    stays(&browser.get("/logout", &query).await);
}

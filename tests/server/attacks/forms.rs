//! Only a page of ours, shown to this very person in this very browser, is answered.

use reqwest::{RequestBuilder, StatusCode};
use signet::flows::admin::{NewClient, NewResource};

use super::{is_foreign, stays, told};
use crate::support::{
    Browser, PASSWORD, Server, hidden, location, parameter, payload, request, request_with, sealed,
    set_cookie, text, with_people,
};

on_both_engines! {
    a_sign_in_from_another_site_is_refused
    a_consent_from_another_site_is_refused
    a_sign_out_from_another_site_is_refused
    nobody_is_signed_in_with_a_page_of_somebody_elses
    the_consent_page_of_another_browser_is_worthless
    a_consent_page_is_worthless_to_the_next_person
    an_altered_page_is_worthless
    the_page_of_one_step_is_not_that_of_another
    a_page_does_not_wait_for_ever
    what_was_shown_is_what_is_granted
    claims_that_were_not_allowed_are_asked_for
    opening_the_consent_page_grants_nothing
    whoever_cancels_or_denies_is_believed
    what_was_allowed_at_one_api_is_asked_for_at_another
}

/// What a browser says of a form on another site, and of one on a page of ours.
fn from_elsewhere() -> [(&'static str, &'static str); 5] {
    [
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ]
}

fn from_here(server: &Server, form: RequestBuilder) -> RequestBuilder {
    form.header("origin", &server.issuer).header("sec-fetch-site", "same-origin")
}

async fn refused_from_elsewhere(browser: &Browser, path: &str, form: &[(&str, &str)]) {
    for (name, value) in from_elsewhere() {
        let response = browser.form(path).header(name, value).form(form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} {name}: {value}");
        assert!(response.headers().get("set-cookie").is_none(), "{path} {name}: {value}");
        assert_eq!(location(&response), None);
    }
}

/// [RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12).
async fn a_sign_in_from_another_site_is_refused(server: Server) {
    let browser = server.browser();
    let sealed = sealed(&browser.asks(&request()).await);
    let form = [("request", sealed.as_str()), ("username", "ada"), ("password", PASSWORD)];
    refused_from_elsewhere(&browser, "/login", &form).await;
    assert!(!browser.is_signed_in().await);
    let response = from_here(&server, browser.form("/login")).form(&form).send().await.unwrap();
    assert!(browser.page(&response).unwrap().starts_with("/consent?"));
}

/// [RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12).
async fn a_consent_from_another_site_is_refused(server: Server) {
    let browser = server.browser();
    let page = browser.begins(&request()).await;
    let sealed = sealed(&browser.page(&page).unwrap());
    let form = [("request", sealed.as_str()), ("action", "allow")];
    refused_from_elsewhere(&browser, "/consent", &form).await;
    told(&browser.answer(&request_with("prompt", "none")).await, "consent_required");
    let response = from_here(&server, browser.form("/consent")).form(&form).send().await.unwrap();
    assert!(location(&response).unwrap().contains("code="));
}

/// [RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).
async fn a_sign_out_from_another_site_is_refused(server: Server) {
    let browser = server.browser();
    browser.code(&request()).await;
    let page = browser.get("/logout", &[]).await.text().await.unwrap();
    let form = [("request", hidden(&page)), ("action", "logout")];
    refused_from_elsewhere(&browser, "/logout", &form).await;
    assert!(browser.is_signed_in().await);
    let response = from_here(&server, browser.form("/logout")).form(&form).send().await.unwrap();
    assert_eq!(location(&response).as_deref(), Some("/logged-out"));
    assert!(!browser.is_signed_in().await);
}

/// [RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12): signing somebody in to the
/// attacker's own account is an attack as well.
async fn nobody_is_signed_in_with_a_page_of_somebody_elses(server: Server) {
    let (victim, attacker) = (server.browser(), server.browser());
    victim.asks(&request()).await;
    let page = attacker.asks(&request()).await;
    let response = victim.signs_in(&page, "ada", PASSWORD).await;
    is_foreign(&response);
    assert_eq!(set_cookie(&response, "signet_session"), None);
    assert!(!victim.is_signed_in().await);
    let nothing = [("username", "ada"), ("password", PASSWORD)];
    is_foreign(&victim.post("/login", &nothing).await);
    assert!(
        set_cookie(&attacker.signs_in(&page, "ada", PASSWORD).await, "signet_session").is_some()
    );
}

/// [RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12).
async fn the_consent_page_of_another_browser_is_worthless(server: Server) {
    let (victim, attacker) = (server.browser(), server.browser());
    victim.begins(&request()).await;
    let page = attacker.page(&attacker.begins(&request()).await).unwrap();
    for action in ["allow", "deny"] {
        is_foreign(&victim.presses(&page, action).await);
    }
    let stranger = server.browser();
    is_foreign(&stranger.presses(&page, "allow").await);
    told(&victim.answer(&request_with("prompt", "none")).await, "consent_required");
    assert!(location(&attacker.presses(&page, "allow").await).unwrap().contains("code="));
}

/// [OpenID Connect Core §3.1.2.4](https://openid.net/specs/openid-connect-core-1_0.html#Consent).
async fn a_consent_page_is_worthless_to_the_next_person(server: Server) {
    server.person("bob").await;
    let browser = server.browser();
    let page = browser.page(&browser.begins(&request()).await).unwrap();
    let login = browser.asks(&request_with("prompt", "login")).await;
    browser.signs_in(&login, "bob", PASSWORD).await;
    // Bob has not seen what ada was shown.
    let shown = browser.presses(&page, "allow").await;
    let shown = browser.page(&shown).unwrap();
    assert!(shown.starts_with("/consent?"), "{shown}");
    told(&browser.answer(&request_with("prompt", "none")).await, "consent_required");
    assert!(location(&browser.presses(&shown, "allow").await).unwrap().contains("code="));
}

/// [RFC 6749 §10.14](https://www.rfc-editor.org/rfc/rfc6749#section-10.14).
async fn an_altered_page_is_worthless(server: Server) {
    let browser = server.browser();
    let page = browser.page(&browser.begins(&request()).await).unwrap();
    let sealed = sealed(&page);
    for at in [0, 20, sealed.len() / 2, sealed.len() - 5] {
        let mut altered = sealed.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        is_foreign(&browser.post("/consent", &[("request", &altered), ("action", "allow")]).await);
    }
    for altered in ["", "x", &sealed[1..], &format!("{sealed}AAAA"), "../../etc/passwd"] {
        is_foreign(&browser.post("/consent", &[("request", altered), ("action", "allow")]).await);
    }
    for action in ["", "Allow", "yes"] {
        stays(&browser.presses(&page, action).await);
    }
    let twice = [("request", sealed.as_str()), ("request", sealed.as_str()), ("action", "allow")];
    stays(&browser.post("/consent", &twice).await);
    assert!(location(&browser.presses(&page, "allow").await).unwrap().contains("code="));
}

/// [RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12).
async fn the_page_of_one_step_is_not_that_of_another(server: Server) {
    let browser = server.browser();
    let login = browser.asks(&request()).await;
    let consent = browser.page(&browser.signs_in(&login, "ada", PASSWORD).await).unwrap();
    let logout = browser.get("/logout", &[]).await.text().await.unwrap();
    let (login, consent) = (sealed(&login), sealed(&consent));
    for (path, action, strangers) in [
        ("/login", "cancel", [consent.as_str(), hidden(&logout)]),
        ("/consent", "allow", [&login, hidden(&logout)]),
        ("/logout", "logout", [&login, &consent]),
    ] {
        for stranger in strangers {
            is_foreign(&browser.post(path, &[("request", stranger), ("action", action)]).await);
        }
    }
    assert!(browser.is_signed_in().await);
}

/// [RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12).
async fn a_page_does_not_wait_for_ever(server: Server) {
    let browser = server.browser();
    let page = browser.page(&browser.begins(&request()).await).unwrap();
    server.wait(3600).await;
    assert_eq!(browser.get(&page, &[]).await.status(), 200);
    server.wait(1).await;
    stays(&browser.presses(&page, "allow").await);
}

/// [RFC 6819 §4.2.2](https://www.rfc-editor.org/rfc/rfc6819#section-4.2.2).
async fn what_was_shown_is_what_is_granted(server: Server) {
    let browser = server.browser();
    let page = browser.page(&browser.begins(&request_with("scope", "openid")).await).unwrap();
    let sealed = sealed(&page);
    let form = [
        ("request", sealed.as_str()),
        ("action", "allow"),
        ("scope", "openid profile orders:read"),
        ("client_id", "other"),
        ("redirect_uri", "https://evil.test/"),
        ("state", "evil"),
    ];
    let answer = location(&browser.post("/consent", &form).await).unwrap();
    let answer: url::Url = answer.parse().unwrap();
    assert_eq!(parameter(&answer, "state").as_deref(), Some("s t"));
    let (_, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
    assert_eq!(text(&tokens, "scope"), "openid");
    assert_eq!(payload(text(&tokens, "access_token"))["scope"], "openid");
    let more = browser.get("/authorize", &request_with("scope", "openid profile")).await;
    assert!(browser.page(&more).unwrap().starts_with("/consent?"));
}

/// [OpenID Connect Core §5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter).
async fn claims_that_were_not_allowed_are_asked_for(server: Server) {
    let browser = server.browser();
    let plain = request_with("scope", "openid");
    browser.code(&plain).await;
    let claims = [("claims", "{\"userinfo\":{\"email\":null},\"id_token\":{\"email\":null}}")];
    let silent = [&plain[..], &claims, &[("prompt", "none")]].concat();
    told(&browser.answer(&silent).await, "consent_required");
    let page = browser.asks(&[&plain[..], &claims].concat()).await;
    let shown = browser.get(&page, &[]).await.text().await.unwrap();
    assert!(shown.contains("<li>Your e-mail address</li>"), "{shown}");
    let denied = browser.presses(&page, "deny").await;
    told(&location(&denied).unwrap().parse().unwrap(), "access_denied");
    for (request, email) in
        [(plain.clone(), None), ([&plain[..], &claims].concat(), Some("ada@example.test"))]
    {
        let (_, tokens) = server.redeem(&browser.code(&request).await).await;
        assert_eq!(
            payload(text(&tokens, "id_token")).get("email").and_then(|email| email.as_str()),
            email
        );
        let answer = server.userinfo(text(&tokens, "access_token")).await;
        let answer: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(answer.get("email").and_then(|email| email.as_str()), email);
    }
}

/// [OpenID Connect Core §3.1.2.4](https://openid.net/specs/openid-connect-core-1_0.html#Consent).
async fn opening_the_consent_page_grants_nothing(server: Server) {
    let browser = server.browser();
    let page = browser.page(&browser.begins(&request()).await).unwrap();
    for query in ["", "&action=allow", "&action=allow&x=y"] {
        let response = browser.get(&format!("{page}{query}"), &[]).await;
        assert_eq!((response.status().as_u16(), location(&response)), (200, None));
    }
    told(&browser.answer(&request_with("prompt", "none")).await, "consent_required");
}

/// [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1),
/// [RFC 9207 §2](https://www.rfc-editor.org/rfc/rfc9207#section-2).
async fn whoever_cancels_or_denies_is_believed(server: Server) {
    let browser = server.browser();
    let login = browser.asks(&request()).await;
    let cancelled = browser.presses(&login, "cancel").await;
    assert!(!browser.is_signed_in().await);
    let consent = browser.page(&browser.signs_in(&login, "ada", PASSWORD).await).unwrap();
    let denied = browser.presses(&consent, "deny").await;
    for response in [cancelled, denied] {
        let answer: url::Url = location(&response).unwrap().parse().unwrap();
        told(&answer, "access_denied");
        assert_eq!(parameter(&answer, "state").as_deref(), Some("s t"));
        assert_eq!(parameter(&answer, "iss").as_ref(), Some(&server.issuer));
    }
    told(&browser.answer(&request_with("prompt", "none")).await, "consent_required");
}

/// [RFC 8707 §3](https://www.rfc-editor.org/rfc/rfc8707#section-3).
async fn what_was_allowed_at_one_api_is_asked_for_at_another(server: Server) {
    for id in ["https://one.test/", "https://two.test/"] {
        let new = NewResource {
            id: id.parse().unwrap(),
            name: None,
            scope: "notes:read".parse().unwrap(),
            client: None,
            algorithm: None,
        };
        server.admin().create_resource(new).await.unwrap();
    }
    let scope = Some("openid notes:read".parse().unwrap());
    server.client("notes", NewClient { scope, ..with_people() }).await;
    signet::jobs::follow(&server.app).await;
    let at = |resource| {
        let mut request = request_with("scope", "openid notes:read");
        request.retain(|(name, _)| *name != "client_id");
        request.extend([("client_id", "notes"), ("resource", resource)]);
        request
    };
    let silently = |resource| [at(resource), vec![("prompt", "none")]].concat();

    let browser = server.browser();
    browser.code(&at("https://one.test/")).await;
    let asked = browser.asks(&at("https://two.test/")).await;
    let words = browser.get(&asked, &[]).await.text().await.unwrap();
    assert!(words.contains("https://two.test/") && !words.contains("one.test"), "{words}");
    browser.code(&silently("https://one.test/")).await;
    told(&browser.answer(&silently("https://two.test/")).await, "consent_required");
    let anywhere = request_with("scope", "openid notes:read");
    let anywhere = anywhere.into_iter().filter(|(name, _)| *name != "client_id");
    let anywhere: Vec<_> = anywhere.chain([("client_id", "notes"), ("prompt", "none")]).collect();
    told(&browser.answer(&anywhere).await, "consent_required");
}

//! Pages and answers, as browsers and programs rely on them.

use reqwest::RequestBuilder;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use url::form_urlencoded;

use crate::support::{
    CALLBACK, PASSWORD, Server, location, parameter, request, request_with, sealed, text,
};

on_both_engines! {
    a_body_that_breaks_off_is_the_callers_fault
    a_request_without_a_token_is_told_nothing_more
    a_key_set_that_is_known_is_not_sent_again
    looking_is_not_acting
    a_request_that_another_site_posts_comes_again_with_a_get
    a_request_may_have_sixteen_kibibytes
    a_client_may_sign_people_out_by_post
    our_own_forms_say_where_they_come_from
    a_window_that_a_client_opened_stays_its_own
    an_action_that_no_button_has_is_refused
    consent_says_in_words_what_is_asked_for
    an_error_page_has_a_cause_for_people_and_details_for_developers
}

/// [RFC 9112 §8](https://www.rfc-editor.org/rfc/rfc9112#section-8).
async fn a_body_that_breaks_off_is_the_callers_fault(server: Server) {
    let host = server.issuer.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "POST /token HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n4\r\na=bc\r\nno number\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("\"error\":\"invalid_request\""), "{answer}");
}

/// [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1).
async fn a_request_without_a_token_is_told_nothing_more(server: Server) {
    let url = server.url("/userinfo");
    let challenge = async |request: RequestBuilder| {
        let response = request.send().await.unwrap();
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        (response.status().as_u16(), challenge, response.text().await.unwrap())
    };
    let bare = "Bearer realm=\"signet\"";
    for request in [
        server.http.get(&url),
        server.http.post(&url),
        server.http.get(&url).basic_auth("a", Some("b")),
    ] {
        assert_eq!(challenge(request).await, (401, bare.to_owned(), String::new()));
    }

    let (status, text, _) = challenge(server.http.get(&url).bearer_auth("x")).await;
    assert_eq!((status, text), (401, format!("{bare}, error=\"invalid_token\"")));
    let twice = server.http.post(&url).bearer_auth("x").form(&[("access_token", "x")]);
    let (status, text, body) = challenge(twice).await;
    assert_eq!((status, text), (400, format!("{bare}, error=\"invalid_request\"")));
    assert!(body.contains("more than one way"), "{body}");
}

/// [RFC 9110 §13.1.2](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2).
async fn a_key_set_that_is_known_is_not_sent_again(server: Server) {
    let url = server.url("/jwks");
    let first = server.http.get(&url).send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap();
    for known in [tag, &format!("W/{tag}"), &format!("\"x\", {tag}"), "*"] {
        let again = server.http.get(&url).header("if-none-match", known).send().await.unwrap();
        assert_eq!(again.status(), 304, "{known}");
    }
    let other = server.http.get(&url).header("if-none-match", "\"x\"").send().await.unwrap();
    assert_eq!(other.status(), 200);
    let exposed = other.headers()["access-control-expose-headers"].to_str().unwrap();
    assert_eq!(exposed, "www-authenticate,etag,dpop-nonce");
}

/// [RFC 9110 §15.5.6](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6).
async fn looking_is_not_acting(server: Server) {
    for path in ["/authorize", "/logout"] {
        let response = server.http.head(server.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 405, "{path}");
        assert_eq!(response.headers()["allow"], "GET, POST", "{path}");
    }
}

/// [OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest):
/// a POST must do, and cookies do not come with one across sites.
async fn a_request_that_another_site_posts_comes_again_with_a_get(server: Server) {
    let browser = server.browser();
    browser.code(&request()).await;
    // The value that looks like a parameter is none, and nothing of it stands in a header as it came.
    for (name, value) in [("prompt", "none"), ("login_hint", "x&prompt=none\r\nset-cookie: a=b")] {
        let stranger = server.http.post(server.url("/authorize"));
        let response = stranger.form(&request_with(name, value)).send().await.unwrap();
        assert_eq!(response.status(), 303);
        let again = location(&response).unwrap();
        assert!(again.starts_with("/authorize?"), "{again}");
        assert_eq!(again.contains("prompt=none"), name == "prompt", "{again}");
        assert!(response.headers().get("set-cookie").is_none());
        let answer = location(&browser.get(&again, &[]).await).unwrap();
        assert!(answer.starts_with(CALLBACK) && answer.contains("code="), "{answer}");
    }
}

/// [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1) sets no limit; we do, and say so.
async fn a_request_may_have_sixteen_kibibytes(server: Server) {
    let padded = |length: usize| {
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(request()).finish();
        format!("/authorize?{query}&pad={}", "x".repeat(length - query.len() - "&pad=".len()))
    };
    let browser = server.browser();
    let response = browser.follow(browser.get(&padded(16 * 1024), &[]).await).await;
    assert!(location(&response).unwrap().contains("code="));
    let response = browser.get(&padded(16 * 1024 + 1), &[]).await;
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().contains("16 KiB"));
}

/// [RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout): a
/// POST must do, and cookies do not come with one across sites.
async fn a_client_may_sign_people_out_by_post(server: Server) {
    let browser = server.browser();
    let tokens = server.tokens(&browser).await;
    let form = [
        ("id_token_hint", text(&tokens, "id_token")),
        ("post_logout_redirect_uri", "https://app.test/bye"),
        ("state", "a&b"),
    ];
    let response = server.http.post(server.url("/logout")).form(&form).send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert!(response.headers().get("set-cookie").is_none(), "nobody is signed out yet");
    let response = browser.get(&location(&response).unwrap(), &[]).await;
    assert_eq!(location(&response).unwrap(), "https://app.test/bye?state=a%26b");
    assert!(response.headers().get("set-cookie").is_some());
    let answer = browser.answer(&request_with("prompt", "none")).await;
    assert_eq!(parameter(&answer, "error").unwrap(), "login_required");
    let response = browser.get("/logout", &[]).await;
    assert!(response.headers().get("set-cookie").is_none(), "there is nothing to remove");
}

/// [Fetch §3.2](https://fetch.spec.whatwg.org/#append-a-request-origin-header): `no-referrer` makes the
/// origin of a form `null`, and some browsers say nothing else.
async fn our_own_forms_say_where_they_come_from(server: Server) {
    let browser = server.browser();
    let page = location(&browser.get("/authorize", &request()).await).unwrap();
    let response = browser.get(&page, &[]).await;
    assert_eq!(response.headers()["referrer-policy"], "same-origin");
    let form = [("request", sealed(&page)), ("action", "cancel".to_owned())];
    let from = async |origin: &str| {
        let request = browser.http.post(server.url("/login")).header("origin", origin);
        request.form(&form).send().await.unwrap()
    };
    assert_eq!(from("null").await.status(), 403);
    assert!(location(&from(&server.issuer).await).unwrap().contains("error=access_denied"));

    // A client may want to know that an answer comes from us, and nothing more.
    let response = browser.get("/authorize", &request_with("response_mode", "form_post")).await;
    let response = browser.follow(response).await;
    assert_eq!(response.headers()["referrer-policy"], "strict-origin");
}

/// [HTML §7.1.3](https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies).
async fn a_window_that_a_client_opened_stays_its_own(server: Server) {
    let browser = server.browser();
    let page = location(&browser.get("/authorize", &request()).await).unwrap();
    for path in [page.as_str(), "/authorize", "/logged-out"] {
        let response = browser.get(path, &[]).await;
        assert_eq!(response.headers()["cross-origin-opener-policy"], "unsafe-none", "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
    }
}

/// [RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12).
async fn an_action_that_no_button_has_is_refused(server: Server) {
    let browser = server.browser();
    let page = location(&browser.get("/authorize", &request()).await).unwrap();
    let form = [("request", sealed(&page)), ("username", "ada".to_owned())];
    let mut form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    form.extend([("password", PASSWORD), ("action", "LOGIN")]);
    let response = browser.post("/login", &form).await;
    assert_eq!(response.status(), 400);
    assert!(response.headers().get("set-cookie").is_none());
    // What fills in forms for people may send them without a button.
    form.pop();
    let response = browser.post("/login", &form).await;
    assert!(location(&response).unwrap().starts_with("/consent?"));
}

/// [OpenID Connect Core §3.1.2.4](https://openid.net/specs/openid-connect-core-1_0.html#Consent).
async fn consent_says_in_words_what_is_asked_for(server: Server) {
    let browser = server.browser();
    let mut wish = request_with("scope", "openid orders:read");
    wish.push(("claims", r#"{"userinfo":{"email_verified":null}}"#));
    let page = location(&browser.get("/authorize", &wish).await).unwrap();
    let sealed = sealed(&page);
    let form = [("request", sealed.as_str()), ("username", "ada"), ("password", PASSWORD)];
    let page = location(&browser.post("/login", &form).await).unwrap();
    let page = browser.get(&page, &[]).await.text().await.unwrap();
    for words in [
        "<h1>Allow <bdi>web</bdi>?</h1>",
        "You are signed in as <bdi>ada</bdi>. Your answer goes to <bdi>app.test</bdi>.",
        "<li>Know who you are</li>",
        "<li>Act for you at <bdi>https://api.test/</bdi>: <bdi>orders:read</bdi></li>",
        "<li>Whether your e-mail address is verified</li>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

/// [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1).
async fn an_error_page_has_a_cause_for_people_and_details_for_developers(server: Server) {
    let browser = server.browser();
    let page = location(&browser.get("/authorize", &request()).await).unwrap();
    server.wait(3601).await;
    for (path, cause, details) in [
        ("/authorize?client_id=nobody", "The app sent something", "client_id is not a client"),
        (page.as_str(), "This page can no longer be used", "waited for more than an hour"),
    ] {
        let response = browser.get(path, &[]).await;
        assert_eq!(response.status(), 400);
        let page = response.text().await.unwrap();
        let (above, below) = page.split_once("<dl class=\"facts\">").unwrap();
        assert!(above.contains(cause) && above.contains("role=\"alert\""), "{page}");
        assert!(below.contains(details) && below.contains("id=\"request-id\""), "{page}");
    }
}

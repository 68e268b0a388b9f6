//! A page shows what it says, to whom it is for, and runs nothing.

use reqwest::Response;

use super::stays;
use crate::support::{
    CALLBACK, PASSWORD, Server, hidden, location, request, request_with, text, with_people,
};

on_both_engines! {
    pages_cannot_be_framed_kept_or_injected
    a_form_reaches_this_requests_target_and_nothing_wider
    what_a_client_sends_is_text_on_a_page
    what_a_person_types_is_text_on_a_page
    the_page_that_posts_an_answer_runs_nothing_else
    pages_load_nothing_from_elsewhere
    errors_tell_nothing_of_how_we_work
}

fn guarded(response: &Response) {
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "unsafe-none"),
        ("cross-origin-resource-policy", "same-origin"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(response.headers()[name], value, "{}", response.url());
    }
    let referrer = response.headers()["referrer-policy"].to_str().unwrap();
    assert!(["same-origin", "strict-origin"].contains(&referrer), "{}", response.url());
    let policy = policy(response);
    for directive in
        ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(&directive), "{policy:?}");
    }
    assert!(!policy.iter().any(|directive| directive.contains("unsafe")), "{policy:?}");
    assert!(response.headers().get("server").is_none());
}

fn policy(response: &Response) -> Vec<&str> {
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    policy.split(';').map(str::trim).collect()
}

/// [RFC 9700 §4.16](https://www.rfc-editor.org/rfc/rfc9700#section-4.16),
/// [§4.2.4](https://www.rfc-editor.org/rfc/rfc9700#section-4.2.4).
async fn pages_cannot_be_framed_kept_or_injected(server: Server) {
    let browser = server.browser();
    let login = browser.asks(&request()).await;
    guarded(&browser.get(&login, &[]).await);
    guarded(&browser.signs_in(&login, "ada", "wrong").await);
    let consent = browser.page(&browser.signs_in(&login, "ada", PASSWORD).await).unwrap();
    guarded(&browser.get(&consent, &[]).await);
    let account = browser.asks(&request_with("prompt", "select_account")).await;
    guarded(&browser.get(&account, &[]).await);
    let logout = browser.get("/logout", &[]).await;
    guarded(&logout);
    let page = logout.text().await.unwrap();
    guarded(&browser.post("/logout", &[("request", hidden(&page)), ("action", "stay")]).await);
    guarded(&browser.get("/logged-out", &[]).await);
    for path in ["/authorize", "/login", "/consent"] {
        let error = browser.get(path, &[]).await;
        assert_eq!(error.status(), 400);
        guarded(&error);
    }
    let forbidden =
        browser.form("/login").header("origin", "https://evil.test").form(&[("a", "b")]);
    guarded(&forbidden.send().await.unwrap());
    let response = browser.get("/authorize", &request_with("response_mode", "form_post")).await;
    guarded(&browser.follow(response).await);
}

/// [RFC 9700 §4.16](https://www.rfc-editor.org/rfc/rfc9700#section-4.16).
async fn a_form_reaches_this_requests_target_and_nothing_wider(server: Server) {
    let addresses = [
        (CALLBACK, CALLBACK, "https://app.test"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", "http://127.0.0.1:49152"),
        ("http://[::1]/cb", "http://[::1]:5/cb", "http://*:5"),
        ("cursor://anysphere.cursor-mcp/cb", "cursor://anysphere.cursor-mcp/cb", "cursor:"),
        ("com.example.app:/cb", "com.example.app:/cb", "com.example.app:"),
    ];
    let redirect_uris = addresses.map(|(uri, ..)| uri.parse().unwrap()).into();
    let new = signet::flows::admin::NewClient { redirect_uris, public: true, ..with_people() };
    server.client("native", new).await;
    let browser = server.browser();
    for (_, address, source) in addresses {
        let mut request = request_with("redirect_uri", address);
        request.retain(|(name, _)| *name != "client_id");
        request.extend([("client_id", "native"), ("prompt", "login consent")]);
        let login = browser.asks(&request).await;
        let login_page = browser.get(&login, &[]).await;
        let consent = browser.page(&browser.signs_in(&login, "ada", PASSWORD).await).unwrap();
        for page in [login_page, browser.get(&consent, &[]).await] {
            let expected = format!("form-action 'self' {source}");
            assert!(policy(&page).contains(&expected.as_str()), "{:?}", policy(&page));
        }
    }
    stays(&browser.get("/authorize", &request_with("redirect_uri", "https://evil.test")).await);
}

/// [RFC 6749 §10.14](https://www.rfc-editor.org/rfc/rfc6749#section-10.14).
async fn what_a_client_sends_is_text_on_a_page(server: Server) {
    let browser = server.browser();
    let long = "<img src=x onerror=alert(1)>".repeat(300);
    for value in
        ["\"><img src=x onerror=alert(1)>", "'-alert(1)-'", "</title><script>x</script>", &long]
    {
        for name in ["login_hint", "ui_locales", "acr_values", "display", "claims_locales", "state"]
        {
            let request = request_with(name, value);
            if name == "state" && value.len() > 4096 {
                continue;
            }
            let page = browser.asks(&request).await;
            let response = browser.get(&page, &[]).await;
            assert_eq!(response.status(), 200, "{name}");
            let page = response.text().await.unwrap();
            assert!(!page.contains("<img") && !page.contains("<script"), "{name} {page}");
            assert!(!page.contains("'-alert"), "{name} {page}");
        }
        for path in ["/authorize", "/login", "/consent", "/logout"] {
            for name in ["client_id", "request", "redirect_uri", "error", "id_token_hint", "x"] {
                let page = browser.get(path, &[(name, value)]).await;
                let page = page.text().await.unwrap();
                assert!(
                    !page.contains("<img") && !page.contains("<script"),
                    "{path} {name} {page}"
                );
                assert!(!page.contains("alert("), "{path} {name} {page}");
            }
        }
    }
    let page = browser.asks(&request_with("login_hint", "ada")).await;
    let page = browser.get(&page, &[]).await.text().await.unwrap();
    assert!(page.contains("value=\"ada\""), "{page}");
    for locales in ["../../etc/passwd", "xx-evil", "en de"] {
        assert!(browser.asks(&request_with("ui_locales", locales)).await.starts_with("/login?"));
    }
}

/// [RFC 6749 §10.14](https://www.rfc-editor.org/rfc/rfc6749#section-10.14).
async fn what_a_person_types_is_text_on_a_page(server: Server) {
    let browser = server.browser();
    let page = browser.asks(&request()).await;
    for typed in
        ["\"><script>alert(1)</script>", "' onfocus=alert(1) '", "\u{202e}ada", "\r\n\r\n<b>"]
    {
        let answer = browser.signs_in(&page, typed, "<script>p4ss</script>").await;
        let answer = answer.text().await.unwrap();
        assert!(!answer.contains("<script") && !answer.contains("<b>"), "{answer}");
        assert!(!answer.contains("' onfocus") && !answer.contains("p4ss"), "{answer}");
    }
    let answer = browser.signs_in(&page, "mallory", "wrong").await.text().await.unwrap();
    assert!(answer.contains("value=\"mallory\""), "{answer}");
}

/// [Form Post Response Mode §4](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html#Security).
async fn the_page_that_posts_an_answer_runs_nothing_else(server: Server) {
    let browser = server.browser();
    for state in ["\"><script>alert(1)</script>", "' onload='alert(1)"] {
        let mut request = request_with("state", state);
        request.push(("response_mode", "form_post"));
        let response = browser.follow(browser.get("/authorize", &request).await).await;
        guarded(&response);
        let policy = policy(&response).join(";");
        assert!(policy.contains("script-src 'self'"), "{policy}");
        assert!(policy.contains("form-action 'self' https://app.test"), "{policy}");
        let page = response.text().await.unwrap();
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert!(page.contains("<script src=\"/assets/form_post.js\"></script>"), "{page}");
        assert!(!page.contains("'alert(1)"), "{page}");
        assert!(page.contains(&format!("action=\"{CALLBACK}\"")), "{page}");
    }
}

/// [RFC 9700 §4.2.4](https://www.rfc-editor.org/rfc/rfc9700#section-4.2.4).
async fn pages_load_nothing_from_elsewhere(server: Server) {
    let browser = server.browser();
    let login = browser.asks(&request()).await;
    let consent = browser.page(&browser.signs_in(&login, "ada", PASSWORD).await).unwrap();
    for page in [login.as_str(), &consent, "/logout", "/logged-out", "/authorize"] {
        let page = browser.get(page, &[]).await.text().await.unwrap();
        for attribute in ["src=\"", "href=\"", "action=\""] {
            for address in page.split(attribute).skip(1) {
                assert!(address.starts_with('/') && !address.starts_with("//"), "{address}");
            }
        }
        assert!(!page.contains(" style=") && !page.contains(" onclick"), "{page}");
    }
    for name in ["signet.css", "form_post.js"] {
        let asset = browser.get(&format!("/assets/{name}"), &[]).await;
        assert_eq!(asset.headers()["x-content-type-options"], "nosniff");
        assert!(!asset.text().await.unwrap().contains("://"), "{name}");
    }
    for name in ["..%2f..%2fCargo.toml", "%2e%2e/x", "signet.css/..", "x"] {
        let status = browser.get(&format!("/assets/{name}"), &[]).await.status();
        assert_eq!(status, 404, "{name}");
    }
}

/// [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
async fn errors_tell_nothing_of_how_we_work(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    for path in ["/", "/nothing", "/token/", "//token", "/%2f", "/token;x", "/admin", "/.git/HEAD"]
    {
        let response = server.http.get(server.url(path)).send().await.unwrap();
        assert!(response.status() == 404 || response.status() == 405, "{path}");
        assert!(response.text().await.unwrap().is_empty(), "{path}");
    }
    let code = "' or 1=1; drop table codes; --";
    let form = crate::support::code_form(code);
    let (_, answer) = server.post("/token", Some(&server.web), &form).await;
    for word in ["sql", "select", "panic", "src/", ".rs", "stack"] {
        assert!(!answer.to_string().to_lowercase().contains(word), "{answer}");
    }
    assert_eq!(server.refresh(text(&tokens, "refresh_token")).await.0, 200);
    let response = server.browser().get("/authorize", &request()).await;
    assert!(location(&response).is_some() && response.headers().get("x-powered-by").is_none());
}

//! Nobody is sent where nobody registered to be.

use signet::flows::admin::{ClientChange, NewClient};

use super::stays;
use crate::support::{
    CALLBACK, PASSWORD, Server, location, parameter, request, request_with, request_without,
    with_people,
};

on_both_engines! {
    an_address_that_is_not_registered_is_never_redirected_to
    an_address_that_is_not_registered_is_never_gone_to_after_signing_out
    a_registered_address_is_text_and_never_a_pattern
    only_the_port_of_a_loopback_address_may_differ
    a_web_client_has_no_loopback_address
    an_unknown_client_is_never_redirected
    an_address_that_was_unregistered_stops_working_on_every_node
    no_parameter_of_any_page_sends_the_browser_elsewhere
    a_password_is_never_sent_on
}

/// Registered is [`CALLBACK`].
const ELSEWHERE: [&str; 33] = [
    "https://app.test/cb/",
    "https://app.test/cb?x=1",
    "https://app.test/cb#f",
    "https://app.test/cb#",
    "https://app.test/CB",
    "https://app.test/c%62",
    "https://app.test:443/cb",
    "https://app.test:444/cb",
    "HTTPS://APP.TEST/cb",
    "https://app.test./cb",
    "http://app.test/cb",
    "https://app.test@evil.test/cb",
    "https://app.test%40evil.test/cb",
    "https://a@@evil.test/cb",
    "https://evil.test\\@app.test/cb",
    "https://evil.test#@app.test/cb",
    "https://app.test/cb/../../evil",
    "https://app.test/cb/../cb",
    "https://app.test/cb/..;/x",
    "https://app.test/cb/%2e%2e/x",
    "https://app.test/cb/%252e%252e/x",
    "https://app.test.evil.test/cb",
    "https://evilapp.test/cb",
    "https://\u{430}pp.test/cb",
    "https://app.test/cb\r\nset-cookie: a=b",
    " https://app.test/cb",
    "https://app.test/cb ",
    "//app.test/cb",
    "/cb",
    "javascript:alert(1)//https://app.test/cb",
    "JaVaScRiPt:alert(1)",
    "data:text/html,https://app.test/cb",
    "blob:https://app.test/cb",
];

/// [RFC 9700 §4.1.3](https://www.rfc-editor.org/rfc/rfc9700#section-4.1.3).
async fn an_address_that_is_not_registered_is_never_redirected_to(server: Server) {
    let browser = server.browser();
    for address in ELSEWHERE {
        for mode in ["query", "form_post"] {
            let mut request = request_with("redirect_uri", address);
            request.push(("response_mode", mode));
            let response = browser.get("/authorize", &request).await;
            stays(&response);
            // RFC 9700 §4.11.2: nor does the page itself lead there.
            let page = response.text().await.unwrap();
            assert!(!page.contains("app.test") && !page.contains("evil.test"), "{address}");
        }
    }
    stays(&browser.get("/authorize", &request_without("redirect_uri")).await);
    assert!(parameter(&browser.answer(&request()).await, "code").is_some());
}

fn bye(address: &str) -> [(&str, &str); 2] {
    [("client_id", "web"), ("post_logout_redirect_uri", address)]
}

/// [RP-Initiated Logout §3](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RedirectionAfterLogout).
async fn an_address_that_is_not_registered_is_never_gone_to_after_signing_out(server: Server) {
    const BYE: &str = "https://app.test/bye";

    let browser = server.browser();
    for address in ELSEWHERE {
        let address = address.replace("/cb", "/bye");
        stays(&browser.get("/logout", &bye(&address)).await);
    }
    // An address for one thing is not one for the other, and somebody must have registered it.
    stays(&browser.get("/logout", &bye(CALLBACK)).await);
    stays(&browser.get("/logout", &[("post_logout_redirect_uri", BYE)]).await);
    stays(&browser.get("/logout", &[("client_id", "machine"), bye(BYE)[1]]).await);
    assert_eq!(location(&browser.get("/logout", &bye(BYE)).await).unwrap(), BYE);
}

/// [RFC 9700 §4.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-4.1.1).
async fn a_registered_address_is_text_and_never_a_pattern(server: Server) {
    let literal = "https://app.test/.*";
    let new = NewClient { redirect_uris: vec![literal.parse().unwrap()], ..with_people() };
    server.client("pattern", new).await;
    let browser = server.browser();
    for (address, fits) in
        [(literal, true), ("https://app.test/x", false), ("https://app.test/.x", false)]
    {
        let mut request = request_with("redirect_uri", address);
        request.retain(|(name, _)| *name != "client_id");
        request.push(("client_id", "pattern"));
        let response = browser.get("/authorize", &request).await;
        assert_eq!(browser.page(&response).is_some(), fits, "{address}");
    }
    for address in ["https://*.app.test/cb", "https://app.test*", "javascript:x", "data:,x"] {
        assert!(address.parse::<signet::values::RedirectUri>().is_err(), "{address}");
    }
}

/// [RFC 8252 §7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
async fn only_the_port_of_a_loopback_address_may_differ(server: Server) {
    let uris = ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:3118/cb"];
    let redirect_uris = uris.map(|uri| uri.parse().unwrap()).into();
    server.client("native", NewClient { redirect_uris, public: true, ..with_people() }).await;
    let browser = server.browser();
    for (address, fits) in [
        ("http://127.0.0.1:49152/cb", true),
        ("http://[::1]:5/cb", true),
        ("http://localhost:61000/cb", true),
        ("http://localhost/cb", true),
        ("http://127.0.0.1:49152/other", false),
        ("http://127.0.0.1:49152/cb?x=1", false),
        ("http://127.0.0.1:1@evil.test/cb", false),
        ("http://127.0.0.1.evil.test/cb", false),
        ("http://127.0.0.2:1/cb", false),
        ("http://127.1:1/cb", false),
        ("http://2130706433:1/cb", false),
        ("https://127.0.0.1:1/cb", false),
        ("http://127.0.0.1:99999/cb", false),
        ("http://127.0.0.1:-1/cb", false),
        ("http://localhost.evil.test:1/cb", false),
        ("http://localhost:1\\.evil.test/cb", false),
    ] {
        let mut request = request_with("redirect_uri", address);
        request.retain(|(name, _)| *name != "client_id");
        request.push(("client_id", "native"));
        let response = browser.get("/authorize", &request).await;
        assert_eq!(browser.page(&response).is_some(), fits, "{address}");
        if !fits {
            stays(&response);
        }
    }
}

/// [RFC 8252 §8.4](https://www.rfc-editor.org/rfc/rfc8252#section-8.4).
async fn a_web_client_has_no_loopback_address(server: Server) {
    for address in ["http://127.0.0.1:1/cb", "http://localhost:1/cb", "http://[::1]:1/cb"] {
        let request = request_with("redirect_uri", address);
        stays(&server.browser().get("/authorize", &request).await);
    }
}

/// [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1).
async fn an_unknown_client_is_never_redirected(server: Server) {
    let browser = server.browser();
    for client in ["", "nobody", "WEB", "web ", "web\u{e4}", "https://app.test/client"] {
        stays(&browser.get("/authorize", &request_with("client_id", client)).await);
    }
    stays(&browser.get("/authorize", &request_without("client_id")).await);
    // A client that signs nobody in has nowhere to send anybody.
    stays(&browser.get("/authorize", &request_with("client_id", "machine")).await);
}

/// [RFC 6749 §3.1.2.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2.3).
async fn an_address_that_was_unregistered_stops_working_on_every_node(server: Server) {
    let node = server.node().await;
    let browser = node.browser();
    let page = browser.asks(&request()).await;
    let redirect_uris = Some(vec!["https://app.test/new".parse().unwrap()]);
    let change = ClientChange { redirect_uris, ..ClientChange::default() };
    server.admin().update_client(&"web".parse().unwrap(), change).await.unwrap();
    node.follow().await;
    stays(&browser.get("/authorize", &request()).await);
    // What was under way does not arrive, either.
    stays(&browser.signs_in(&page, "ada", PASSWORD).await);
}

/// [RFC 9700 §4.11.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2).
async fn no_parameter_of_any_page_sends_the_browser_elsewhere(server: Server) {
    const NAMES: [&str; 9] = [
        "next",
        "url",
        "return_to",
        "redirect",
        "continue",
        "target_link_uri",
        "initiate_login_uri",
        "post_logout_redirect_uri",
        "request",
    ];

    let browser = server.browser();
    for path in ["/authorize", "/login", "/consent", "/logout", "/logged-out", "//evil.test/"] {
        for value in ["https://evil.test/", "//evil.test/", "/\\evil.test/", "javascript:alert(1)"]
        {
            for name in NAMES {
                let response = browser.get(path, &[(name, value)]).await;
                let next = location(&response);
                assert!(next.is_none_or(|next| next == "/logged-out"), "{path} {name}");
                assert!(!response.text().await.unwrap().contains("evil.test"), "{path} {name}");
            }
        }
    }
    let mut request = request();
    for name in NAMES.into_iter().filter(|name| *name != "request") {
        request.push((name, "https://evil.test/"));
    }
    let answer = browser.answer(&request).await;
    assert!(answer.as_str().starts_with("https://app.test/cb?code="), "{answer}");
}

/// [RFC 9700 §4.12](https://www.rfc-editor.org/rfc/rfc9700#section-4.12).
async fn a_password_is_never_sent_on(server: Server) {
    let browser = server.browser();
    let to_consent = browser.begins(&request()).await;
    assert_eq!(to_consent.status(), 303);
    assert_eq!(browser.follow(to_consent).await.status(), 303);
    let to_the_client = browser.begins(&request_with("prompt", "login")).await;
    assert_eq!(to_the_client.status(), 303);
    assert!(location(&to_the_client).unwrap().starts_with(CALLBACK));
}

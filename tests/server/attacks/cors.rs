//! Programs in other sites' pages may call what is for programs, without anybody's cookies, and
//! nothing else.

use reqwest::{Method, Response, header::HeaderMap};

use crate::support::Server;

on_both_engines! {
    programs_may_ask_from_anywhere_whether_they_may_call
    programs_may_read_answers_from_anywhere
    pages_and_introspection_may_not_be_called_from_elsewhere
}

const OPEN: [(&str, &str); 6] = [
    ("/.well-known/openid-configuration", "GET"),
    ("/.well-known/oauth-authorization-server", "GET"),
    ("/jwks", "GET"),
    ("/token", "POST"),
    ("/userinfo", "GET"),
    ("/revoke", "POST"),
];

const ORIGINS: [&str; 4] =
    ["http://localhost:6274", "https://app.test", "https://app.test.evil.test", "null"];

async fn preflight(server: &Server, path: &str, method: &str, origin: &str) -> Response {
    let request = server.http.request(Method::OPTIONS, server.url(path));
    let request = request.header("origin", origin).header("access-control-request-method", method);
    let asked = "authorization,content-type,dpop,mcp-protocol-version";
    request.header("access-control-request-headers", asked).send().await.unwrap()
}

fn allowed(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let names = headers.iter().filter(|(name, _)| name.as_str().starts_with("access-control-"));
    names.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
}

/// [RFC 9700 §2.6](https://www.rfc-editor.org/rfc/rfc9700#section-2.6),
/// [RFC 7009 §2.3](https://www.rfc-editor.org/rfc/rfc7009#section-2.3).
async fn programs_may_ask_from_anywhere_whether_they_may_call(server: Server) {
    for (path, method) in OPEN {
        for origin in ORIGINS {
            let response = preflight(&server, path, method, origin).await;
            assert!(response.status().is_success(), "{path}");
            let headers = response.headers();
            assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
            let methods = headers["access-control-allow-methods"].to_str().unwrap();
            assert!(methods.split(',').any(|allowed| allowed.trim() == method), "{path} {methods}");
            let names = headers["access-control-allow-headers"].to_str().unwrap();
            for name in ["authorization", "content-type", "dpop", "mcp-protocol-version"] {
                assert!(names.split(',').any(|allowed| allowed.trim() == name), "{path} {names}");
            }
            assert!(headers.get("access-control-allow-credentials").is_none(), "{path}");
        }
    }
}

/// [RFC 9700 §2.6](https://www.rfc-editor.org/rfc/rfc9700#section-2.6).
async fn programs_may_read_answers_from_anywhere(server: Server) {
    for (path, method) in OPEN {
        for origin in ORIGINS {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = server.http.request(method, server.url(path));
            let request = request.header("origin", origin).header("cookie", "signet_session=x");
            let response = request.send().await.unwrap();
            let headers = response.headers();
            assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
            assert!(headers.get("access-control-allow-credentials").is_none(), "{path}");
            let exposed = headers["access-control-expose-headers"].to_str().unwrap();
            for name in ["www-authenticate", "dpop-nonce"] {
                assert!(exposed.contains(name), "{path}");
            }
        }
    }
}

/// [RFC 9700 §2.6](https://www.rfc-editor.org/rfc/rfc9700#section-2.6).
async fn pages_and_introspection_may_not_be_called_from_elsewhere(server: Server) {
    for path in ["/authorize", "/login", "/consent", "/logout", "/logged-out", "/introspect"] {
        for origin in ORIGINS.into_iter().chain([server.issuer.as_str()]) {
            for method in ["GET", "POST"] {
                let response = preflight(&server, path, method, origin).await;
                assert!(response.status().is_client_error(), "{path}");
                assert_eq!(allowed(response.headers()), [], "{path}");
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let request = server.http.request(method, server.url(path));
                let response = request.header("origin", origin).send().await.unwrap();
                assert_eq!(allowed(response.headers()), [], "{path}");
            }
        }
    }
}

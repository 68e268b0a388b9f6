//! What clients find without asking anybody
//! ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414),
//! [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html)).

use serde_json::{Value, json};

use super::{
    claims, dpop,
    resource::{Catalogue, IDENTITY_SCOPES},
};
use crate::{
    model::GrantType,
    values::{Acr, Algorithm, Issuer, Prompt},
};

/// The ways in which a client may authenticate at the token endpoint.
const CLIENT_AUTHENTICATION: [&str; 4] =
    ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

/// The languages of our pages, as BCP 47 names them.
pub const UI_LOCALES: [&str; 1] = ["en"];

/// The one document that both specifications describe.
#[must_use]
pub fn document(issuer: &Issuer, catalogue: &Catalogue) -> Value {
    let confidential = &CLIENT_AUTHENTICATION[..3];
    let algorithms = Algorithm::ALL.map(Algorithm::as_str);
    let of_apis = catalogue.resources().iter().flat_map(|resource| resource.scope.iter());
    let mut scopes: Vec<&str> = IDENTITY_SCOPES.into_iter().chain(of_apis).collect();
    scopes[IDENTITY_SCOPES.len()..].sort_unstable();
    scopes.dedup();
    json!({
        "issuer": issuer,
        "authorization_endpoint": issuer.join("/authorize"),
        "token_endpoint": issuer.join("/token"),
        "jwks_uri": issuer.join("/jwks"),
        "userinfo_endpoint": issuer.join("/userinfo"),
        "introspection_endpoint": issuer.join("/introspect"),
        "revocation_endpoint": issuer.join("/revoke"),
        "end_session_endpoint": issuer.join("/logout"),
        "status_list_aggregation_endpoint": issuer.join("/status"),
        "device_authorization_endpoint": issuer.join("/device_authorization"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": dpop::ALGORITHMS.map(Algorithm::as_str),
        "authorization_response_iss_parameter_supported": true,
        "prompt_values_supported": Prompt::ALL.map(Prompt::as_str),
        "acr_values_supported": Acr::ALL.map(Acr::as_str),
        "claim_types_supported": ["normal"],
        "claims_supported": supported_claims(),
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "display_values_supported": ["page"],
        "ui_locales_supported": UI_LOCALES,
    })
}

fn supported_claims() -> Vec<&'static str> {
    let of_the_token = ["iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"];
    claims::supported().chain(of_the_token).collect()
}

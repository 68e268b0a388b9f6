//! Sign-in through the browser of this computer: the code grant with PKCE
//! ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)) and an address of this computer
//! ([RFC 8252 §7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).

use std::{collections::HashMap, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest, Sha256};
use url::Url;

use super::{
    Login, Prompt,
    loopback::{Callback, Loopback},
};
use crate::{
    Error,
    fetch::secure,
    metadata::Metadata,
    random,
    server::{Server, Tokens, plain},
};

/// For how long somebody may take to sign in.
const PATIENCE: Duration = Duration::from_mins(10);

/// What only this sign-in knows.
struct Secrets {
    state: String,
    nonce: Option<String>,
    verifier: String,
}

/// Tokens, and the nonce that the ID token must have.
pub(super) async fn sign_in(
    login: &Login,
    server: &Server,
    show: impl FnOnce(&Prompt) + Send,
) -> Result<(Tokens, Option<String>), Error> {
    let metadata = server.metadata().await?;
    let loopback = Loopback::open().await?;
    let secrets = Secrets {
        state: random::word(),
        nonce: login.asks_who().then(random::word),
        verifier: BASE64.encode(random::bytes::<32>()),
    };
    let url = address(login, &metadata, &loopback, &secrets)?;

    show(&Prompt::Visit { url: url.into() });
    let callback = tokio::select! {
        callback = loopback.wait_for(&secrets.state) => callback?,
        () = login.clock.sleep(PATIENCE) => {
            return Err(Error::NotLetIn { what: "nobody signed in within ten minutes" });
        }
    };

    let redirect_uri = loopback.redirect_uri();
    let tokens = redeem(server, &metadata, &callback, &redirect_uri, &secrets.verifier).await;
    // The page says what happened, since the person looks there.
    callback.answer(tokens.is_ok()).await;
    Ok((tokens?, secrets.nonce))
}

fn address(
    login: &Login,
    metadata: &Metadata,
    loopback: &Loopback,
    secrets: &Secrets,
) -> Result<Url, Error> {
    let endpoint = metadata.authorization_endpoint.as_deref();
    let endpoint = endpoint.ok_or(Error::Unsupported { what: "authorization endpoint" })?;
    // A server that does not know PKCE would ignore the challenge (RFC 9700 §2.1.1).
    if !metadata.code_challenge_methods_supported.iter().any(|method| method == "S256") {
        return Err(Error::Unsupported { what: "PKCE method S256" });
    }
    let challenge = BASE64.encode(Sha256::digest(&secrets.verifier));
    let mut url = secure(endpoint)?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &login.client_id)
        .append_pair("redirect_uri", &loopback.redirect_uri())
        .extend_pairs(login.wishes())
        .append_pair("state", &secrets.state)
        .extend_pairs(secrets.nonce.iter().map(|nonce| ("nonce", nonce)))
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    Ok(url)
}

async fn redeem(
    server: &Server,
    metadata: &Metadata,
    callback: &Callback,
    redirect_uri: &str,
    verifier: &str,
) -> Result<Tokens, Error> {
    let code = code(&callback.parameters, server.issuer.as_str(), metadata)?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
    ];
    server.tokens(&form).await
}

/// The code, if the answer is this server's own
/// ([RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)).
fn code<'a>(
    parameters: &'a HashMap<String, String>,
    issuer: &str,
    metadata: &Metadata,
) -> Result<&'a str, Error> {
    let own = match parameters.get("iss") {
        Some(named) => named == issuer,
        None => !metadata.authorization_response_iss_parameter_supported,
    };
    if !own {
        return Err(Error::NotLetIn { what: "the answer came from another authorization server" });
    }
    match (parameters.get("code"), parameters.get("error").map(String::as_str)) {
        (_, Some("access_denied")) => Err(Error::NotLetIn { what: "the sign-in was not allowed" }),
        (_, Some(code)) => {
            let description = parameters.get("error_description").map(|text| plain(text));
            Err(Error::Refused { code: plain(code), description })
        }
        (Some(code), None) => Ok(code),
        (None, None) => Err(Error::NotLetIn { what: "the answer has no code" }),
    }
}

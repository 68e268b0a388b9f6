//! Sign-in on another screen: the device grant
//! ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::{Login, Prompt};
use crate::{
    Error,
    fetch::secure,
    secret::Secret,
    server::{Server, Tokens, plain},
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How long it is between two questions where the server does not say (§3.2), by how much it grows when
/// they come too fast (§3.5), and how far it grows when the server does not answer.
const INTERVAL: u64 = 5;
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
struct Begun {
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

pub(super) async fn sign_in(
    login: &Login,
    server: &Server,
    show: impl FnOnce(&Prompt) + Send,
) -> Result<Tokens, Error> {
    let begun = begin(login, server).await?;
    let ends = login.clock.moment().plus(Duration::from_secs(begun.expires_in));

    show(&Prompt::Enter {
        code: plain(&begun.user_code),
        url: begun.verification_uri.clone(),
        url_with_code: begun.verification_uri_complete.clone(),
    });

    let mut interval = Duration::from_secs(begun.interval.unwrap_or(INTERVAL).max(1));
    let form = [("grant_type", GRANT), ("device_code", begun.device_code.expose())];
    while !ends.passed(login.clock.moment()) {
        login.clock.sleep(interval).await;
        match server.tokens(&form).await {
            Err(Error::Refused { code, .. }) if code == "authorization_pending" => {}
            Err(Error::Refused { code, .. }) if code == "slow_down" => {
                interval += Duration::from_secs(INTERVAL);
            }
            Err(Error::Refused { code, .. }) if code == "access_denied" => {
                return Err(Error::NotLetIn { what: "the sign-in was not allowed" });
            }
            Err(Error::Refused { code, .. }) if code == "expired_token" => break,
            // A server that is away for a moment does not end a sign-in (§3.5).
            Err(error) if error.is_temporary() => {
                let asked = error.retry_after().unwrap_or_default();
                interval = (interval * 2).min(LONGEST_INTERVAL).max(asked);
            }
            answer => return answer,
        }
    }
    Err(Error::NotLetIn { what: "the code was not used in time" })
}

async fn begin(login: &Login, server: &Server) -> Result<Begun, Error> {
    let metadata = server.metadata().await?;
    let endpoint = metadata.device_authorization_endpoint.as_deref();
    let endpoint = endpoint.ok_or(Error::Unsupported { what: "device authorization endpoint" })?;
    let form: Vec<_> = login.wishes().collect();
    let answer = server.post(endpoint, &form).await?;
    if answer.status != StatusCode::OK {
        return Err(server.refusal(&answer));
    }
    let unlike = || answer.unreadable("does not answer as RFC 8628 §3.2 says");
    let begun: Begun = serde_json::from_slice(&answer.body).map_err(|_| unlike())?;
    // The person is sent there.
    secure(&begun.verification_uri)?;
    if let Some(url) = &begun.verification_uri_complete {
        secure(url)?;
    }
    Ok(begun)
}

//! `POST /api-keys/leaked`: where scanners report keys that they have found. What they send and are answered
//! are those of [GitHub's partner programme](https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partner-program).

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::{Refusal, respond::NoStore};
use crate::{
    edge::JsonBody,
    flows::{self, App},
    protocol::ErrorCode::InvalidRequest,
};

/// How many keys one report tells of.
const MOST: usize = 100;

#[derive(Deserialize)]
struct Found {
    token: String,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Serialize)]
pub(super) struct Verdict {
    token_raw: String,
    token_type: String,
    label: &'static str,
}

pub(super) async fn leaked(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody,
) -> Result<NoStore<Vec<Verdict>>, Refusal> {
    let found: Vec<Found> = serde_json::from_str(&body).map_err(|_| {
        InvalidRequest.because("the body is not a JSON array of objects with a token")
    })?;
    if found.len() > MOST {
        return Err(InvalidRequest.because("a report tells of 100 keys at most").into());
    }

    let texts: Vec<_> = found.iter().map(|found| found.token.as_str()).collect();
    let known = flows::api_key::leaked(&app, &texts).await?;
    let verdicts = found.into_iter().zip(known).map(|(found, known)| Verdict {
        token_raw: found.token,
        token_type: found.kind,
        label: if known { "true_positive" } else { "false_positive" },
    });
    Ok(NoStore(verdicts.collect()))
}

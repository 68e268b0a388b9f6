//! Signing out: the server is told, and nothing is kept
//! ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)).

use http::StatusCode;

use super::{
    Session,
    keep::{Secrets, blocking},
};
use crate::Error;

impl Session {
    /// Sign out. What is kept goes in any case; an error says that the server could not be told, or
    /// that something could not be removed.
    pub async fn sign_out(self) -> Result<(), Error> {
        let (lock, kept) = self.locked().await?;
        let told = match kept {
            Some(secrets) => self.revoke(&secrets).await,
            None => Ok(()),
        };
        blocking(move || self.remove()).await?;
        drop(lock);
        told
    }

    /// With the refresh token end all tokens that came of it (§2.1).
    async fn revoke(&self, secrets: &Secrets) -> Result<(), Error> {
        let (token, hint) = match (&secrets.refresh_token, &secrets.access_token) {
            (Some(token), _) => (token, "refresh_token"),
            (None, Some(token)) => (token, "access_token"),
            (None, None) => return Ok(()),
        };
        let server = self.server()?;
        let metadata = server.metadata().await?;
        let endpoint = metadata.revocation_endpoint.as_deref();
        let endpoint = endpoint.ok_or(Error::Unsupported { what: "revocation endpoint" })?;
        let form = [("token", token.expose()), ("token_type_hint", hint)];
        let answer = server.post(endpoint, &form).await?;
        if answer.status == StatusCode::OK { Ok(()) } else { Err(server.refusal(&answer)) }
    }
}

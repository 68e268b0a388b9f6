//! Tokens for the client itself
//! ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).

use crate::{
    AccessToken,
    server::Server,
    source::{Errand, Obtain},
    state::Obtained,
};

/// What is asked for each time.
#[derive(Debug)]
pub(crate) struct ClientCredentials {
    pub(crate) server: Server,
    pub(crate) scope: Option<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) audience: Option<String>,
}

impl Obtain for ClientCredentials {
    /// Whatever was rejected, the server makes a new one.
    fn obtain(&self, _rejected: Option<AccessToken>) -> Errand<'_> {
        Box::pin(async {
            let tokens = self.server.tokens(&self.form()).await?;
            let (ends, lifetime) = (Some(tokens.ends), tokens.lifetime);
            Ok(Obtained { token: tokens.access, ends, lifetime, failed: None })
        })
    }
}

impl ClientCredentials {
    fn form(&self) -> Vec<(&str, &str)> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.iter().map(|scope| ("scope", scope.as_str())));
        form.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        form.extend(self.audience.iter().map(|audience| ("audience", audience.as_str())));
        form
    }
}

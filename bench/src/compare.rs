//! Another server under the same load, as far as the standards name its endpoints
//! ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)).

use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::Context;
use serde_json::Value;
use url::Url;

use crate::{
    run::{Bench, Bound, Workload, ask},
    visitors::{get, post},
    wire::Connection,
};

/// Another server, and a client that it knows.
pub(crate) struct Other {
    pub(crate) issuer: Url,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) scope: Option<String>,
}

impl Other {
    /// Load what can be loaded without a person.
    pub(crate) async fn load(&self, bench: &Bench) -> anyhow::Result<Vec<Workload>> {
        let path = self.issuer.path().trim_end_matches('/');
        let discovery = format!("{path}/.well-known/openid-configuration");
        let address = address(&self.issuer)?;
        let host = self.issuer.authority();
        let request = get(host, &discovery, "");
        let mut connection = Connection::to(address);
        let answer = connection.exchange(&request).await?.expect(200)?;
        let metadata: Value = serde_json::from_slice(answer.body)?;
        let endpoint = |name: &str| -> anyhow::Result<Url> {
            Ok(metadata[name].as_str().with_context(|| format!("no {name}"))?.parse()?)
        };

        let client = Some((self.client_id.as_str(), self.client_secret.as_str()));
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let at = (address, None);
        let token_endpoint = endpoint("token_endpoint")?;
        let token = post(host, token_endpoint.path(), client, &form);
        let (issued, _) = ask(address, &token, "access_token").await?;
        let keys = get(host, endpoint("jwks_uri")?.path(), "");
        let mut done = vec![
            bench.repeated("other: client_credentials", Bound::Rs256(1), token, "", at).await?,
            bench.repeated("other: JWKS", Bound::Answer(0), keys, "", at).await?,
            bench.repeated("other: discovery", Bound::Answer(0), request, "", at).await?,
        ];
        if let Ok(introspection) = endpoint("introspection_endpoint") {
            let request = post(host, introspection.path(), client, &[("token", &issued)]);
            let (name, bound) = ("other: introspection", Bound::Verification);
            done.push(bench.repeated(name, bound, request, "", at).await?);
        }
        Ok(done)
    }
}

fn address(url: &Url) -> anyhow::Result<SocketAddr> {
    let host = url.host_str().context("the address names no host")?;
    let port = url.port_or_known_default().context("the address names no port")?;
    // A server that runs beside us listens on the older kind first.
    let mut found: Vec<_> = (host, port).to_socket_addrs()?.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.first().copied().context("the host has no address")
}

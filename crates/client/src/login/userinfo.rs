//! What the person is called
//! ([OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)). An ID
//! token that comes with an access token need not say it (§5.4).

use http::{HeaderMap, header};

use super::Person;
use crate::{AccessToken, server::Server};

/// The person with a name and an address, where the server tells them. A name is a courtesy: that there
/// is none keeps nobody from signing in.
pub(super) async fn named(server: &Server, token: &AccessToken, person: Person) -> Person {
    if person.name.is_some() {
        return person;
    }
    match told(server, token).await {
        // Whoever else it speaks of is not the one who has signed in (§5.3.2).
        Some(told) if told.subject == person.subject => told,
        _ => person,
    }
}

async fn told(server: &Server, token: &AccessToken) -> Option<Person> {
    let metadata = server.metadata().await.ok()?;
    let url = metadata.userinfo_endpoint.as_deref()?;
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, token.authorization())]);
    let body = server.document(url, headers).await.ok()?;
    serde_json::from_slice(&body).ok()
}

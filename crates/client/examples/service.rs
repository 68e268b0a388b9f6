//! How does a service call an API? With credentials of its own, and a middleware that carries the tokens.
//!
//! `cargo run -p signet-client --example service ISSUER CLIENT_ID SECRET URL`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use reqwest_middleware::ClientBuilder;
use signet_client::{Authorize, Credentials, TokenSource};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [_, issuer, client_id, secret, url] = &env::args().collect::<Vec<_>>()[..] else {
        return Err("give an issuer, a client id, its secret and the address of an API".into());
    };
    let credentials = Credentials::secret(client_id, secret);
    let source = TokenSource::client_credentials(issuer, credentials).build()?;

    let http = reqwest::Client::builder().build()?;
    let api = ClientBuilder::new(http).with(Authorize::new(source).to(url)?).build();
    let response = api.get(url).send().await?;
    println!("{}\n{}", response.status(), response.text().await?);
    Ok(())
}

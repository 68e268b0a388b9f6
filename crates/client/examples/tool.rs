//! How does a command line tool act for a person? It signs them in once, and finds them again.
//!
//! `cargo run -p signet-client --features login --example tool ISSUER CLIENT_ID`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use signet_client::{
    Environment,
    login::{Login, Sessions, Way, present},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [_, issuer, client_id] = &env::args().collect::<Vec<_>>()[..] else {
        return Err("give an issuer and a client id".into());
    };
    if let Some(source) = Environment::of("signet-example").source()? {
        println!("given: {:?}", source.token().await?);
        return Ok(());
    }

    let sessions = Sessions::of("signet-example")?;
    let session = if let Some(session) = sessions.find(issuer, client_id).await? {
        session
    } else {
        let login = Login::new(issuer, client_id).scope("openid offline_access");
        sessions.keep(login.sign_in(Way::automatic(), present).await?).await?
    };
    println!("{:?}: {:?}", session.person(), session.source()?.token().await?);
    Ok(())
}

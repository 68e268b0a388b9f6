//! An API of orders, guarded: `cargo run -p signet-guard --example orders -- ISSUER AUDIENCE`.
//!
//! With a server on this machine:
//!
//! ```sh
//! export SIGNET_DATABASE_URL=sqlite:signet.db
//! signet serve --issuer http://localhost:8080 &
//! signet resource create --id http://127.0.0.1:9000 --scope orders:read --scope orders:write
//! signet client create --client-id billing --grant client_credentials --scope orders:read
//! cargo run -p signet-guard --example orders -- http://localhost:8080 http://127.0.0.1:9000
//! ```

use std::net::SocketAddr;

use axum::{
    Router,
    routing::{get, post},
};
use signet_guard::{Caller, Guard, Scope, scope};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let mut arguments = std::env::args().skip(1);
    let (Some(issuer), Some(audience)) = (arguments.next(), arguments.next()) else {
        return Err("say which issuer this API trusts, and as what it is registered there".into());
    };
    let scopes: Scope = "orders:read orders:write".parse()?;
    let guard = Guard::discover(&issuer).audience(audience).scopes_supported(scopes).await?;

    let listener = TcpListener::bind("127.0.0.1:9000").await?;
    // With the caller's address, so that refusals are logged with where they came from.
    let api = api(&guard).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, api).await?)
}

fn api(guard: &Guard) -> Router {
    let list = get(async |caller: Caller| format!("the orders of {}\n", caller.subject()));
    let create = post(async |caller: Caller| format!("ordered by {}\n", caller.client_id()));
    Router::new()
        .route("/orders", create)
        .layer(guard.require(scope("orders:write")))
        .merge(Router::new().route("/orders", list).layer(guard.require(scope("orders:read"))))
        .layer(guard.metadata())
}

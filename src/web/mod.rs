//! The face for people: pages and redirects. Cookies are read here and nowhere else; there is no CORS.

mod assets;
mod authorize;
mod consent;
mod cookies;
mod demo;
mod device;
mod error;
mod login;
mod logout;
mod page;
mod respond;
mod texts;
mod visit;

use std::sync::Arc;

use axum::{Router, routing::get};

use crate::flows::App;

pub use demo::Demo;

/// Every page, below the issuer's path. The demo is there in development alone.
pub fn router(app: Arc<App>, demo: Option<Demo>) -> Router {
    texts::load();
    let path = app.issuer().path().to_owned();
    let pages = Router::new()
        .route("/authorize", get(authorize::get).post(authorize::post).head(authorize::head))
        .route("/login", get(login::get).post(login::post))
        .route("/consent", get(consent::get).post(consent::post))
        .route("/device", get(device::get).post(device::post))
        .route("/device/allowed", get(device::allowed))
        .route("/device/denied", get(device::denied))
        .route("/logout", get(logout::get).post(logout::post).head(authorize::head))
        .route("/logged-out", get(logout::done))
        .route("/assets/{name}", get(assets::asset));
    let pages = match demo {
        Some(demo) => pages.merge(demo::router(demo)),
        None => pages,
    };
    let pages = if path.is_empty() { pages } else { Router::new().nest(&path, pages) };
    pages.with_state(app)
}

//! A device without a browser, and what its person does for it in theirs.

use reqwest::{Response, StatusCode};
use serde_json::Value;
use signet::{flows::admin::NewClient, model::GrantType};

use super::{Browser, Credentials, PASSWORD, Server, hidden, location, text};

pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A public client for televisions.
pub(crate) fn for_televisions() -> NewClient {
    NewClient {
        name: Some("Television".to_owned()),
        public: true,
        grants: [GrantType::DeviceCode, GrantType::RefreshToken].into(),
        scope: Some("openid email offline_access orders:read".parse().unwrap()),
        ..NewClient::default()
    }
}

impl Server {
    /// A client that lets devices in.
    pub(crate) async fn television(&self) -> Credentials {
        let tv = self.client("tv", for_televisions()).await;
        self.follow().await;
        tv
    }

    /// A television asks to be let in.
    pub(crate) async fn asks_for_device(&self, scope: &str) -> Value {
        let form = [("client_id", "tv"), ("scope", scope)];
        let (status, begun) = self.post("/device_authorization", None, &form).await;
        assert_eq!(status, StatusCode::OK, "{begun}");
        begun
    }

    /// It asks whether it was let in.
    pub(crate) async fn polls(&self, begun: &Value) -> (StatusCode, Value) {
        self.post("/token", None, &poll_form(begun)).await
    }
}

pub(crate) fn poll_form(begun: &Value) -> [(&str, &str); 3] {
    let code = text(begun, "device_code");
    [("grant_type", DEVICE_GRANT), ("client_id", "tv"), ("device_code", code)]
}

impl Browser {
    /// Type a code on the page for it: where that leads.
    pub(crate) async fn types(&self, code: &str) -> Response {
        let page = self.get("/device", &[]).await.text().await.unwrap();
        let form = [("request", hidden(&page)), ("user_code", code), ("action", "continue")];
        self.post("/device", &form).await
    }

    /// Type a code, and sign in where that is asked for: the page that comes of it.
    pub(crate) async fn looks_at(&self, code: &str) -> String {
        let mut response = self.types(code).await;
        let page = self.page(&response).unwrap();
        if page.starts_with("/login?") {
            response = self.signs_in(&page, "ada", PASSWORD).await;
        }
        let page = location(&response).unwrap_or_else(|| panic!("{response:?}"));
        assert!(page.starts_with("/device?"), "{page}");
        self.get(&page, &[]).await.text().await.unwrap()
    }

    /// Press one of the buttons of a page about a device.
    pub(crate) async fn answers(&self, page: &str, action: &str) -> Response {
        self.post("/device", &[("request", hidden(page)), ("action", action)]).await
    }

    /// Let a device in.
    pub(crate) async fn lets_in(&self, begun: &Value) {
        let page = self.looks_at(text(begun, "user_code")).await;
        let response = self.answers(&page, "allow").await;
        assert_eq!(location(&response).as_deref(), Some("/device/allowed"), "{page}");
    }
}

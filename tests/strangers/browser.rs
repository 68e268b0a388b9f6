//! A person at a browser that knows nothing of the server but its pages.

use reqwest::{Client, Response, header, redirect::Policy};
use url::Url;

use crate::program::{CALLBACK, PASSWORD, USERNAME};

/// Visit this address, sign in and allow what is asked: the address that the client is called at.
pub(crate) async fn sign_in(address: Url) -> Url {
    sign_in_for(address, CALLBACK).await
}

/// The same for a client that is called at another address.
pub(crate) async fn sign_in_for(address: Url, callback: &str) -> Url {
    let http = Client::builder().redirect(Policy::none()).cookie_store(true).build().unwrap();
    let mut at = address.clone();
    let mut response = http.get(address).send().await.unwrap();
    loop {
        if let Some(next) = location(&response) {
            at = at.join(&next).unwrap();
            if at.as_str().starts_with(callback) {
                return at;
            }
            response = http.get(at.clone()).send().await.unwrap();
            continue;
        }
        let page = response.text().await.unwrap();
        let request = hidden(&page, "request");
        let mut form = vec![("request", request.as_str())];
        if page.contains("id=\"login\"") {
            form.extend([("username", USERNAME), ("password", PASSWORD), ("action", "login")]);
        } else {
            assert!(page.contains("id=\"allow\""), "{page}");
            form.push(("action", "allow"));
        }
        response = http.post(at.clone()).form(&form).send().await.unwrap();
    }
}

/// Visit the address that a device shows, with its code, sign in and press this button.
pub(crate) async fn answer_for_a_device(address: Url, button: &str) {
    let http = Client::builder().redirect(Policy::none()).cookie_store(true).build().unwrap();
    let mut at = address.clone();
    let mut response = http.get(address).send().await.unwrap();
    loop {
        if let Some(next) = location(&response) {
            at = at.join(&next).unwrap();
            response = http.get(at.clone()).send().await.unwrap();
            continue;
        }
        let page = response.text().await.unwrap();
        if page.contains("id=\"device-allowed\"") || page.contains("id=\"device-denied\"") {
            return;
        }
        let (request, typed);
        request = hidden(&page, "request");
        let mut form = vec![("request", request.as_str())];
        if page.contains("id=\"login\"") {
            form.extend([("username", USERNAME), ("password", PASSWORD), ("action", "login")]);
        } else if page.contains("id=\"continue\"") {
            typed = hidden(&page, "user_code");
            form.extend([("user_code", typed.as_str()), ("action", "continue")]);
        } else {
            assert!(page.contains(&format!("id=\"{button}\"")), "{page}");
            form.push(("action", button));
        }
        response = http.post(at.clone()).form(&form).send().await.unwrap();
    }
}

fn location(response: &Response) -> Option<String> {
    response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned())
}

/// The value of the field of this name.
fn hidden(page: &str, name: &str) -> String {
    let (_, field) = page.split_once(&format!("name=\"{name}\"")).expect("a field");
    let (_, value) = field.split_once("value=\"").expect("a value");
    value.split('"').next().unwrap().to_owned()
}

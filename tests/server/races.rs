//! Many do the same thing at the same time.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::{Server, code_form, request, text};

on_both_engines! {
    of_64_that_redeem_one_code_one_succeeds
    of_64_that_use_one_refresh_token_all_get_the_same_successor
}

const ROUNDS: usize = 100;

async fn of_64_that_redeem_one_code_one_succeeds(server: Server) {
    let browser = server.browser();
    for _ in 0..ROUNDS {
        let code = browser.code(&request()).await;
        let answers = race(&server, &code_form(&code)).await;
        let won = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(won, 1, "{answers:?}");
        let lost = answers
            .iter()
            .filter(|(status, answer)| *status == 400 && answer["error"] == "invalid_grant");
        assert_eq!(lost.count(), 63, "{answers:?}");
    }
}

async fn of_64_that_use_one_refresh_token_all_get_the_same_successor(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let mut token = text(&tokens, "refresh_token").to_owned();
    for _ in 0..ROUNDS {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let answers = race(&server, &form).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        let successors: BTreeSet<_> =
            answers.iter().map(|(_, answer)| text(answer, "refresh_token").to_owned()).collect();
        assert_eq!(successors.len(), 1);
        token = successors.into_iter().next().unwrap();
    }
}

async fn race(server: &Server, form: &[(&str, &str)]) -> Vec<(u16, Value)> {
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (id, secret) = &server.web;
        let request = server.http.post(server.url("/token")).basic_auth(id, Some(secret));
        let request = request.form(form);
        tasks.spawn(async move {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.json().await.unwrap())
        });
    }
    tasks.join_all().await
}

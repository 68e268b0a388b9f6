//! What is kept, and how several processes share it.

use std::path::Path;

use axum::http::StatusCode;
use signet_client::{
    Error,
    login::{Kept, Session, Sessions, Way},
};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::{LIFETIME, Server};

/// What another process would open.
fn sessions(server: &Server, directory: &Path) -> Sessions {
    Sessions::in_files("acme", directory).clock(server.clock.clone())
}

async fn signed_in(server: &Server) -> (TempDir, Session) {
    let directory = tempfile::tempdir().unwrap();
    let signed_in = server.login().sign_in(Way::Device, |_| {}).await.unwrap();
    let session = sessions(server, directory.path()).keep(signed_in).await.unwrap();
    (directory, session)
}

async fn token(session: &Session) -> String {
    session.source().unwrap().token().await.unwrap().expose().to_owned()
}

#[tokio::test]
async fn the_next_run_finds_the_session() {
    let server = Server::start().await;
    let (directory, _) = signed_in(&server).await;
    let session = sessions(&server, directory.path()).last().await.unwrap().unwrap();
    assert_eq!((session.issuer(), session.client_id()), (server.issuer.as_str(), "cli"));
    assert_eq!(
        (session.kept(), session.person().unwrap().name.as_deref()),
        (Kept::File, Some("Ada"))
    );
    assert_eq!(token(&session).await, "access-1");
    assert_eq!(server.count("refresh_token"), 0);

    let sessions = sessions(&server, directory.path());
    assert!(sessions.find(&server.issuer, "cli").await.unwrap().is_some());
    assert!(sessions.find(&server.issuer, "other").await.unwrap().is_none());
}

#[tokio::test]
async fn nothing_is_kept_where_nobody_signed_in() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let nowhere = sessions(&server, &directory.path().join("absent"));
    assert!(nowhere.last().await.unwrap().is_none());
    assert!(!directory.path().join("absent").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("state/acme");
    let signed_in = server.login().sign_in(Way::Device, |_| {}).await.unwrap();
    sessions(&server, &inside).keep(signed_in).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inside), 0o700);
    let files: Vec<_> = inside.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|path| mode(path) == 0o600));
}

/// Each has a view of its own, as processes have.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_to_refresh_one_does() {
    let server = Server::start().await;
    let (directory, _) = signed_in(&server).await;
    for round in 2..6 {
        server.clock.moves(LIFETIME * 80 / 100);
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let sessions = sessions(&server, directory.path());
            tasks.spawn(async move { token(&sessions.last().await.unwrap().unwrap()).await });
        }
        let tokens = tasks.join_all().await;
        assert!(tokens.iter().all(|token| *token == format!("access-{round}")), "{tokens:?}");
        assert_eq!(server.count("refresh_token"), round - 1);
    }
    assert!(!server.saw_theft());
}

#[tokio::test]
async fn a_token_that_an_api_refuses_is_refreshed_although_it_lives() {
    let server = Server::start().await;
    let (directory, session) = signed_in(&server).await;
    let (mine, other) = (session.source().unwrap(), session.source().unwrap());
    let refused = mine.token().await.unwrap();
    assert!(refused.expose() == other.token().await.unwrap().expose());
    mine.reject(&refused);
    other.reject(&refused);
    assert_eq!(mine.token().await.unwrap().expose(), "access-2");
    // The other one finds it there.
    assert_eq!(other.token().await.unwrap().expose(), "access-2");
    assert_eq!(server.count("refresh_token"), 1);
    drop(directory);
}

#[tokio::test]
async fn an_outage_costs_nothing_while_the_token_lives() {
    let server = Server::start().await;
    let (_directory, session) = signed_in(&server).await;
    server.clock.moves(LIFETIME * 80 / 100);
    server.answers(StatusCode::BAD_GATEWAY);
    assert_eq!(token(&session).await, "access-1");
    server.clock.moves(LIFETIME);
    server.answers(StatusCode::BAD_GATEWAY);
    let error = session.source().unwrap().token().await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(token(&session).await, "access-2");
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_asks_for_another_sign_in() {
    let server = Server::start().await;
    let (_directory, session) = signed_in(&server).await;
    server.clock.moves(LIFETIME);
    server.refuses("invalid_grant");
    let error = session.source().unwrap().token().await.unwrap_err();
    assert!(error.remedy().contains("sign in again"), "{error}");
}

#[tokio::test]
async fn signing_out_revokes_and_leaves_nothing() {
    let server = Server::start().await;
    let (directory, session) = signed_in(&server).await;
    let source = session.source().unwrap();
    session.sign_out().await.unwrap();
    let asked = server.asked().pop().unwrap();
    assert_eq!((&*asked["token"], &*asked["token_type_hint"]), ("refresh-1", "refresh_token"));
    assert_eq!(asked["client_id"], "cli");
    assert!(sessions(&server, directory.path()).last().await.unwrap().is_none());
    assert!(matches!(source.token().await, Err(Error::NotSignedIn)));
}

#[tokio::test]
async fn signing_out_without_the_server_leaves_nothing_either_and_says_so() {
    let server = Server::start().await;
    let (directory, session) = signed_in(&server).await;
    server.answers(StatusCode::BAD_GATEWAY);
    assert!(session.sign_out().await.unwrap_err().is_temporary());
    assert!(sessions(&server, directory.path()).last().await.unwrap().is_none());
}

#[tokio::test]
async fn secrets_are_not_printed() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let signed_in = server.login().sign_in(Way::Device, |_| {}).await.unwrap();
    let shown = format!("{signed_in:?}");
    assert!(!shown.contains("access-1") && !shown.contains("refresh-1"), "{shown}");
    let session = sessions(&server, directory.path()).keep(signed_in).await.unwrap();
    let shown = format!("{session:?} {:?}", session.source().unwrap());
    assert!(!shown.contains("access-1") && !shown.contains("refresh-1"), "{shown}");
}

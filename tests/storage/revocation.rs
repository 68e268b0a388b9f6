//! The revocation set.

use signet::{
    model::{Change, Revoked},
    storage::{RevocationEntry, Store},
};

use crate::{
    nouns::{NOW, client_id, id, revocation},
    race,
};

on_both_engines! {
    everything_that_can_be_revoked_is_remembered
    a_revocation_is_forgotten_when_it_matters_no_more
    the_same_revocation_again_says_nothing_new
    a_later_revocation_moves_the_entry_on
    an_entry_never_ends_earlier
    entries_are_found_by_the_notes_that_tell_of_them
    of_many_who_revoke_the_same_at_once_one_is_first
}

async fn everything_that_can_be_revoked_is_remembered(store: Store) {
    let all = [
        Revoked::Token("a jti with spaces".to_owned()),
        Revoked::Family(id(1)),
        Revoked::Issued(id(1)),
        Revoked::Key(id(1)),
        Revoked::Session(id(1)),
        Revoked::Client(client_id("shop")),
        Revoked::User(id(1)),
    ];
    let all = (1..).zip(all).map(|(number, what)| revocation(number, what, NOW));
    let all: Vec<_> = all.collect();
    for revocation in &all {
        assert_eq!(store.revoke(revocation, None).await.unwrap(), RevocationEntry::New);
    }
    let mut kept = store.revocations(NOW).await.unwrap();
    kept.sort_by_key(|revocation| revocation.id);
    assert_eq!(kept, all);
}

async fn a_revocation_is_forgotten_when_it_matters_no_more(store: Store) {
    let revoked = revocation(1, Revoked::User(id(1)), NOW);
    store.revoke(&revoked, None).await.unwrap();
    assert_eq!(store.revocations(revoked.until.minus(1)).await.unwrap().len(), 1);
    assert!(store.revocations(revoked.until).await.unwrap().is_empty());
}

async fn the_same_revocation_again_says_nothing_new(store: Store) {
    let revoked = revocation(1, Revoked::User(id(1)), NOW.plus(5));
    let earlier = revocation(2, Revoked::User(id(1)), NOW);
    assert_eq!(store.revoke(&revoked, None).await.unwrap(), RevocationEntry::New);
    assert_eq!(store.revoke(&revoked, None).await.unwrap(), RevocationEntry::Known);
    assert_eq!(store.revoke(&earlier, None).await.unwrap(), RevocationEntry::Known);
    assert_eq!(store.revocations(NOW).await.unwrap(), [revoked]);
    let noted = store.changes_after(0).await.unwrap();
    assert_eq!(
        noted.into_iter().map(|note| note.1).collect::<Vec<_>>(),
        [Change::Revocation(id(1))]
    );
}

async fn a_later_revocation_moves_the_entry_on(store: Store) {
    store.revoke(&revocation(1, Revoked::User(id(1)), NOW), None).await.unwrap();
    let later = revocation(2, Revoked::User(id(1)), NOW.plus(5));
    assert_eq!(store.revoke(&later, None).await.unwrap(), RevocationEntry::MovedOn);
    let kept = store.revocations(NOW).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0].what, kept[0].at, kept[0].until), (&later.what, later.at, later.until));
    assert_eq!(store.changes_after(0).await.unwrap().len(), 2);
}

async fn an_entry_never_ends_earlier(store: Store) {
    store.revoke(&revocation(1, Revoked::User(id(1)), NOW), None).await.unwrap();
    let mut brief = revocation(2, Revoked::User(id(1)), NOW.plus(5));
    brief.until = NOW.plus(6);
    assert_eq!(store.revoke(&brief, None).await.unwrap(), RevocationEntry::MovedOn);
    let kept = store.revocations(NOW).await.unwrap();
    assert_eq!((kept[0].at, kept[0].until), (NOW.plus(5), NOW.plus(600)));
}

async fn entries_are_found_by_the_notes_that_tell_of_them(store: Store) {
    let first = revocation(1, Revoked::User(id(1)), NOW);
    let second = revocation(2, Revoked::Session(id(2)), NOW);
    store.revoke(&first, None).await.unwrap();
    let (note, _) = store.changes_after(0).await.unwrap().pop().unwrap();
    store.revoke(&second, None).await.unwrap();

    assert_eq!(store.revocations_after(0).await.unwrap().len(), 2);
    assert_eq!(store.revocations_after(note).await.unwrap(), [second]);
}

async fn of_many_who_revoke_the_same_at_once_one_is_first(store: Store) {
    let winners = race(|number| {
        let store = store.clone();
        let revoked = revocation(number, Revoked::User(id(1)), NOW);
        async move { store.revoke(&revoked, None).await.unwrap() == RevocationEntry::New }
    });
    assert_eq!(winners.await, 1);
}

//! What every request needs to know, in memory: clients, APIs and what is revoked. Other nodes and the
//! command line write to the database; [`Directory::follow`] is how their changes get here.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use moka::sync::Cache;
use tokio::sync::broadcast;

use super::{Result, app::Clock};
use crate::{
    keys::Keys,
    model::{Change, Client, Holder, Revocation, RevokedPlaces},
    protocol::{
        access_token::AccessClaims, metadata, resource::Catalogue, revocation::RevocationSet,
        role::RoleBook, status::StatusSet,
    },
    storage::Store,
    values::{ClientId, Issuer, RoleId, Timestamp},
};

/// How many clients are kept in memory.
const MOST_CLIENTS: u64 = 10_000;

/// How much news of revoked places is kept for those who listen.
const MOST_NEWS: usize = 4096;

/// For how many seconds a note may turn up below others that were seen: its transaction took longer.
const WINDOW: i64 = 30;

/// After how many seconds everything is read again, whatever the notes say: one may have turned up
/// later still, or been swept away while this node was cut off. Notes are kept twice as long.
const TRUST: i64 = 300;

/// The directory. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Directory {
    store: Store,
    issuer: Issuer,
    clock: Clock,
    clients: Cache<ClientId, KnownClient>,
    apis: Arc<ArcSwap<Apis>>,
    revocations: Arc<RwLock<RevocationSet>>,
    places: Arc<RwLock<StatusSet>>,
    /// Where it is told which places are revoked, as soon as this node knows.
    revoked: broadcast::Sender<RevokedPlaces>,
    /// How far this node has followed; held while a client that was read is put into the cache, so
    /// that nothing stale is put there after its change was seen.
    progress: Arc<Mutex<Progress>>,
}

/// A client, and what it was given for its own tokens.
#[derive(Clone)]
struct KnownClient {
    client: Arc<Client>,
    roles: Arc<BTreeSet<RoleId>>,
}

/// The APIs with their roles, and the metadata that names their scopes.
#[derive(Debug)]
pub struct Apis {
    /// The APIs.
    pub catalogue: Catalogue,
    /// Their roles.
    pub roles: RoleBook,
    /// The discovery document.
    pub metadata: Bytes,
}

/// How far a node has followed.
struct Progress {
    /// Every note up to this one was followed, and none will turn up there any more.
    floor: i64,
    /// The floor to come, and since when it has been growing old.
    next_floor: (i64, Timestamp),
    /// The notes above the floor that were followed.
    seen: HashSet<i64>,
    /// When everything was read, by the clock of this node alone.
    read_at: Timestamp,
    /// How often something new was seen.
    epoch: u64,
}

impl Directory {
    /// Read everything once.
    pub async fn open(store: Store, issuer: Issuer, clock: Clock) -> Result<Self> {
        let now = clock.now();
        // The notes first: what changes after them is followed, though it may have been read already.
        let mut progress = Progress::new(now);
        progress.advance(&store.changes_after(0).await?, now);
        let apis = Arc::new(ArcSwap::from_pointee(read_apis(&store, &issuer).await?));
        let revocations = RevocationSet::new(store.revocations(now).await?);
        let places = StatusSet::new(store.revoked_places(now).await?);
        Ok(Self {
            store,
            issuer,
            clock,
            clients: Cache::new(MOST_CLIENTS),
            apis,
            revocations: Arc::new(RwLock::new(revocations)),
            places: Arc::new(RwLock::new(places)),
            revoked: broadcast::Sender::new(MOST_NEWS),
            progress: Arc::new(Mutex::new(progress)),
        })
    }

    /// A client, if there is one of this name.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>> {
        Ok(self.known_client(id).await?.map(|known| known.client))
    }

    /// The roles that a client was given for its own tokens, without those that they include.
    pub async fn roles_of_client(&self, id: &ClientId) -> Result<Arc<BTreeSet<RoleId>>> {
        Ok(self.known_client(id).await?.map(|known| known.roles).unwrap_or_default())
    }

    async fn known_client(&self, id: &ClientId) -> Result<Option<KnownClient>> {
        if let Some(known) = self.clients.get(id) {
            return Ok(Some(known));
        }
        let epoch = self.progress().epoch;
        let Some(client) = self.store.client(id).await? else { return Ok(None) };
        let roles = self.store.granted_roles(&Holder::Client(id.clone())).await?;
        let known = KnownClient { client: Arc::new(client), roles: Arc::new(roles) };
        // Who is new here may speak of APIs that are new here too.
        self.look_for_apis(epoch).await?;

        let progress = self.progress();
        if progress.epoch == epoch {
            self.clients.insert(id.clone(), known.clone());
        }
        Ok(Some(known))
    }

    /// The APIs.
    #[must_use]
    pub fn apis(&self) -> Arc<Apis> {
        self.apis.load_full()
    }

    /// The APIs as they were when roles had been changed so often, or later: whoever has read what somebody
    /// was given must know the roles that were there to be given.
    pub async fn apis_since(&self, revision: i64) -> Result<Arc<Apis>> {
        let known = self.apis();
        if known.roles.revision() >= revision {
            return Ok(known);
        }
        let epoch = self.progress().epoch;
        let apis = Arc::new(read_apis(&self.store, &self.issuer).await?);
        let progress = self.progress();
        if progress.epoch == epoch {
            self.apis.store(apis.clone());
        }
        Ok(apis)
    }

    /// Whether the token with these claims was revoked.
    #[must_use]
    pub fn is_revoked(&self, token: &AccessClaims) -> bool {
        self.revocations.read().unwrap_or_else(PoisonError::into_inner).reaches(token)
    }

    /// The places in the status lists that are revoked.
    pub fn places(&self) -> RwLockReadGuard<'_, StatusSet> {
        self.places.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is revoked from now on, place by place. Whoever is too slow to hear all of it is told so.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<RevokedPlaces> {
        self.revoked.subscribe()
    }

    /// Take note of a revocation that this node has just kept.
    pub fn note(&self, revocation: Revocation) {
        self.revocation_set().add(revocation);
    }

    /// Read what has changed since the last look, the keys of the server included. What could not be
    /// read is looked at again the next time.
    pub async fn follow(&self, keys: &Keys) -> Result<()> {
        let now = self.clock.now();
        let (floor, read_at) = {
            let progress = self.progress();
            (progress.floor, progress.read_at)
        };
        let notes = self.store.changes_after(floor).await?;
        if now.since(read_at) < TRUST {
            let new = self.unseen(&notes);
            self.look_again(&new, floor, keys).await?;
        } else {
            self.read_everything(keys, now).await?;
            self.progress().read_at = now;
        }

        self.progress().advance(&notes, now);
        Ok(())
    }

    /// The changes among these notes that were not followed yet. Whatever is being read meanwhile is
    /// not kept: it may be older than they are.
    fn unseen(&self, notes: &[(i64, Change)]) -> Vec<Change> {
        let mut progress = self.progress();
        let new = notes.iter().filter(|(id, _)| !progress.seen.contains(id));
        let new: Vec<Change> = new.map(|(_, change)| change.clone()).collect();
        progress.epoch += u64::from(!new.is_empty());
        new
    }

    async fn look_again(&self, changes: &[Change], floor: i64, keys: &Keys) -> Result<()> {
        for change in changes {
            if let Change::Client(id) = change {
                self.clients.invalidate(id);
            }
        }
        if changes.contains(&Change::Resources) {
            self.apis.store(Arc::new(read_apis(&self.store, &self.issuer).await?));
        }
        if changes.iter().any(|change| matches!(change, Change::Revocation(_))) {
            self.add(self.store.revocations_after(floor).await?);
            self.add_places(self.store.revoked_places_after(floor).await?);
        }
        if changes.contains(&Change::Keys) {
            keys.reload().await?;
        }
        Ok(())
    }

    async fn read_everything(&self, keys: &Keys, now: Timestamp) -> Result<()> {
        self.progress().epoch += 1;
        self.clients.invalidate_all();
        self.apis.store(Arc::new(read_apis(&self.store, &self.issuer).await?));
        self.add(self.store.revocations(now).await?);
        self.add_places(self.store.revoked_places(now).await?);
        keys.reload().await?;
        Ok(())
    }

    fn add(&self, revocations: impl IntoIterator<Item = Revocation>) {
        let mut set = self.revocation_set();
        set.forget(self.clock.now());
        for revocation in revocations {
            set.add(revocation);
        }
    }

    fn add_places(&self, places: impl IntoIterator<Item = RevokedPlaces>) {
        let mut set = self.places.write().unwrap_or_else(PoisonError::into_inner);
        set.forget(self.clock.now());
        for news in places.into_iter().filter_map(|places| set.add(places)) {
            // Nobody may be listening.
            let _ = self.revoked.send(news);
        }
    }

    /// Read the APIs again if a change of them was not followed yet, and keep them unless others have
    /// been read since this epoch.
    async fn look_for_apis(&self, epoch: u64) -> Result<()> {
        let floor = self.progress().floor;
        let notes = self.store.changes_after(floor).await?;
        let followed = {
            let progress = self.progress();
            let resources = notes.iter().filter(|(_, change)| *change == Change::Resources);
            resources.map(|(id, _)| id).all(|id| progress.seen.contains(id))
        };
        if !followed {
            let apis = Arc::new(read_apis(&self.store, &self.issuer).await?);
            let progress = self.progress();
            if progress.epoch == epoch {
                self.apis.store(apis);
            }
        }
        Ok(())
    }

    fn revocation_set(&self) -> RwLockWriteGuard<'_, RevocationSet> {
        self.revocations.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn new(now: Timestamp) -> Self {
        Self { floor: 0, next_floor: (0, now), seen: HashSet::new(), read_at: now, epoch: 0 }
    }

    /// These notes above the floor were followed.
    fn advance(&mut self, notes: &[(i64, Change)], now: Timestamp) {
        if now.since(self.next_floor.1) >= WINDOW {
            self.floor = self.next_floor.0;
            let highest = notes.iter().map(|(id, _)| *id).max();
            self.next_floor = (highest.unwrap_or(self.floor).max(self.floor), now);
        }
        let above = notes.iter().map(|(id, _)| *id).filter(|id| *id > self.floor);
        self.seen = above.collect();
    }
}

async fn read_apis(store: &Store, issuer: &Issuer) -> Result<Apis> {
    let catalogue = Catalogue::new(issuer.clone(), store.resources().await?);
    let metadata = Bytes::from(metadata::document(issuer, &catalogue).to_string());
    let (revision, roles) = store.roles().await?;
    Ok(Apis { catalogue, roles: RoleBook::new(revision, roles), metadata })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn notes(ids: &[i64]) -> Vec<(i64, Change)> {
        ids.iter().map(|id| (*id, Change::Keys)).collect()
    }

    #[test]
    fn a_note_may_turn_up_below_others_for_as_long_as_a_transaction_takes() {
        let mut progress = Progress::new(NOW);
        progress.advance(&notes(&[4, 6]), NOW);
        progress.advance(&notes(&[4, 6]), NOW.plus(WINDOW - 1));
        assert!(progress.floor < 5 && !progress.seen.contains(&5));
    }

    #[test]
    fn notes_that_are_old_enough_are_not_read_again() {
        let mut progress = Progress::new(NOW);
        progress.advance(&notes(&[4, 6]), NOW.plus(WINDOW));
        progress.advance(&notes(&[4, 6, 9]), NOW.plus(2 * WINDOW));
        assert_eq!((progress.floor, progress.seen), (6, HashSet::from([9])));
    }
}

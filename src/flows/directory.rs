//! What every request needs to know, in memory: clients, APIs and what is revoked. Other nodes and the
//! command line write to the database; [`Directory::follow`] is how their changes get here.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use moka::sync::Cache;

use super::{Result, app::Clock};
use crate::{
    model::{Change, Client, Revocation},
    protocol::{metadata, resource::Catalogue, revocation::RevocationSet},
    storage::Store,
    values::{ClientId, Issuer},
};

/// How many clients are kept in memory.
const MOST_CLIENTS: u64 = 10_000;

/// How far back changes are looked at again, in seconds: a transaction that began earlier may commit
/// later, and clocks differ.
const WINDOW: i64 = 30;

/// The directory. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Directory {
    store: Store,
    issuer: Issuer,
    clock: Clock,
    clients: Cache<ClientId, Arc<Client>>,
    apis: Arc<ArcSwap<Apis>>,
    revocations: Arc<ArcSwap<RevocationSet>>,
    /// How far this node has followed; held while a client that was read is put into the cache, so
    /// that nothing stale is put there after its change was seen.
    progress: Arc<Mutex<Progress>>,
}

/// The APIs, and the metadata that names their scopes.
#[derive(Debug)]
pub struct Apis {
    /// The APIs.
    pub catalogue: Catalogue,
    /// The discovery document.
    pub metadata: String,
}

#[derive(Default)]
struct Progress {
    seen: HashSet<i64>,
    epoch: u64,
}

impl Directory {
    /// Read everything once.
    pub async fn open(store: Store, issuer: Issuer, clock: Clock) -> Result<Self> {
        let now = clock.now();
        let apis = Arc::new(ArcSwap::from_pointee(read_apis(&store, &issuer).await?));
        let revocations = RevocationSet::new(store.revocations(now).await?);
        let progress = Progress {
            seen: store.changes_since(now.minus(WINDOW)).await?.into_iter().map(|c| c.0).collect(),
            epoch: 0,
        };
        Ok(Self {
            store,
            issuer,
            clock,
            clients: Cache::new(MOST_CLIENTS),
            apis,
            revocations: Arc::new(ArcSwap::from_pointee(revocations)),
            progress: Arc::new(Mutex::new(progress)),
        })
    }

    /// A client, if there is one of this name.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>> {
        if let Some(client) = self.clients.get(id) {
            return Ok(Some(client));
        }
        let epoch = self.progress().epoch;
        let Some(client) = self.store.client(id).await?.map(Arc::new) else { return Ok(None) };
        // Who is new here may speak of APIs that are new here too.
        self.look_for_apis(epoch).await?;

        let progress = self.progress();
        if progress.epoch == epoch {
            self.clients.insert(id.clone(), client.clone());
        }
        Ok(Some(client))
    }

    /// The APIs.
    #[must_use]
    pub fn apis(&self) -> Arc<Apis> {
        self.apis.load_full()
    }

    /// What is revoked.
    #[must_use]
    pub fn revocations(&self) -> Arc<RevocationSet> {
        self.revocations.load_full()
    }

    /// Take note of a revocation that this node has just kept.
    pub fn note(&self, revocation: &Revocation) {
        self.revocations.rcu(|set| {
            let mut set = RevocationSet::clone(set);
            set.add(revocation.clone());
            set
        });
    }

    /// Read what has changed since the last look. Returns whether keys have changed, which are not
    /// kept here.
    pub async fn follow(&self) -> Result<bool> {
        let now = self.clock.now();
        let changes = self.store.changes_since(now.minus(WINDOW)).await?;
        let new: Vec<Change> = {
            let mut progress = self.progress();
            let ids: HashSet<i64> = changes.iter().map(|(id, _)| *id).collect();
            let new: Vec<_> = changes
                .into_iter()
                .filter(|(id, _)| !progress.seen.contains(id))
                .map(|(_, change)| change)
                .collect();
            progress.seen = ids;
            progress.epoch += u64::from(!new.is_empty());
            for change in &new {
                if let Change::Client(id) = change {
                    self.clients.invalidate(id);
                }
            }
            new
        };
        if new.contains(&Change::Resources) {
            self.apis.store(Arc::new(read_apis(&self.store, &self.issuer).await?));
        }
        if new.contains(&Change::Revocations) {
            let entries = self.store.revocations(now).await?;
            self.revocations.store(Arc::new(RevocationSet::new(entries)));
        }
        Ok(new.contains(&Change::Keys))
    }

    /// Read the APIs again if a change of them was not followed yet, and keep them unless others have
    /// been read since this epoch.
    async fn look_for_apis(&self, epoch: u64) -> Result<()> {
        let changes = self.store.changes_since(self.clock.now().minus(WINDOW)).await?;
        let followed = {
            let progress = self.progress();
            let resources = changes.iter().filter(|(_, change)| *change == Change::Resources);
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

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_apis(store: &Store, issuer: &Issuer) -> Result<Apis> {
    let catalogue = Catalogue::new(issuer.clone(), store.resources().await?);
    let metadata = metadata::document(issuer, &catalogue).to_string();
    Ok(Apis { catalogue, metadata })
}

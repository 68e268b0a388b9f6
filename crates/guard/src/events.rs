//! What the server pushes: revocations as they happen
//! ([server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Deserialize;
use signet_jwt::Issuer;
use tokio::time::{sleep, timeout};

use crate::{
    caller::Reference,
    clock::{SharedClock, millis},
    fetch::Fetch,
};

/// A server shows every three seconds that it is there. Whoever hears nothing for this long is not
/// connected any more.
const SILENCE: Duration = Duration::from_secs(5);

/// How long a line may be: a list of which all is revoked has a million indices.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// The longest pause before connecting again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// An ear at the server's stream of revocations.
#[derive(Clone, Debug)]
pub(crate) struct Events(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: String,
    fetch: Fetch,
    clock: SharedClock,
    started: AtomicBool,
    /// Until when what is heard counts, in milliseconds of the clock: zero while nothing does.
    counts_until: AtomicU64,
    revoked: RwLock<HashMap<String, HashSet<u64>>>,
}

#[derive(Deserialize)]
struct Places {
    uri: String,
    idx: Vec<u64>,
}

impl Events {
    pub(crate) fn new(issuer: &Issuer, fetch: Fetch, clock: SharedClock) -> Self {
        Self(Arc::new(Inner {
            url: issuer.join("/status/events"),
            fetch,
            clock,
            started: AtomicBool::new(false),
            counts_until: AtomicU64::new(0),
            revoked: RwLock::default(),
        }))
    }

    /// Whether a token is revoked, if that is known at this moment. The first question begins to
    /// listen.
    pub(crate) fn says(&self, place: &Reference) -> Option<bool> {
        let inner = &self.0;
        if !inner.started.swap(true, Ordering::Relaxed) {
            #[expect(
                clippy::disallowed_methods,
                reason = "the ear outlives the request that opened it"
            )]
            tokio::spawn(listen(Arc::downgrade(inner)));
        }
        if millis(inner.clock.elapsed()) >= inner.counts_until.load(Ordering::Acquire) {
            return None;
        }
        let revoked = inner.revoked.read().unwrap_or_else(PoisonError::into_inner);
        Some(revoked.get(&place.uri).is_some_and(|list| list.contains(&place.idx)))
    }
}

/// Listen for as long as the guard is there.
async fn listen(inner: Weak<Inner>) {
    let mut pause = Duration::ZERO;
    while let Some(inner) = inner.upgrade() {
        let heard = inner.hear().await;
        inner.counts_until.store(0, Ordering::Release);
        tracing::debug!(url = inner.url, heard, "the stream of revocations ended");
        drop(inner);

        pause = if heard { Duration::ZERO } else { (pause * 2).min(LONGEST_PAUSE) };
        pause = pause.max(Duration::from_millis(200));
        sleep(pause).await;
    }
}

impl Inner {
    /// One connection, to its end. Whether anything was heard.
    async fn hear(self: &Arc<Self>) -> bool {
        let Ok(mut response) = self.fetch.stream(&self.url).await else {
            return false;
        };
        let mut stream = Stream::default();
        while let Ok(Ok(Some(chunk))) = timeout(SILENCE, response.chunk()).await {
            // Nobody is left to tell: this task holds the only count.
            if Arc::strong_count(self) == 1 || stream.take(&chunk, self).is_none() {
                break;
            }
        }
        stream.current
    }

    fn replace(&self, Places { uri, idx }: Places) {
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.insert(uri, idx.into_iter().collect());
    }

    fn add(&self, Places { uri, idx }: Places) {
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.entry(uri).or_default().extend(idx);
    }

    fn forget(&self) {
        self.revoked.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What has come so far of a stream.
#[derive(Default)]
struct Stream {
    line: Vec<u8>,
    event: String,
    data: String,
    /// Whether the snapshot has been heard whole, so that what is not revoked is known, too.
    current: bool,
    began: bool,
}

impl Stream {
    /// Take in what came. Nothing is answered to a stream that makes no sense.
    fn take(&mut self, chunk: &[u8], inner: &Inner) -> Option<()> {
        if !self.began {
            self.began = true;
            inner.forget();
        }
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + piece.len() > LONGEST_LINE {
                return None;
            }
            self.line.extend_from_slice(piece);
            if self.line.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.line(std::str::from_utf8(&line).ok()?.trim_end(), inner)?;
            }
        }
        if self.current {
            let until = inner.clock.elapsed() + SILENCE;
            inner.counts_until.store(millis(until), Ordering::Release);
        }
        Some(())
    }

    fn line(&mut self, line: &str, inner: &Inner) -> Option<()> {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => self.data.push_str(value),
            // An empty line ends an event; one that begins with a colon says nothing.
            "" if line.is_empty() => return self.dispatch(inner),
            _ => {}
        }
        Some(())
    }

    fn dispatch(&mut self, inner: &Inner) -> Option<()> {
        let (event, data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
        match event.as_str() {
            "snapshot" => inner.replace(serde_json::from_str(&data).ok()?),
            "revoked" => inner.add(serde_json::from_str(&data).ok()?),
            "current" => self.current = true,
            _ => {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn ear() -> Events {
        let issuer: Issuer = "https://id.example.com".parse().unwrap();
        let clock = SharedClock::new(SystemClock::default());
        let events = Events::new(&issuer, Fetch::new().unwrap(), clock);
        events.0.started.store(true, Ordering::Relaxed);
        events
    }

    fn says(events: &Events, idx: u64) -> Option<bool> {
        events.says(&Reference { idx, uri: "https://id.example.com/status/0".to_owned() })
    }

    const SNAPSHOT: &str = "event: snapshot\n\
        data: {\"uri\":\"https://id.example.com/status/0\",\"idx\":[3]}\n\n";
    const REVOKED: &str = "event: revoked\n\
        data: {\"uri\":\"https://id.example.com/status/0\",\"idx\":[7,8]}\n\n";

    #[test]
    fn what_is_heard_counts_once_the_snapshot_is_whole() {
        let (events, mut stream) = (ear(), Stream::default());
        for byte in SNAPSHOT.as_bytes() {
            stream.take(&[*byte], &events.0).unwrap();
        }
        assert_eq!(says(&events, 3), None);
        stream.take(b"event: current\ndata: {}\n\n: nothing new\n\n", &events.0).unwrap();
        assert_eq!((says(&events, 3), says(&events, 7)), (Some(true), Some(false)));
        stream.take(REVOKED.as_bytes(), &events.0).unwrap();
        assert_eq!((says(&events, 3), says(&events, 8)), (Some(true), Some(true)));
    }

    #[test]
    fn another_connection_begins_anew_and_nonsense_ends_one() {
        let (events, mut stream) = (ear(), Stream::default());
        stream.take(SNAPSHOT.as_bytes(), &events.0).unwrap();
        let mut stream = Stream::default();
        stream.take(b"event: current\r\ndata: {}\r\n\r\n", &events.0).unwrap();
        assert_eq!(says(&events, 3), Some(false));
        assert!(stream.take(b"event: revoked\ndata: {\"uri\":7}\n\n", &events.0).is_none());
    }
}

//! Status lists: `GET /status`, `GET /status/{list}`, and what changes of them as it changes,
//! `GET /status/events` ([Token Status List §8](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#section-8)).

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response, Sse, sse::Event},
};
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::{sync::broadcast, time::sleep};

use super::{
    Refusal,
    respond::{document, tagged},
};
use crate::{
    edge::CurrentRequest,
    flows::{self, App, status::Listening},
    model::RevokedPlaces,
    protocol::status::{TTL, list_uri},
};

/// How often a stream shows that it is alive, and looks whether this node is about to stop.
const BEAT: Duration = Duration::from_secs(1);

/// How many beats pass before something is sent though nothing has changed.
const SILENT_BEATS: u32 = 3;

pub(super) async fn lists(State(app): State<Arc<App>>) -> Result<Json<Value>, Refusal> {
    Ok(Json(json!({ "status_lists": flows::status::lists(&app).await? })))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let number = number.parse().unwrap_or(-1);
    let Some(list) = flows::status::list(&app, number).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let body = Body::from(list.token.clone());
    Ok(tagged(document("application/statuslist+jwt", TTL, body), &headers, &list.etag))
}

/// First what is revoked now, an event `snapshot` for each list, and an event `current` when that is all;
/// then every revocation as this node hears of it, an event `revoked`.
pub(super) async fn events(State(app): State<Arc<App>>) -> Response {
    let from = CurrentRequest::get().map(|request| request.address());
    let Some(place) = flows::status::listener(&app, from) else {
        let later = [(header::RETRY_AFTER, "30")];
        return (StatusCode::SERVICE_UNAVAILABLE, later, "too many are listening\n")
            .into_response();
    };
    // nginx would keep back what is to be heard at once.
    let unbuffered = [("x-accel-buffering", "no")];
    (unbuffered, Sse::new(Listener::new(app, place).events())).into_response()
}

struct Listener {
    app: Arc<App>,
    news: broadcast::Receiver<RevokedPlaces>,
    waiting: VecDeque<Event>,
    silence: u32,
    _place: Listening,
}

impl Listener {
    fn new(app: Arc<App>, place: Listening) -> Self {
        // The ear first: what is revoked between the two is heard twice, and not missed.
        let news = app.directory.listen();
        let waiting = snapshot(&app);
        Self { app, news, waiting, silence: 0, _place: place }
    }

    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        })
    }

    /// The next event; none when this node is about to stop.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.app.leaving.has_begun() {
                return None;
            }
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            tokio::select! {
                news = self.news.recv() => match news {
                    Ok(places) => return Some(revoked(&self.app, places)),
                    Err(broadcast::error::RecvError::Lagged(_)) => self.waiting = snapshot(&self.app),
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                () = sleep(BEAT) => {
                    self.silence += 1;
                    if self.silence >= SILENT_BEATS {
                        self.silence = 0;
                        return Some(Event::default().comment("nothing new"));
                    }
                }
            }
        }
    }
}

fn snapshot(app: &App) -> VecDeque<Event> {
    let places = app.directory.places();
    let lists = places.lists().into_iter();
    let lists = lists.map(|list| event(app, "snapshot", list, places.revoked_in(list)));
    lists.chain([Event::default().event("current").data("{}")]).collect()
}

fn revoked(app: &App, places: RevokedPlaces) -> Event {
    let RevokedPlaces { first, count, .. } = places;
    event(app, "revoked", first.list(), [(first.index(), count)])
}

fn event(app: &App, name: &str, list: i64, places: impl IntoIterator<Item = (i64, i64)>) -> Event {
    let places = places.into_iter().flat_map(|(first, count)| first..first + count);
    let idx: Vec<i64> = places.collect();
    let data = json!({ "uri": list_uri(app.issuer(), list), "idx": idx });
    Event::default().event(name).data(data.to_string())
}

//! A panic in one request is that request's 500 (E-04): the process lives, nobody else notices, no session ends by it.
//!
//! The fault is injected where every request with a session passes: a store that panics when it is looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom::clock::Timestamp;
use cloakroom::random::OsRandom;
use cloakroom::session::{Generation, SessionHandle, SessionId};
use cloakroom::store::{
    Answer, Claimant, Cutoff, EndReason, Epoch, Find, Look, MemoryStore, Record, SessionRef, Store, Whose,
};
use http::Method;

use crate::world::{Plan, World};

/// A store that works, but for the looks that it was told to die at.
#[derive(Debug)]
pub struct Mined {
    store: MemoryStore,
    /// It is the memory of one process of several that share nothing.
    alone: bool,
    /// Bit n: the look after next n dies.
    mines: AtomicU32,
}

impl Mined {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(&OsRandom),
            alone: false,
            mines: AtomicU32::new(0),
        })
    }

    /// A store that works, and does not know what other processes know.
    pub fn alone() -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(&OsRandom),
            alone: true,
            mines: AtomicU32::new(0),
        })
    }

    /// Plants mines: the lowest bit is the next look.
    fn plant(&self, mines: u32) {
        self.mines.store(mines, Ordering::SeqCst);
    }
}

impl Store for Mined {
    fn epoch(&self) -> Epoch {
        self.store.epoch()
    }

    fn is_authority(&self) -> bool {
        !self.alone
    }

    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool> {
        self.store.use_once(mark, until, now)
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        let mines = self.mines.load(Ordering::SeqCst);
        self.mines.store(mines >> 1, Ordering::SeqCst);
        assert_eq!(
            mines & 1,
            0,
            "a mine of the test, with refresh-token-canary in it"
        );
        self.store.look(session, now)
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        self.store.end(session, reason, until, now)
    }

    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        self.store.end_all(issuer, whose, cutoff, now)
    }

    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()> {
        self.store.record(session, record, now)
    }

    fn recorded<'a>(&'a self, find: Find<'a>, limit: usize, now: Timestamp) -> Answer<'a, Vec<Record>> {
        self.store.recorded(find, limit, now)
    }

    fn end_recorded(&self, handle: SessionHandle, reason: EndReason, now: Timestamp) -> Answer<'_, bool> {
        self.store.end_recorded(handle, reason, now)
    }

    fn claim(&self, session: SessionId, claimant: Claimant, now: Timestamp) -> Answer<'_, bool> {
        self.store.claim(session, claimant, now)
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        self.store.release(session, claimant)
    }

    fn keep_renewal(
        &self,
        session: SessionId,
        from: Generation,
        sealed: Vec<u8>,
        result_until: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        self.store
            .keep_renewal(session, from, sealed, result_until, until, now)
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.store.renewal(session, from, now)
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        self.store.presented(session, generation, now)
    }

    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp> {
        self.store.refused(session, generation, now)
    }

    fn put_content(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, ()> {
        self.store.put_content(name, sealed, until, now)
    }

    fn content(&self, name: [u8; 32], now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.store.content(name, now)
    }

    fn forget_content(&self, name: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        self.store.forget_content(name, until, now)
    }
}

async fn mined() -> (Arc<Mined>, World) {
    let store = Mined::new();
    let world = World::with(Plan {
        store: Some(store.clone()),
        ..Plan::default()
    })
    .await;
    (store, world)
}

// E-01, E-04.
#[tokio::test]
async fn a_panic_is_a_500_of_its_own_request() {
    let (store, world) = mined().await;
    let browser = world.signed_in().await;
    let before = browser.jar().clone();
    for (method, path) in [
        (Method::GET, "/api/x"),
        (Method::POST, "/api/x"),
        (Method::GET, "/oauth-agent/session"),
        (Method::GET, "/oauth-agent/userinfo"),
        (Method::POST, "/oauth-agent/refresh"),
        (Method::POST, "/oauth-agent/logout"),
    ] {
        let upstream = world.upstream.count();
        store.plant(0b1);
        let reply = browser.fetch(method.clone(), path).send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (500, Some("internal")),
            "{path}"
        );
        assert!(
            !reply.text().contains("canary") && !reply.text().contains("mine"),
            "{reply:?}"
        );
        assert!(reply.set_cookies().is_empty(), "{reply:?}");
        assert_eq!(world.upstream.count(), upstream, "{path}: nothing is forwarded");
    }
    assert_eq!(*browser.jar(), before);
    assert_eq!(
        browser.get("/api/x").await.status,
        200,
        "the session is as it was"
    );
    assert_eq!(world.browser().get("/public/x").await.status, 200);
}

// E-04, R-03: the flight of a renewal is a task of its own, and its death is nobody else's.
#[tokio::test]
async fn a_panic_in_a_renewal_costs_one_attempt_and_no_session() {
    let (store, world) = mined().await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(301);
    // The request's own look passes, the flight's does not.
    store.plant(0b10);
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (503, Some("provider_unavailable"))
    );
    assert_eq!(world.provider.token_requests("refresh_token"), 0);
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
}

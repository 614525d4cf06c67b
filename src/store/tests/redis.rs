//! Redis, a real one, with a prefix for each store.

use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Fresh, Kind, rules, tests};
use crate::clock::SystemClock;
use crate::config::tests::fixture;
use crate::config::{Redis, RedisUrl};
use crate::random::OsRandom;
use crate::store::redis::tests::server::RedisServer;
use crate::store::{Capacity, Health, RedisStore, Store as _};

struct Shared;

impl Kind for Shared {
    fn make(&self, _: Capacity) -> BoxFuture<'_, Fresh> {
        async {
            let server = server().expect("looked for before");
            let settings = Redis {
                url: RedisUrl::of(&server.url()),
                prefix: format!("rules-{}:", NUMBER.fetch_add(1, Ordering::Relaxed)).into(),
                grace: Duration::from_secs(600),
            };
            let (clock, random) = (Arc::new(SystemClock), Arc::new(OsRandom));
            let store = RedisStore::start(&settings, &[fixture::key(7)], clock, random).unwrap();
            store.found().await.unwrap();
            assert_eq!(store.health(), Health::Up);
            let ground: Box<dyn Any + Send + Sync> = Box::new(server);
            Fresh {
                store: Arc::new(store),
                _ground: Some(ground),
            }
        }
        .boxed()
    }

    fn is_here(&self) -> bool {
        server().is_some()
    }

    fn lives(&self) -> u32 {
        16
    }
}

/// One server for as many tests as run at a time; the last one ends it.
fn server() -> Option<Arc<RedisServer>> {
    static SERVER: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
    let mut running = SERVER.lock().unwrap();
    running.upgrade().or_else(|| {
        let server = Arc::new(RedisServer::start()?);
        *running = Arc::downgrade(&server);
        Some(server)
    })
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

rules!(super::Shared);
tests! { super::Shared; epoch: each_store_has_an_epoch_of_its_own; }

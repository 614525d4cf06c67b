//! Numbers for docs/sessions.md: `cargo test --release --lib store::file -- --ignored --nocapture a_hundred_thousand`.

use std::time::Instant;

use futures_util::future::join_all;

use super::*;
use crate::store::{MemoryStore, Store};

const ENDS: u32 = 100_000;

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The median and the 99th percentile of a look, in nanoseconds: of ten thousand sessions, every other one ended.
async fn looks(store: &dyn Store) -> (u128, u128) {
    let mut took = Vec::new();
    for number in 0..10_000 {
        let id = session(if number % 2 == 0 { number } else { ENDS + number });
        let session = SessionRef {
            id,
            issuer: ISSUER,
            subject: "alice",
            provider_session: Some("sid-1"),
            started: NOW,
        };
        let began = Instant::now();
        let look = store.look(session, NOW).await.unwrap();
        took.push(began.elapsed().as_nanos());
        std::hint::black_box(look);
    }
    took.sort_unstable();
    (took[took.len() / 2], took[took.len() * 99 / 100])
}

async fn measure(name: &str, store: &dyn Store) {
    let (before, idle) = (resident(), looks(store).await);
    let began = Instant::now();
    for round in 0..ENDS / 1000 {
        let ends = (0..1000).map(|number| {
            let id = session(round * 1000 + number);
            store.end(id, EndReason::Revoked, at(3600), NOW)
        });
        assert!(join_all(ends).await.into_iter().all(|ended| ended.is_ok()));
    }
    let took = began.elapsed();
    let grown = resident().saturating_sub(before);
    println!(
        "{name}: {grown} KiB more, {took:?} for all; look {idle:?} ns before, {:?} ns after (p50, p99)",
        looks(store).await
    );
}

#[tokio::test]
#[ignore = "prints numbers"]
async fn a_hundred_thousand_ends_cost_this() {
    measure("memory", &MemoryStore::new(&OsRandom)).await;
    let world = World::new();
    let store = world.open(NOW);
    measure("file", &store).await;
    let bytes = std::fs::metadata(world.path()).unwrap().len();
    drop(store);
    let began = Instant::now();
    let again = world.open(NOW);
    println!("file: {bytes} bytes; opened again in {:?}", began.elapsed());
    assert!(look(&again, session(ENDS - 1), NOW).await.ended.is_some());
}

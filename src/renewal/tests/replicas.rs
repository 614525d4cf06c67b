//! Several processes that share a store: one renewal at a time among all of them.

use std::sync::Arc;

use futures_util::future::join_all;

use super::script::{invalid_grant, rotated};
use super::world::{World, opened, said, session_of};
use crate::refusal::Code;
use crate::store::{Claimant, EndReason, LEASE};

/// A provider that takes a second use of a refresh token for theft.
fn strict(world: &World) {
    let used = std::sync::Mutex::new(std::collections::HashSet::new());
    world.provider.replies(move |asked| {
        if used.lock().unwrap().insert(asked.refresh.clone()) {
            rotated(asked)
        } else {
            invalid_grant(asked)
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_three_processes_make_one_token_request() {
    //
    let world = World::new().await;
    strict(&world);
    let browser = world.browser().await;
    world.clock.advance(600);
    world.provider.hold();
    let processes = [world.sessions.clone(), world.replica(), world.replica()];
    let calls: Vec<_> = (0..60)
        .map(|number| {
            let (sessions, headers) = (processes[number % 3].clone(), browser.headers());
            tokio::spawn(async move { sessions.admit(&headers).await.unwrap().unwrap() })
        })
        .collect();
    world.provider.arrived(1).await;
    world.provider.release();
    for admitted in join_all(calls).await {
        let admitted = admitted.unwrap();
        assert_eq!(admitted.session.access.token.expose(), "at-1");
        assert!(admitted.renewed, "every answer carries the new cookies");
    }
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn a_process_that_died_in_the_middle_holds_nobody_up_for_long() {
    // Attack 146: its claim is there, its flight is not.
    let world = World::new().await;
    let mut browser = world.browser().await;
    let session = session_of(&world, &browser);
    world.clock.advance(600);
    let store = &world.sessions.parts.store;
    let now = world.sessions.now();
    assert!(store.claim(session, Claimant(1), now).await.unwrap());
    let refusal = world.impatient().admit(&browser.headers()).await.unwrap_err();
    assert_eq!(refusal.code, Code::ProviderUnavailable);
    assert!(refusal.set_cookies.is_empty());
    world.clock.advance(LEASE.as_secs());
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn a_claim_elsewhere_costs_nothing_while_the_token_is_valid() {
    let world = World::new().await;
    let browser = world.browser().await;
    world.clock.advance(580);
    let session = session_of(&world, &browser);
    let now = world.sessions.now();
    let store = &world.sessions.parts.store;
    assert!(store.claim(session, Claimant(1), now).await.unwrap());
    let admitted = world
        .impatient()
        .admit(&browser.headers())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-0");
    assert_eq!(world.provider.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn who_comes_late_at_another_process_is_handed_the_result() {
    // Attack 134.
    let world = World::new().await;
    strict(&world);
    let mut browser = world.browser().await;
    let late = browser.clone();
    world.clock.advance(600);
    world.call(&mut browser).await.unwrap();
    let admitted = world.replica().admit(&late.headers()).await.unwrap().unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
    assert!(admitted.renewed);
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn a_logout_at_one_process_ends_what_another_one_renews() {
    // R-12, the end wins over renewal: what comes out is revoked, by whoever holds it.
    let world = World::new().await;
    let browser = world.browser().await;
    world.clock.advance(600);
    world.provider.hold();
    let flying = tokio::spawn({
        let (sessions, headers) = (world.sessions.clone(), browser.headers());
        async move { sessions.admit(&headers).await }
    });
    world.provider.arrived(1).await;
    let replica = world.replica();
    let leaving = tokio::spawn({
        let headers = browser.headers();
        async move { replica.log_out(&headers).await.unwrap() }
    });
    while ended(&world, &browser).await.is_none() {
        tokio::task::yield_now().await;
    }
    world.provider.release();
    assert_eq!(
        said(flying.await.unwrap().map(drop)),
        (Code::SessionRevoked, false)
    );
    let (last, cleared) = leaving.await.unwrap();
    assert!(last.is_some() && !cleared.is_empty());
    let revoked = world.provider.revoked(4).await;
    assert!(revoked.contains(&"rt-1".to_owned()) && revoked.contains(&"at-1".to_owned()));
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

async fn ended(world: &World, browser: &super::world::Browser) -> Option<EndReason> {
    let session = opened(world, browser).await;
    world
        .sessions
        .look(&session, world.sessions.now())
        .await
        .unwrap()
        .ended
}

#[tokio::test(start_paused = true)]
async fn a_flight_keeps_its_claim_up_however_slow_the_provider() {
    // Attack 133.
    let world = World::new().await;
    let browser = world.browser().await;
    let session = session_of(&world, &browser);
    let turn = world.sessions.take_turn(session).await.unwrap();
    let (clock, store) = (Arc::clone(&world.clock), Arc::clone(&world.sessions.parts.store));
    let slow = async {
        // Of a clock that stands still but for those who wait: it takes no time.
        let mut seconds = tokio::time::interval(std::time::Duration::from_secs(1));
        for _ in 0..30 {
            seconds.tick().await;
            clock.advance(1);
            let now = crate::clock::Clock::now(&*clock);
            assert!(!store.claim(session, Claimant(1), now).await.unwrap());
        }
    };
    turn.during(slow).await;
    turn.end().await;
    let now = world.sessions.now();
    assert!(store.claim(session, Claimant(1), now).await.unwrap());
}

//! Logout and the login that takes a session's place. The end wins.

use std::time::Duration;

use futures_util::FutureExt as _;

use super::world::{Browser, World, alice, opened, said, session_of, tokens};
use crate::refusal::Code;
use crate::renewal::flight::Boarding;
use crate::renewal::rotate::Outcome;
use crate::store::Capacity;

#[tokio::test]
async fn a_logout_ends_every_copy_and_revokes_the_tokens() {
    // O-01, O-02.
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut copy = browser.clone();
    let (session, cleared) = world.sessions.log_out(&browser.headers()).await.unwrap();
    assert_eq!(
        session.unwrap().id_token.unwrap().expose(),
        "header.alice.signature"
    );
    browser.store(&cleared);
    assert!(browser.is_empty());
    assert_eq!(world.provider.revoked(2).await, ["at-0", "rt-0"]);
    assert_eq!(said(world.call(&mut copy).await), (Code::SessionRevoked, false));
    assert_eq!(
        said(world.refresh(&mut copy).await),
        (Code::SessionRevoked, false)
    );
    assert!(world.provider.asked().is_empty());
    // A second logout finds nothing to end, and clears what is left.
    let (session, cleared) = world.sessions.log_out(&copy.headers()).await.unwrap();
    assert!(session.is_none());
    assert!(!cleared.is_empty());
    assert_eq!(world.peek(&mut copy).await, Err("logged_out"));
    assert!(copy.is_empty());
}

#[tokio::test]
async fn a_logout_without_a_session_does_nothing() {
    let world = World::new().await;
    let (session, cleared) = world
        .sessions
        .log_out(&Browser::default().headers())
        .await
        .unwrap();
    assert!(session.is_none());
    assert!(cleared.is_empty());
}

#[tokio::test]
async fn a_logout_during_a_renewal_wins() {
    // what comes out of the flight is revoked and not stored.
    let world = World::new().await;
    let browser = world.browser().await;
    world.clock.advance(600);
    world.provider.hold();
    let call = tokio::spawn({
        let (sessions, headers) = (world.sessions.clone(), browser.headers());
        async move { sessions.admit(&headers).await }
    });
    world.provider.arrived(1).await;
    let (session, cleared) = world.impatient().log_out(&browser.headers()).await.unwrap();
    assert!(session.is_some());
    assert!(!cleared.is_empty());
    world.provider.release();
    assert_eq!(said(call.await.unwrap()), (Code::SessionRevoked, false));
    assert_eq!(world.provider.revoked(3).await, ["at-0", "at-1", "rt-1"]);
    assert_eq!(
        said(world.call(&mut browser.clone()).await),
        (Code::SessionRevoked, false)
    );
}

#[tokio::test]
async fn a_flight_that_never_asked_has_spent_nothing() {
    // It boards, the logout ends the session, it looks and finds the end: nobody else would revoke the refresh token.
    let world = World::new().await;
    let browser = world.browser().await;
    let session = opened(&world, &browser).await;
    let Boarding::Ticket(ticket, _) = world
        .sessions
        .flights
        .board(&session, false, world.sessions.now())
    else {
        panic!("somebody else's flight");
    };
    world.impatient().log_out(&browser.headers()).await.unwrap();
    let outcome = world.sessions.fly(session).await;
    assert!(matches!(outcome, Outcome::Over(_)));
    ticket.land(outcome, world.sessions.now());
    assert_eq!(world.provider.revoked(2).await, ["at-0", "rt-0"]);
    assert!(world.provider.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_that_races_a_renewal_leaves_no_token_alive() {
    for _ in 0..10 {
        let world = World::new().await;
        let browser = world.browser().await;
        world.clock.advance(600);
        let call = tokio::spawn({
            let (sessions, headers) = (world.sessions.clone(), browser.headers());
            async move { sessions.admit(&headers).await }
        });
        let (session, _) = world.sessions.log_out(&browser.headers()).await.unwrap();
        assert!(session.is_some());
        if let Ok(Some(admitted)) = call.await.unwrap() {
            assert!(world.sessions.cookies_for_answer(&admitted).await.is_empty());
        }
        let last = if world.provider.asked().is_empty() {
            "rt-0"
        } else {
            "rt-1"
        };
        assert!(world.provider.revoked(2).await.contains(&last.to_owned()));
    }
}

#[tokio::test]
async fn a_logout_with_old_cookies_revokes_the_newest_tokens() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let old = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    let (session, _) = world.sessions.log_out(&old.headers()).await.unwrap();
    assert_eq!(session.unwrap().access.token.expose(), "at-1");
    assert_eq!(world.provider.revoked(2).await, ["at-1", "rt-1"]);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionRevoked, false)
    );
}

#[tokio::test]
async fn a_logout_with_a_stolen_old_generation_is_reuse() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let old = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    world.call(&mut browser).await.unwrap();
    world.clock.advance(61);
    let (session, cleared) = world.sessions.log_out(&old.headers()).await.unwrap();
    assert!(session.is_none());
    assert!(!cleared.is_empty());
    assert_eq!(world.peek(&mut browser).await, Err("revoked"));
}

#[tokio::test]
async fn a_session_that_idled_out_is_still_logged_out_at_the_provider() {
    let world = World::new().await;
    let browser = world.browser().await;
    world.clock.advance(3600);
    let (session, cleared) = world.sessions.log_out(&browser.headers()).await.unwrap();
    assert!(session.is_some());
    assert!(!cleared.is_empty());
    assert_eq!(world.provider.revoked(2).await, ["at-0", "rt-0"]);
}

#[tokio::test]
async fn cookies_that_do_not_open_are_cleared_by_a_logout() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    browser.tamper("rt");
    let (session, cleared) = world.sessions.log_out(&browser.headers()).await.unwrap();
    assert!(session.is_none());
    browser.store(&cleared);
    assert!(browser.is_empty());
}

#[tokio::test]
async fn an_answer_that_finishes_after_the_end_sets_no_cookie() {
    let world = World::new().await;
    let browser = world.browser().await;
    world.clock.advance(200);
    let sliding = world.sessions.admit(&browser.headers()).await.unwrap().unwrap();
    assert!(sliding.slide);
    let renewed = world.sessions.refresh(&browser.headers()).await.unwrap();
    assert!(renewed.renewed);
    world.sessions.log_out(&browser.headers()).await.unwrap();
    assert!(world.sessions.cookies_for_answer(&sliding).await.is_empty());
    assert!(world.sessions.cookies_for_answer(&renewed).await.is_empty());
}

#[tokio::test]
async fn a_new_login_ends_the_session_it_replaces() {
    let world = World::new().await;
    let mut old = world.browser().await;
    let replaced = session_of(&world, &old);
    let begun = world
        .sessions
        .begin(tokens(), alice(), Some(replaced), world.sessions.now())
        .await
        .unwrap();
    let mut browser = old.clone();
    browser.store(&begun.1);
    assert!(world.call(&mut browser).await.is_ok());
    assert_eq!(said(world.call(&mut old).await), (Code::SessionRevoked, false));
    // Contract §9: neither logged out nor revoked.
    assert_eq!(world.peek(&mut old).await, Err("none"));
}

#[tokio::test]
async fn a_new_session_is_sealed_with_what_is_configured() {
    let world = World::new().await;
    let (first, _) = world
        .sessions
        .begin(tokens(), alice(), None, world.sessions.now())
        .await
        .unwrap();
    let (second, _) = world
        .sessions
        .begin(tokens(), alice(), None, world.sessions.now())
        .await
        .unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(first.started, world.sessions.now());
    assert_eq!(first.idle, Duration::from_secs(30 * 60));
    assert_eq!(first.absolute, Duration::from_secs(12 * 60 * 60));
    assert!(first.access.has_refresh);
    assert_eq!(
        first.access.expires,
        Some(first.started.after(Duration::from_secs(600)))
    );
}

#[tokio::test]
async fn a_login_in_the_place_of_a_session_that_is_being_renewed_wins_too() {
    let world = World::new().await;
    let old = world.browser().await;
    let replaced = session_of(&world, &old);
    world.provider.hold();
    let refresh = tokio::spawn({
        let (sessions, headers) = (world.sessions.clone(), old.headers());
        async move { sessions.refresh(&headers).await }
    });
    world.provider.arrived(1).await;
    world
        .sessions
        .begin(tokens(), alice(), Some(replaced), world.sessions.now())
        .await
        .unwrap();
    world.provider.release();
    assert_eq!(said(refresh.await.unwrap()), (Code::SessionRevoked, false));
    assert_eq!(world.provider.revoked(2).await, ["at-1", "rt-1"]);
}

#[tokio::test]
async fn a_store_without_room_for_an_end_says_so() {
    let full = Capacity {
        sessions: 0,
        ..Capacity::default()
    };
    let world = World::with_room(|_| (), full).await;
    let mut browser = world.browser().await;
    assert_eq!(
        said(world.sessions.log_out(&browser.headers()).await),
        (Code::StoreUnavailable, false)
    );
    let replaced = session_of(&world, &browser);
    let begun = world
        .sessions
        .begin(tokens(), alice(), Some(replaced), world.sessions.now())
        .await;
    assert_eq!(said(begun), (Code::StoreUnavailable, false));
    assert!(world.call(&mut browser).await.is_ok(), "nothing has ended");
}

#[tokio::test]
async fn a_shutdown_can_wait_for_what_must_finish() {
    let world = World::new().await;
    let browser = world.browser().await;
    world.sessions.detached.settled().await;
    world.provider.hold();
    let (sessions, headers) = (world.sessions.clone(), browser.headers());
    let gone = tokio::spawn(async move { sessions.refresh(&headers).await });
    world.provider.arrived(1).await;
    gone.abort();
    assert!(world.sessions.detached.settled().now_or_never().is_none());
    world.provider.release();
    world.sessions.detached.settled().await;
    assert_eq!(world.sessions.flights.remembered(), (0, 1), "it has landed");
    world.sessions.log_out(&browser.headers()).await.unwrap();
    world.sessions.detached.settled().await;
    assert_eq!(world.provider.revoked(2).await, ["at-1", "rt-1"]);
}

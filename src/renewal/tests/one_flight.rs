//! One renewal at a time, for everybody, bounded.

use std::sync::Arc;

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;

use super::script::{broken, rotated};
use super::world::{World, opened, said, session_of};
use crate::refusal::{Code, Refusal};
use crate::renewal::flight::{Boarding, Flights, Wish};
use crate::renewal::rotate::Outcome;
use crate::session::{Session, SessionId};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_calls_at_expiry_make_one_token_request() {
    // Attack 131, R-03.
    let world = World::new().await;
    let browser = world.browser().await;
    world.clock.advance(600);
    world.provider.hold();
    let calls = (0..50).map(|_| {
        let (sessions, headers) = (world.sessions.clone(), browser.headers());
        tokio::spawn(async move { sessions.admit(&headers).await.unwrap().unwrap() })
    });
    let calls: Vec<_> = calls.collect();
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
async fn parallel_refreshes_make_one_token_request() {
    let world = World::new().await;
    let browser = world.browser().await;
    let headers = browser.headers();
    let refreshed = join_all((0..20).map(|_| world.sessions.refresh(&headers))).await;
    for admitted in refreshed {
        assert_eq!(admitted.unwrap().session.access.token.expose(), "at-1");
    }
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn two_sessions_do_not_wait_for_each_other() {
    let world = World::new().await;
    let (first, mut second) = (world.browser().await, world.browser().await);
    world.clock.advance(600);
    world.provider.hold();
    let waiting = tokio::spawn({
        let (sessions, headers) = (world.sessions.clone(), first.headers());
        async move { sessions.admit(&headers).await.unwrap().unwrap() }
    });
    world.provider.arrived(1).await;
    let other = world.impatient().admit(&second.headers()).await;
    assert_eq!(said(other), (Code::ProviderUnavailable, false));
    world.provider.arrived(2).await;
    world.provider.release();
    assert_eq!(waiting.await.unwrap().session.access.token.expose(), "at-1");
    let second = world.call(&mut second).await.unwrap();
    assert_eq!(second.session.access.token.expose(), "at-2");
}

#[tokio::test]
async fn who_goes_away_does_not_cancel_the_flight() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.clock.advance(600);
    world.provider.hold();
    let (sessions, headers) = (world.sessions.clone(), browser.headers());
    let gone = tokio::spawn(async move { sessions.admit(&headers).await });
    world.provider.arrived(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    world.provider.release();
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn a_slow_provider_costs_503_not_the_session() {
    // Attack 133.
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.clock.advance(600);
    world.provider.hold();
    let refusal = world.impatient().admit(&browser.headers()).await.unwrap_err();
    assert_eq!(refusal.code, Code::ProviderUnavailable);
    assert!(refusal.retry_after.is_some());
    assert!(refusal.set_cookies.is_empty());
    world.provider.release();
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn a_slow_provider_costs_nothing_while_the_token_is_valid() {
    let world = World::new().await;
    let browser = world.browser().await;
    world.clock.advance(580);
    world.provider.hold();
    let admitted = world
        .impatient()
        .admit(&browser.headers())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-0");
    assert!(!admitted.renewed);
}

#[tokio::test]
async fn a_failing_provider_is_left_alone_for_a_moment() {
    //
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.clock.advance(600);
    world.provider.replies(broken);
    for _ in 0..10 {
        assert_eq!(
            said(world.call(&mut browser).await),
            (Code::ProviderUnavailable, false)
        );
    }
    // A first failure may have been a hiccup.
    assert_eq!(world.provider.asked().len(), 2);
    world.clock.advance(1);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::ProviderUnavailable, false)
    );
    assert_eq!(world.provider.asked().len(), 3);
    // It recovers by itself.
    world.provider.replies(rotated);
    world.clock.advance(1);
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-4");
}

#[tokio::test]
async fn a_provider_that_recovers_is_asked_at_once() {
    // Attack 137.
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.clock.advance(600);
    world.provider.replies(broken);
    assert_eq!(said(world.call(&mut browser).await).0, Code::ProviderUnavailable);
    world.provider.replies(rotated);
    assert!(world.call(&mut browser).await.unwrap().renewed);
}

#[tokio::test]
async fn one_failing_session_does_not_pause_another() {
    let world = World::new().await;
    let (mut first, mut second) = (world.browser().await, world.browser().await);
    world.clock.advance(600);
    world.provider.replies(broken);
    assert_eq!(said(world.call(&mut first).await).0, Code::ProviderUnavailable);
    world.provider.replies(rotated);
    assert!(world.call(&mut second).await.unwrap().renewed);
}

#[tokio::test]
async fn each_refresh_asks_but_one_that_missed_a_renewal_is_given_it() {
    // Contract §3: asks the provider, unless another renewal just did.
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut late = browser.clone();
    assert!(world.refresh(&mut browser).await.unwrap().renewed);
    let admitted = world.refresh(&mut late).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
    assert_eq!(world.provider.asked(), ["rt-0"]);
    let admitted = world.refresh(&mut browser).await.unwrap();
    assert!(admitted.renewed);
    assert_eq!(admitted.session.access.token.expose(), "at-2");
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1"]);
}

#[tokio::test]
async fn tokens_that_live_for_seconds_are_not_renewed_at_every_call() {
    let world = World::new().await;
    world.provider.replies(|asked| {
        let number = asked.number;
        (
            StatusCode::OK,
            json!({ "access_token": format!("at-{number}"), "refresh_token": format!("rt-{number}"),
                    "token_type": "Bearer", "expires_in": 20 }),
        )
    });
    let mut browser = world.browser().await;
    world.clock.advance(600);
    for _ in 0..10 {
        let admitted = world.call(&mut browser).await.unwrap();
        assert_eq!(admitted.session.access.token.expose(), "at-1");
    }
    assert_eq!(world.provider.asked().len(), 1);
}

#[tokio::test]
async fn nothing_grows_with_the_sessions_seen() {
    let world = World::new().await;
    let browser = world.browser().await;
    let session = opened(&world, &browser).await;
    let mut session = Session::clone(&session);
    let flights = Arc::new(Flights::default());
    let mut most = 0;
    for number in 0..10_000_u128 {
        session.id = SessionId(number.to_be_bytes());
        let Boarding::Ticket(ticket, _) = flights.board(&session, false, world.sessions.now()) else {
            panic!("somebody else's flight");
        };
        let outcome = if number % 2 == 0 {
            Outcome::Renewed(Arc::new(session.clone()))
        } else {
            Outcome::Failed(Refusal::new(Code::ProviderUnavailable))
        };
        ticket.land(outcome, world.sessions.now());
        most = most.max(flights.remembered().1);
        if number % 10 == 9 {
            world.clock.advance(1);
        }
    }
    assert!(most <= 80, "ten a second, a few seconds each: {most}");
    world.clock.advance(5);
    session.id = SessionId([0xff; 16]);
    let boarding = flights.board(&session, false, world.sessions.now());
    assert_eq!(flights.remembered(), (1, 0));
    // A flight that breaks off sets its session free, and tells who waits.
    let Boarding::Ticket(ticket, landing) = boarding else {
        panic!("somebody else's flight");
    };
    drop(ticket);
    assert_eq!(flights.remembered(), (0, 0));
    assert!(landing.has_changed().is_err());
}

#[tokio::test]
async fn flights_are_forgotten_when_they_land() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.clock.advance(600);
    world.call(&mut browser).await.unwrap();
    assert_eq!(world.sessions.flights.remembered(), (0, 1));
    assert!(
        world
            .sessions
            .flights
            .landing(session_of(&world, &browser))
            .is_none()
    );
}

#[tokio::test]
async fn a_request_that_looked_before_the_landing_does_not_fly_again() {
    // Contract §9: a superseded refresh token is never sent to the provider.
    let world = World::new().await;
    let mut browser = world.browser().await;
    let stale = opened(&world, &browser).await;
    world.refresh(&mut browser).await.unwrap();
    world.clock.advance(6);
    let outcome = world
        .sessions
        .renew(&stale, Wish::Token, world.sessions.now())
        .await;
    let Outcome::Renewed(session) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(session.access.token.expose(), "at-1");
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn nor_does_it_where_tokens_live_for_seconds() {
    let world = World::new().await;
    world.provider.replies(|asked| {
        let number = asked.number;
        (
            StatusCode::OK,
            json!({ "access_token": format!("at-{number}"), "refresh_token": format!("rt-{number}"),
                    "token_type": "Bearer", "expires_in": 20 }),
        )
    });
    let mut browser = world.browser().await;
    let stale = opened(&world, &browser).await;
    world.refresh(&mut browser).await.unwrap();
    let outcome = world
        .sessions
        .renew(&stale, Wish::Token, world.sessions.now())
        .await;
    let Outcome::Renewed(session) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(session.access.token.expose(), "at-1");
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

//! Idle, absolute, the access token's: the least of them.

use std::sync::Arc;
use std::time::Duration;

use super::script::rotated;
use super::world::{Browser, Peeked, World, opened, said, session_of, tokens, without_refresh};
use crate::config::RefreshMode;
use crate::refusal::Code;
use crate::session::Session;
use crate::store::EndReason;
use crate::token::TokenSet;

#[tokio::test]
async fn an_idle_session_expires() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.clock.advance(1799);
    assert!(world.call(&mut browser.clone()).await.is_ok());
    world.clock.advance(1);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionExpired, false),
        "the jar is left alone"
    );
    assert_eq!(world.peek(&mut browser).await, Err("expired"));
    assert!(browser.is_empty(), "the question clears it");
}

#[tokio::test]
async fn activity_slides_the_idle_end_but_never_the_absolute_one() {
    // Attack 145.
    let world = World::new().await;
    let mut browser = world.browser().await;
    for _ in 1..36 {
        world.clock.advance(1200);
        assert!(world.call(&mut browser).await.is_ok());
    }
    let asked = world.provider.asked().len();
    world.clock.advance(1200);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionExpired, false)
    );
    assert_eq!(
        said(world.refresh(&mut browser).await),
        (Code::SessionExpired, false)
    );
    assert_eq!(world.provider.asked().len(), asked, "not even asked");
    assert_eq!(world.peek(&mut browser).await, Err("expired"));
}

#[tokio::test]
async fn a_shorter_timeout_in_the_configuration_holds_for_old_sessions() {
    let mut world = World::new().await;
    let mut browser = world.browser().await;
    world.restart_with(|app| app.session.idle_timeout = Duration::from_secs(60));
    world.clock.advance(60);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionExpired, false)
    );
}

#[tokio::test]
async fn a_longer_timeout_in_the_configuration_does_not() {
    let mut world = World::with(|app| app.session.absolute_timeout = Duration::from_secs(60)).await;
    let mut browser = world.browser().await;
    world.restart_with(|app| app.session.absolute_timeout = Duration::from_secs(3600));
    world.clock.advance(60);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionExpired, false)
    );
}

/// what nothing can renew any more is over.
#[tokio::test]
async fn a_session_lives_no_longer_than_a_refresh_token_whose_life_is_known() {
    let world = World::new().await;
    let mortal = TokenSet {
        refresh_expires_in: Some(Duration::from_secs(900)),
        ..tokens()
    };
    let mut browser = world.browser_with(mortal.clone()).await;
    let session_left = world.peek(&mut browser).await.unwrap();
    assert_eq!(session_left.session, 900);
    // Each refresh token has a life of its own.
    world.provider.replies(|asked| {
        let (status, mut answer) = rotated(asked);
        answer["refresh_expires_in"] = 1000.into();
        (status, answer)
    });
    world.clock.advance(600);
    world.call(&mut browser).await.unwrap();
    assert_eq!(world.peek(&mut browser).await.unwrap().session, 1000);
    world.clock.advance(999);
    assert!(world.peek(&mut browser).await.is_ok());
    world.clock.advance(1);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionExpired, false)
    );
    // And never longer than configured.
    let world = World::with(|app| app.session.absolute_timeout = Duration::from_secs(700)).await;
    let mut browser = world.browser_with(mortal).await;
    assert_eq!(world.peek(&mut browser).await.unwrap().session, 700);
}

/// An end is remembered for the longest of its generations, whichever was there when it was ended.
#[tokio::test]
async fn an_end_outlasts_a_generation_that_lives_longer_than_the_one_that_ended_it() {
    let world = World::new().await;
    let mortal = TokenSet {
        refresh_expires_in: Some(Duration::from_secs(700)),
        ..tokens()
    };
    let mut browser = world.browser_with(mortal).await;
    let old = browser.clone();
    world.clock.advance(600);
    world.provider.replies(|asked| {
        let (status, mut answer) = rotated(asked);
        answer["refresh_expires_in"] = 1500.into();
        (status, answer)
    });
    world.call(&mut browser).await.unwrap();
    let ended = world.sessions.log_out(&old.headers()).await.unwrap();
    assert!(ended.0.is_some());
    world.clock.advance(700);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionRevoked, false)
    );
}

/// The same where an administrator ends it by the record that its login made.
#[tokio::test]
async fn a_record_outlasts_the_generation_that_was_there_when_it_was_made() {
    let world = World::new().await;
    let mortal = TokenSet {
        refresh_expires_in: Some(Duration::from_secs(700)),
        ..tokens()
    };
    let mut browser = world.browser_with(mortal).await;
    world.clock.advance(600);
    world.provider.replies(|asked| {
        let (status, mut answer) = rotated(asked);
        answer["refresh_expires_in"] = 1500.into();
        (status, answer)
    });
    world.call(&mut browser).await.unwrap();
    world.clock.advance(200);
    let handle = session_of(&world, &browser).handle();
    let store = &world.sessions.parts.store;
    let ended = store.end_recorded(handle, EndReason::Revoked, world.sessions.now());
    assert!(ended.await.unwrap());
    world.clock.advance(500);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionRevoked, false)
    );
}

#[tokio::test]
async fn the_access_cookie_is_resealed_every_tenth_of_the_idle_timeout() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let before = browser.clone();
    world.clock.advance(179);
    assert!(!world.call(&mut browser).await.unwrap().slide);
    assert_eq!(browser, before);
    world.clock.advance(1);
    assert!(world.call(&mut browser).await.unwrap().slide);
    assert_ne!(browser, before);
    // Only that one.
    let mut resealed = before.clone();
    resealed.take("at", &browser);
    assert_eq!(browser, resealed);
    world.clock.advance(1799);
    assert!(world.sessions.peek(&browser.headers()).await.is_ok());
    assert!(world.peek(&mut browser).await.is_ok());
}

#[tokio::test]
async fn the_session_question_slides_nothing() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let before = browser.clone();
    world.clock.advance(590);
    let peeked = world.peek(&mut browser).await;
    assert_eq!(
        peeked,
        Ok(Peeked {
            access: Some(10),
            session: 12 * 60 * 60 - 590,
            idle: 30 * 60 - 590,
        })
    );
    assert_eq!(browser, before);
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn without_a_refresh_token_the_session_is_as_long_as_the_access_token() {
    let world = World::new().await;
    let mut browser = world.browser_with(without_refresh()).await;
    assert_eq!(world.peek(&mut browser).await.unwrap().session, 600);
    world.clock.advance(599);
    assert_eq!(
        world
            .call(&mut browser)
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-0"
    );
    assert_eq!(
        world
            .refresh(&mut browser)
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-0"
    );
    world.clock.advance(1);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionExpired, false)
    );
    assert_eq!(
        said(world.refresh(&mut browser).await),
        (Code::SessionExpired, false)
    );
    assert_eq!(world.peek(&mut browser).await, Err("expired"));
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn an_access_token_of_unknown_lifetime_is_never_due() {
    let world = World::new().await;
    let mut browser = world
        .browser_with(TokenSet {
            expires_in: None,
            ..tokens()
        })
        .await;
    assert_eq!(world.peek(&mut browser).await.unwrap().access, None);
    for _ in 0..10 {
        world.clock.advance(1200);
        assert_eq!(
            world
                .call(&mut browser)
                .await
                .unwrap()
                .session
                .access
                .token
                .expose(),
            "at-0"
        );
    }
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn where_the_spa_renews_a_call_never_does() {
    let world = World::with(|app| app.session.refresh = RefreshMode::Spa).await;
    let mut browser = world.browser().await;
    world.clock.advance(599);
    assert_eq!(
        world
            .call(&mut browser)
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-0"
    );
    world.clock.advance(1);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::AccessTokenExpired, false)
    );
    assert!(world.provider.asked().is_empty());
    assert!(world.refresh(&mut browser).await.unwrap().renewed);
    assert_eq!(
        world
            .call(&mut browser)
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-1"
    );
}

#[tokio::test]
async fn no_cookie_is_no_session() {
    let world = World::new().await;
    let mut nobody = Browser::default();
    assert!(world.sessions.admit(&nobody.headers()).await.unwrap().is_none());
    assert_eq!(
        said(world.refresh(&mut nobody).await),
        (Code::SessionMissing, false)
    );
    assert_eq!(world.peek(&mut nobody).await, Err("none"));
}

#[tokio::test]
async fn tampered_cookies_are_cleared() {
    for kind in ["at", "rt"] {
        let world = World::new().await;
        let mut browser = world.browser().await;
        browser.tamper(kind);
        let mut copy = browser.clone();
        assert_eq!(
            said(world.call(&mut browser).await),
            (Code::SessionMissing, true),
            "{kind}"
        );
        assert!(browser.is_empty(), "{kind}");
        assert_eq!(world.peek(&mut copy).await, Err("none"), "{kind}");
        assert!(copy.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn a_lost_refresh_cookie_is_a_damaged_session() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    browser.lose("rt");
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionMissing, false)
    );
    assert_eq!(world.peek(&mut browser).await, Err("none"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlasts_the_idle_timeout_and_ends_with_the_session() {
    // Contract §9, attack 130. Nobody has signed in at a provider here: waiting takes no time.
    let world = World::new().await;
    let (leaving, staying) = (world.browser().await, world.browser().await);
    let (left, stayed) = (opened(&world, &leaving).await, opened(&world, &staying).await);
    let watch = |session: &Arc<Session>| world.sessions.watch(session).over();
    let over = |watched| tokio::time::timeout(Duration::from_secs(2), watched);
    world.clock.advance(31 * 60);
    assert!(over(watch(&left)).await.is_err(), "idling ends no stream");

    let session = session_of(&world, &leaving);
    let (store, now) = (&world.sessions.parts.store, world.sessions.now());
    let until = now.after(Duration::from_secs(12 * 3600));
    store.end(session, EndReason::Revoked, until, now).await.unwrap();
    assert!(over(watch(&left)).await.is_ok());
    assert!(over(watch(&stayed)).await.is_err());
    world.clock.advance(12 * 3600);
    assert!(over(watch(&stayed)).await.is_ok(), "the absolute end");
}

//! Old cookies: excused for a while, then theft. Answers in any order.

use super::script::rotated;
use super::world::{World, said};
use crate::refusal::Code;

#[tokio::test]
async fn the_generation_before_gets_the_newest() {
    // Attack 134.
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut late = browser.clone();
    world.clock.advance(580);
    assert!(world.call(&mut browser).await.unwrap().renewed);
    world.clock.advance(1);
    let admitted = world.call(&mut late).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
    assert!(admitted.renewed, "its cookies go out again");
    assert_eq!(world.provider.asked(), ["rt-0"]);
    // What it was given is a whole session: it can renew in its turn.
    world.clock.advance(580);
    assert_eq!(
        world.call(&mut late).await.unwrap().session.access.token.expose(),
        "at-2"
    );
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1"]);
}

#[tokio::test]
async fn a_refresh_with_the_generation_before_asks_nobody() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut late = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    world.clock.advance(10);
    let admitted = world.refresh(&mut late).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
    assert!(admitted.renewed);
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn an_old_generation_after_its_grace_ends_the_session() {
    // RFC 9700 §4.14.2.
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut thief = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    // The owner's browser has the new generation, and says so.
    world.call(&mut browser).await.unwrap();
    world.clock.advance(59);
    assert!(world.call(&mut thief.clone()).await.unwrap().renewed);
    world.clock.advance(2);
    assert_eq!(said(world.call(&mut thief).await), (Code::SessionRevoked, false));
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionRevoked, false)
    );
    assert_eq!(world.peek(&mut browser).await, Err("revoked"));
    assert!(browser.is_empty());
    assert_eq!(
        world.provider.asked(),
        ["rt-0"],
        "a superseded token goes nowhere"
    );
}

#[tokio::test]
async fn the_session_question_detects_reuse_as_well() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut thief = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    assert!(
        world.peek(&mut browser).await.is_ok(),
        "which presents the new generation"
    );
    world.clock.advance(61);
    assert_eq!(world.peek(&mut thief).await, Err("revoked"));
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionRevoked, false)
    );
}

#[tokio::test]
async fn the_session_question_hands_out_the_newest_without_renewing() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut late = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    world.clock.advance(595);
    let peeked = world.peek(&mut late).await.unwrap();
    assert_eq!(peeked.access, Some(5));
    assert_eq!(peeked.idle, 30 * 60 - 595, "it slides nothing");
    assert_eq!(world.provider.asked(), ["rt-0"]);
    // What it set is the newest: its token renews, the old one is not sent again.
    assert_eq!(
        world.call(&mut late).await.unwrap().session.access.token.expose(),
        "at-2"
    );
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1"]);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_until_the_browser_shows_it_has_it() {
    let world = World::new().await;
    let browser = world.browser().await;
    world.clock.advance(580);
    // The answer never arrives: its cookies are not stored.
    world.call(&mut browser.clone()).await.unwrap();
    world.clock.advance(500);
    assert_eq!(
        world
            .call(&mut browser.clone())
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-1"
    );
    // Nor this one, by now with a second renewal: the chain is followed.
    world.clock.advance(80);
    assert_eq!(
        world
            .call(&mut browser.clone())
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-2"
    );
    assert_eq!(
        world
            .call(&mut browser.clone())
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-2"
    );
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1"]);
}

#[tokio::test]
async fn answers_that_are_lost_again_and_again_are_no_theft() {
    // What a renewal looks at has not reached the browser: only a browser's cookies show that a generation has arrived.
    let world = World::new().await;
    let browser = world.browser().await;
    for renewal in 1..=2 {
        world.clock.advance(570);
        let admitted = world.call(&mut browser.clone()).await.unwrap();
        assert_eq!(admitted.session.access.token.expose(), format!("at-{renewal}"));
        // For longer than a grace the browser notices nothing.
        world.clock.advance(61);
        assert!(world.peek(&mut browser.clone()).await.is_ok());
    }
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1"]);
}

#[tokio::test]
async fn an_answer_that_finishes_late_sets_the_newest_cookies() {
    // Attack 143.
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.clock.advance(200);
    let slow = world.sessions.admit(&browser.headers()).await.unwrap().unwrap();
    assert!(slow.slide);
    world.refresh(&mut browser).await.unwrap();
    browser.store(&world.sessions.cookies_for_answer(&slow).await);
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
    // Much later nothing vouches for it any more.
    world.clock.advance(61);
    assert!(world.sessions.cookies_for_answer(&slow).await.is_empty());
    assert!(
        world.call(&mut browser).await.is_ok(),
        "which is no reuse: nobody presented it"
    );
}

#[tokio::test]
async fn a_refresh_token_that_stays_the_same_still_makes_generations() {
    let world = World::new().await;
    world.provider.replies(|asked| {
        let (status, mut body) = rotated(asked);
        body.as_object_mut().unwrap().remove("refresh_token");
        (status, body)
    });
    let mut browser = world.browser().await;
    let mut late = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    assert_eq!(
        world.call(&mut late).await.unwrap().session.access.token.expose(),
        "at-1"
    );
    world.clock.advance(61);
    assert_eq!(
        world
            .refresh(&mut late)
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-2"
    );
    assert_eq!(world.provider.asked(), ["rt-0", "rt-0"]);
}

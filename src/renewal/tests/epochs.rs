//! A restart: the memory store has forgotten who logged out, so nothing is believed before the provider has confirmed it.

use super::script::{broken, invalid_grant, rotated};
use super::world::{World, said, without_refresh};
use crate::config::RefreshMode;
use crate::refusal::Code;

#[tokio::test]
async fn a_session_from_before_is_renewed_before_its_token_is_used() {
    let mut world = World::new().await;
    let mut browser = world.browser().await;
    world.restart();
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-1");
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
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

#[tokio::test]
async fn a_provider_that_is_down_costs_503_not_the_session() {
    let mut world = World::new().await;
    let mut browser = world.browser().await;
    world.restart();
    world.provider.replies(broken);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::ProviderUnavailable, false)
    );
    world.provider.replies(rotated);
    world.clock.advance(1);
    assert!(world.call(&mut browser).await.unwrap().renewed);
}

#[tokio::test]
async fn without_a_refresh_token_it_is_over() {
    let mut world = World::new().await;
    let mut browser = world.browser_with(without_refresh()).await;
    world.restart();
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionExpired, false)
    );
    assert_eq!(world.peek(&mut browser).await, Err("expired"));
}

#[tokio::test]
async fn where_the_spa_renews_it_is_told_to() {
    let mut world = World::with(|app| app.session.refresh = RefreshMode::Spa).await;
    let mut browser = world.browser().await;
    world.restart();
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::AccessTokenExpired, false)
    );
    assert!(world.provider.asked().is_empty());
    world.refresh(&mut browser).await.unwrap();
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
async fn the_session_question_says_that_the_token_has_no_time_left() {
    let mut world = World::new().await;
    let mut browser = world.browser().await;
    world.restart();
    assert_eq!(world.peek(&mut browser).await.unwrap().access, Some(0));
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn a_first_invalid_grant_is_a_conflict_a_second_one_final() {
    // Contract §9.
    let mut world = World::new().await;
    let mut browser = world.browser().await;
    world.restart();
    world.provider.replies(invalid_grant);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::RefreshSuperseded, false)
    );
    world.clock.advance(4);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::RefreshSuperseded, false)
    );
    assert_eq!(
        said(world.refresh(&mut browser).await),
        (Code::RefreshSuperseded, false)
    );
    assert_eq!(world.provider.asked().len(), 1, "not asked again in between");
    world.clock.advance(1);
    assert_eq!(said(world.call(&mut browser).await), (Code::SessionExpired, true));
    assert!(browser.is_empty());
}

#[tokio::test]
async fn a_winner_elsewhere_is_not_thrown_out_by_the_loser() {
    let mut world = World::new().await;
    let mut browser = world.browser().await;
    let mut loser = browser.clone();
    // Another process renewed it, of which this one knows nothing.
    world.refresh(&mut browser).await.unwrap();
    world.restart();
    world.provider.replies(|asked| {
        if asked.refresh == "rt-0" {
            invalid_grant(asked)
        } else {
            rotated(asked)
        }
    });
    assert_eq!(
        said(world.call(&mut loser).await),
        (Code::RefreshSuperseded, false)
    );
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-3");
    // From here on the loser's generation is known to be an old one.
    assert_eq!(said(world.call(&mut loser).await), (Code::SessionRevoked, false));
}

#[tokio::test]
async fn a_session_of_this_epoch_is_not_asked_twice() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.provider.replies(invalid_grant);
    assert_eq!(
        said(world.refresh(&mut browser).await),
        (Code::SessionExpired, true)
    );
}

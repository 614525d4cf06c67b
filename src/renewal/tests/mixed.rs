//! Answers arrive in any order: a jar may hold cookies of two generations.

use super::world::World;

#[tokio::test]
async fn a_mixed_jar_opens_and_the_refresh_cookie_decides() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let old = browser.clone();
    world.clock.advance(580);
    world.call(&mut browser).await.unwrap();
    browser.take("at", &old);
    world.clock.advance(1);
    // The old access token has 19 s left, and its renewal is a second old: it is used.
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-0");
    assert_eq!(world.provider.asked(), ["rt-0"]);
    world.clock.advance(30);
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-2");
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1"]);
}

//! Tokens that do not fit into the cookies, where no store takes them.

use serde_json::json;

use super::script::rotated;
use super::world::{World, alice, said, session_of, tokens};
use crate::refusal::Code;
use crate::token::{AccessToken, TokenSet};

#[tokio::test]
async fn a_login_that_does_not_fit_changes_nothing() {
    let world = World::new().await;
    let mut old = world.browser().await;
    let replaced = session_of(&world, &old);
    let large = TokenSet {
        access: AccessToken::new("a".repeat(20_000)),
        ..tokens()
    };
    let refused = world
        .sessions
        .begin(large, alice(), Some(replaced), world.sessions.now())
        .await;
    assert_eq!(said(refused), (Code::SessionTooLarge, false));
    assert!(world.call(&mut old).await.is_ok());
}

#[tokio::test]
async fn tokens_that_do_not_fit_are_said_so_and_not_lost() {
    let world = World::new().await;
    world.provider.replies(|asked| {
        let (status, mut body) = rotated(asked);
        body["access_token"] = json!("a".repeat(20_000));
        (status, body)
    });
    let mut browser = world.browser().await;
    world.clock.advance(600);
    for _ in 0..3 {
        assert_eq!(
            said(world.call(&mut browser).await),
            (Code::SessionTooLarge, false)
        );
    }
    assert_eq!(world.provider.asked(), ["rt-0"]);
    assert!(world.peek(&mut browser).await.is_ok());
}

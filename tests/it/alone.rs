//! Two processes that share keys and provider, and nothing else (`store.kind = "none"`, contract §9).

use http::Method;
use serde_json::json;

use crate::world::{Browser, Plan, Process, World};

/// Two processes, and alice signed in at the first: the same browser as it comes to each.
struct Alone {
    world: World,
    _second: Process,
    one: Browser,
    two: Browser,
}

impl Alone {
    async fn new() -> Self {
        let plan = Plan {
            top: "[store]\nkind = \"none\"".to_owned(),
            ..Plan::default()
        };
        let world = World::with(plan.clone()).await;
        let second = world.another_process(&plan).await;
        let one = world.signed_in().await;
        let two = one.by_way_of(second.address);
        Self {
            world,
            _second: second,
            one,
            two,
        }
    }

    fn renewals(&self) -> usize {
        self.world.provider.token_requests("refresh_token")
    }
}

#[tokio::test]
async fn a_session_goes_from_process_to_process_and_is_renewed_when_it_is_due() {
    let alone = Alone::new().await;
    for _ in 0..3 {
        assert_eq!(alone.two.get("/api/orders").await.status, 200);
        assert_eq!(alone.one.get("/api/orders").await.status, 200);
    }
    assert_eq!(alone.renewals(), 0, "an epoch of its own would cost one a hop");
    // Six renewals, by turns; each process sees generations that it has never heard of.
    for round in 0..3 {
        for process in [&alone.two, &alone.one] {
            alone.world.clock.advance_secs(290);
            assert_eq!(process.get("/api/orders").await.status, 200, "round {round}");
        }
    }
    assert_eq!(alone.renewals(), 6);
}

/// Both renew one generation at once: the provider takes the second use for theft of the token, and the loser knows better.
#[tokio::test]
async fn the_loser_of_a_race_says_409_and_a_retry_succeeds_with_the_cookies_of_the_winner() {
    let alone = Alone::new().await;
    alone.world.clock.advance_secs(300);
    let loser = alone.two.copy();
    assert_eq!(alone.one.get("/api/orders").await.status, 200);

    let lost = loser.get("/api/orders").await;
    assert_eq!(
        (lost.status.as_u16(), lost.code().as_deref()),
        (409, Some("refresh_superseded"))
    );
    assert!(lost.set_cookies().is_empty(), "a loser clears nothing");
    // The jar has what the winner brought: the retry of the SPA client goes through, at either process.
    assert_eq!(alone.two.get("/api/orders").await.status, 200);
    assert_eq!(alone.one.get("/api/orders").await.status, 200);
    assert_eq!(alone.renewals(), 2);
    // And the refusal has ended nothing, however often it is repeated with the cookies that lost.
    alone.world.clock.advance_secs(4);
    assert_eq!(loser.get("/api/orders").await.status, 409);
    assert_eq!(alone.two.get("/api/orders").await.status, 200);
}

#[tokio::test]
async fn the_same_generation_refused_again_after_five_seconds_is_over_and_a_newer_one_is_not() {
    let alone = Alone::new().await;
    alone.world.clock.advance_secs(300);
    let loser = alone.two.copy();
    assert_eq!(alone.one.get("/api/orders").await.status, 200);
    assert_eq!(loser.get("/api/orders").await.status, 409);
    alone.world.clock.advance_secs(5);
    let over = loser.get("/api/orders").await;
    assert_eq!(
        (over.status.as_u16(), over.code().as_deref()),
        (401, Some("session_expired"))
    );
    assert!(!over.set_cookies().is_empty(), "what is over is cleared");
    // The winner's cookies are as good as they were, at both.
    assert_eq!(alone.two.get("/api/orders").await.status, 200);
    assert_eq!(alone.one.get("/api/orders").await.status, 200);
}

/// A provider that lets a refresh token be used twice: two lines of one session, and the browser keeps the one that came last.
/// Neither process takes the other one's line for a stolen one.
#[tokio::test]
async fn two_lines_of_one_session_are_no_theft() {
    let alone = Alone::new().await;
    alone.world.provider.script(|script| script.keep_refresh = true);
    alone.world.clock.advance_secs(300);
    let late = alone.two.copy();
    assert_eq!(alone.one.get("/api/orders").await.status, 200);
    assert_eq!(late.get("/api/orders").await.status, 200);
    // The first line goes on at the first process; then the browser has the other line's cookies, a generation behind.
    alone.world.clock.advance_secs(275);
    assert_eq!(alone.one.get("/api/orders").await.status, 200);
    let behind = late.by_way_of(alone.world.address);
    assert_eq!(behind.get("/api/orders").await.status, 200);
    assert_eq!(alone.one.get("/api/orders").await.status, 200);
}

#[tokio::test]
async fn a_logout_holds_at_the_process_that_served_it() {
    let alone = Alone::new().await;
    let saved = alone.one.copy();
    let gone = alone.one.fetch(Method::POST, "/oauth-agent/logout");
    assert_eq!(gone.json(&json!({})).send().await.status, 200);
    let refused = saved.get("/api/orders").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_deref()),
        (401, Some("session_revoked"))
    );
    assert_eq!(saved.session().await["reason"], "logged_out");
}

//! Logins that were begun and not finished: they lie in browsers, so the service holds nothing of them (L-24, attack 163).

use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{Binary, Browser, Plan};

#[tokio::test(flavor = "multi_thread")]
async fn pending_logins_cost_no_memory_and_nobody_time() {
    pending(1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long"]
async fn ten_thousand_pending_logins_cost_no_memory_and_nobody_time() {
    pending(10_000).await;
}

async fn pending(count: usize) {
    let service = Binary::serve(&Plan::default()).await;
    let alice = service.browser();
    alice.sign_in(&service.provider).await;
    // What is made once is made.
    let mut backs = Vec::new();
    begin(&service, count / 10, &mut backs).await;
    let (before, quick) = (service.resident(), median_call(&alice).await);
    begin(&service, count, &mut backs).await;
    let (after, late) = (service.resident(), median_call(&alice).await);
    let grown = after.saturating_sub(before);
    println!(
        "{count} pending logins: {before} KiB before, {after} after; an API call takes {quick:?}, then {late:?}"
    );
    // A login cookie is of about 700 bytes: were they held here, it would be more than this.
    let room = 4096 + u64::try_from(count).unwrap() / 4;
    assert!(grown < room, "{grown} KiB for {count} pending logins");
    // And none was forgotten for another: the first and the last are finished.
    let last = backs.pop().unwrap();
    for (browser, back) in [backs.swap_remove(0), last] {
        let landed = browser.come_back(&back).await;
        assert!(landed.location_parameter("login_error").is_none(), "{landed:?}");
        assert_eq!(browser.get("/api/x").await.status, 200);
    }
}

/// Each login in a browser of its own. They share connections: those are bounded elsewhere.
async fn begin(service: &Binary, count: usize, backs: &mut Vec<(Browser, String)>) {
    let first = service.browser();
    for _ in 0..count {
        let browser = first.stranger();
        let url = browser.start_login(&json!({})).await;
        let back = service.provider.approve(&url);
        backs.push((browser, back));
    }
}

async fn median_call(browser: &Browser) -> Duration {
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        assert_eq!(browser.get("/api/x").await.status, 200);
        took.push(began.elapsed());
    }
    took.sort();
    took[took.len() / 2]
}

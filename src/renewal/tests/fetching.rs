//! Sessions in the store: what is put there, fetched and forgotten, and what becomes of a session when that fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::script::rotated;
use super::shelves::Shelves;
use super::world::{Browser, World, WorldOf, alice, opened, said, tokens, without_refresh};
use crate::config::SessionMode;
use crate::refusal::Code;
use crate::store::{MemoryStore, Store};
use crate::token::{AccessToken, TokenSet};

/// A world over shelves that a test watches.
async fn world<const IN_STORE: bool>(keeps: bool) -> (WorldOf<IN_STORE>, Arc<Shelves>) {
    let mut world = WorldOf::new().await;
    let memory = MemoryStore::new(&*world.sessions.parts.random);
    let shelves = Shelves::over(memory, keeps);
    world.share(Arc::<Shelves>::clone(&shelves) as Arc<dyn Store>);
    (world, shelves)
}

async fn in_store() -> (WorldOf<true>, Arc<Shelves>) {
    world(false).await
}

/// An access token that fits into no cookies.
fn large() -> TokenSet {
    TokenSet {
        access: AccessToken::new("A".repeat(60 << 10)),
        ..tokens()
    }
}

async fn token<const IN_STORE: bool>(world: &WorldOf<IN_STORE>, browser: &mut Browser) -> String {
    let admitted = world.call(browser).await.unwrap();
    admitted.session.access.token.expose().to_owned()
}

#[tokio::test]
async fn two_small_cookies_stand_for_tokens_of_any_size() {
    let (world, shelves) = in_store().await;
    for tokens in [tokens(), large(), without_refresh()] {
        let mut browser = world.browser_with(tokens.clone()).await;
        assert_eq!(browser.names(), ["at", "rt"]);
        let field = browser.headers()[http::header::COOKIE].len();
        assert!(field < 600, "{field} bytes");
        assert_eq!(token(&world, &mut browser).await, tokens.access.expose());
        assert!(world.peek(&mut browser).await.is_ok());
    }
    assert_eq!(shelves.put().len(), 3);
}

#[tokio::test]
async fn what_the_store_holds_shows_nothing() {
    let (world, shelves) = in_store().await;
    let browser = world.browser().await;
    let field = browser.headers()[http::header::COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    for (name, sealed) in shelves.put() {
        for text in ["at-0", "rt-0", "alice", "openid", "sid-1"] {
            assert!(!sealed.windows(text.len()).any(|bytes| bytes == text.as_bytes()));
        }
        // Nor does it lead to the cookie: its name is a hash of what stands there.
        let session = opened(&world, &browser).await;
        let shelf = session.shelf.as_ref().unwrap();
        assert_eq!(shelf.name(), name);
        assert!(!sealed.windows(32).any(|bytes| bytes == shelf.name()));
        assert_eq!(format!("{shelf:?}"), "Shelf(***)");
        assert!(!field.contains("at-0"));
    }
}

#[tokio::test]
async fn content_is_fetched_once_while_the_cookies_stay_the_same() {
    let (world, shelves) = in_store().await;
    let mut browser = world.browser().await;
    for _ in 0..5 {
        assert_eq!(token(&world, &mut browser).await, "at-0");
    }
    assert_eq!(shelves.fetched.load(Ordering::SeqCst), 1);
    // A slide makes another cookie, and no other content.
    world.clock.advance(200);
    let before = browser.clone();
    world.call(&mut browser).await.unwrap();
    assert_ne!(before, browser);
    assert_eq!(token(&world, &mut browser).await, "at-0");
    assert_eq!(shelves.fetched.load(Ordering::SeqCst), 2);
    assert_eq!(shelves.put().len(), 1);
}

#[tokio::test]
async fn an_old_generation_stays_as_long_as_its_excuse() {
    let (world, shelves) = in_store().await;
    let mut browser = world.browser().await;
    let mut late = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    assert_eq!(shelves.left(world.sessions.now()).await, [true, true]);
    world.clock.advance(100);
    assert_eq!(
        token(&world, &mut late.clone()).await,
        "at-1",
        "nobody presented it"
    );
    world.call(&mut browser).await.unwrap();
    world.clock.advance(59);
    assert_eq!(token(&world, &mut late.clone()).await, "at-1");
    world.clock.advance(1);
    assert_eq!(shelves.left(world.sessions.now()).await, [false, true]);
    // A thread that remembers the content takes it for the same: reuse.
    assert_eq!(said(world.call(&mut late).await), (Code::SessionRevoked, false));
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionRevoked, false)
    );
    // Only its own cookies knew the name of the newest: that goes with the absolute end.
    assert_eq!(shelves.left(world.sessions.now()).await, [false, true]);
}

#[tokio::test]
async fn an_old_generation_whose_content_is_gone_is_reuse() {
    let (world, _) = in_store().await;
    let mut browser = world.browser().await;
    let mut late = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    world.call(&mut browser).await.unwrap();
    world.clock.advance(60);
    // Nobody has opened these bytes before: the content is asked for, and gone.
    late.disguise();
    assert_eq!(said(world.call(&mut late).await), (Code::SessionRevoked, false));
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionRevoked, false)
    );
}

#[tokio::test]
async fn an_unpresented_generation_leaves_the_old_one_for_an_idle_timeout_at_most() {
    let (world, shelves) = in_store().await;
    let mut browser = world.browser().await;
    world.refresh(&mut browser).await.unwrap();
    world.clock.advance(1799);
    assert_eq!(shelves.left(world.sessions.now()).await, [true, true]);
    world.clock.advance(1);
    assert_eq!(shelves.left(world.sessions.now()).await, [false, true]);
}

#[tokio::test]
async fn nothing_is_left_after_a_logout() {
    let (world, shelves) = in_store().await;
    let mut browser = world.browser().await;
    let mut copy = browser.clone();
    world.refresh(&mut browser).await.unwrap();
    let (left, cleared) = world.sessions.log_out(&browser.headers()).await.unwrap();
    assert_eq!(left.unwrap().access.token.expose(), "at-1");
    assert_eq!(shelves.left(world.sessions.now()).await, [false, false]);
    for mut saved in [browser.clone(), copy.clone()] {
        assert_eq!(said(world.call(&mut saved).await), (Code::SessionRevoked, false));
    }
    browser.store(&cleared);
    assert!(browser.is_empty());
    assert_eq!(world.peek(&mut copy).await, Err("logged_out"));
    assert!(copy.is_empty());
}

#[tokio::test]
async fn content_lasts_no_longer_than_what_it_is_for() {
    let (world, shelves) = in_store().await;
    let _alice = world.browser().await;
    let _bob = world.browser_with(without_refresh()).await;
    world.clock.advance(599);
    assert_eq!(shelves.left(world.sessions.now()).await, [true, true]);
    world.clock.advance(1);
    assert_eq!(shelves.left(world.sessions.now()).await, [true, false]);
    world.clock.advance(12 * 3600 - 600);
    assert_eq!(shelves.left(world.sessions.now()).await, [false, false]);
}

#[tokio::test]
async fn a_store_out_of_reach_is_503_and_costs_nobody_the_session() {
    let (world, shelves) = in_store().await;
    let mut browser = world.browser().await;
    let before = browser.clone();
    shelves.down.store(true, Ordering::SeqCst);
    let headers = browser.headers();
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::StoreUnavailable, false)
    );
    assert_eq!(
        said(world.refresh(&mut browser).await),
        (Code::StoreUnavailable, false)
    );
    assert_eq!(
        said(world.sessions.peek(&headers).await),
        (Code::StoreUnavailable, false)
    );
    assert_eq!(
        said(world.sessions.log_out(&headers).await),
        (Code::StoreUnavailable, false)
    );
    assert_eq!(browser, before);
    shelves.down.store(false, Ordering::SeqCst);
    assert_eq!(token(&world, &mut browser).await, "at-0");
}

#[tokio::test]
async fn a_login_that_the_store_does_not_take_changes_nothing() {
    let (world, shelves) = in_store().await;
    let mut browser = world.browser().await;
    let session = opened(&world, &browser).await;
    shelves.down.store(true, Ordering::SeqCst);
    let begun = world
        .sessions
        .begin(tokens(), alice(), Some(session.id), world.sessions.now())
        .await;
    assert_eq!(said(begun), (Code::StoreUnavailable, false));
    shelves.down.store(false, Ordering::SeqCst);
    assert!(world.call(&mut browser).await.is_ok());
}

#[tokio::test]
async fn a_renewal_that_the_store_does_not_take_lives_in_the_cookies_until_the_next() {
    let (world, shelves) = in_store().await;
    let mut browser = world.browser().await;
    world.call(&mut browser).await.unwrap();
    shelves.down.store(true, Ordering::SeqCst);
    // This thread remembers what the cookies opened to, so that the outage begins after the fetch.
    world.refresh(&mut browser).await.unwrap();
    assert_eq!(browser.names(), ["at", "id", "rt"]);
    assert_eq!(token(&world, &mut browser).await, "at-1");
    shelves.down.store(false, Ordering::SeqCst);
    world.clock.advance(600);
    assert_eq!(token(&world, &mut browser).await, "at-2");
    assert_eq!(browser.names(), ["at", "rt"]);
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1"]);
}

#[tokio::test]
async fn a_store_that_forgot_the_tokens_ends_the_session() {
    // Contract §9: nothing renews it.
    let (mut world, _) = in_store().await;
    let mut browser = world.browser().await;
    world.restart();
    let mut copy = browser.clone();
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionExpired, false)
    );
    assert_eq!(
        said(world.refresh(&mut browser).await),
        (Code::SessionExpired, false)
    );
    assert_eq!(world.peek(&mut browser).await, Err("expired"));
    assert!(browser.is_empty(), "the question clears it");
    let (left, cleared) = world.sessions.log_out(&copy.headers()).await.unwrap();
    assert!(left.is_none(), "nothing to take leave of");
    let mut saved = copy.clone();
    copy.store(&cleared);
    assert!(copy.is_empty());
    assert_eq!(said(world.call(&mut saved).await), (Code::SessionRevoked, false));
    assert!(world.provider.asked().is_empty());
}

#[tokio::test]
async fn content_that_was_changed_cut_or_exchanged_makes_no_session() {
    let (world, shelves) = in_store().await;
    let mut browser = world.browser().await;
    let _other = world.browser().await;
    let put = shelves.put();
    let (sealed, others) = (&put[0].1, &put[1].1);
    let mut wrong: Vec<Vec<u8>> = (0..sealed.len())
        .map(|position| {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            changed
        })
        .collect();
    wrong.extend((0..sealed.len()).map(|length| sealed[..length].to_vec()));
    wrong.push([sealed.as_slice(), &[0]].concat());
    wrong.push(others.clone());
    for wrong in wrong {
        *shelves.instead.lock().unwrap() = Some(wrong);
        assert_eq!(
            said(world.call(&mut browser).await),
            (Code::SessionExpired, false)
        );
    }
    *shelves.instead.lock().unwrap() = None;
    assert_eq!(token(&world, &mut browser).await, "at-0");
}

#[tokio::test]
async fn what_does_not_fit_moves_to_a_store_that_keeps_it_and_back() {
    let (world, shelves) = world::<false>(true).await;
    let mut browser = world.browser_with(large()).await;
    assert_eq!(browser.names(), ["at", "rt"]);
    assert_eq!(token(&world, &mut browser).await.len(), 60 << 10);
    world.clock.advance(600);
    assert_eq!(token(&world, &mut browser).await, "at-1");
    assert_eq!(browser.names(), ["at", "id", "rt"], "it fits again");
    world.provider.replies(|asked| {
        let (status, mut body) = rotated(asked);
        body["access_token"] = "B".repeat(60 << 10).into();
        (status, body)
    });
    world.clock.advance(600);
    assert_eq!(token(&world, &mut browser).await.len(), 60 << 10);
    assert_eq!(browser.names(), ["at", "rt"], "and no more");
    assert_eq!(shelves.put().len(), 2);
}

#[tokio::test]
async fn where_a_restart_would_lose_it_nothing_moves() {
    // Contract §4: `session_too_large`, said before anybody relies on the session.
    let (world, shelves) = world::<false>(false).await;
    let begun = world
        .sessions
        .begin(large(), alice(), None, world.sessions.now())
        .await;
    assert_eq!(said(begun), (Code::SessionTooLarge, false));
    assert!(shelves.put().is_empty());
}

#[tokio::test]
async fn another_mode_holds_from_the_next_renewal_on_and_signs_nobody_out() {
    let (mut world, _) = in_store().await;
    let modes = [
        (SessionMode::Cookie, ["at", "id", "rt"].as_slice()),
        (SessionMode::Store, &["at", "rt"]),
        (SessionMode::Cookie, &["at", "id", "rt"]),
    ];
    let mut browser = world.browser().await;
    for (number, (mode, names)) in modes.into_iter().enumerate() {
        let names_before = browser.clone();
        world.restart_with(|app| app.session.mode = mode);
        world.clock.advance(200);
        assert_eq!(token(&world, &mut browser).await, format!("at-{number}"));
        assert_eq!(
            browser.names(),
            names_before.names(),
            "a slide leaves it where it is"
        );
        let before = browser.clone();
        world.clock.advance(400);
        let next = format!("at-{}", number + 1);
        assert_eq!(token(&world, &mut browser).await, next);
        assert_eq!(browser.names(), names);
        // A second tab with the old cookies is given the new ones.
        let mut second = before.clone();
        assert_eq!(token(&world, &mut second).await, next);
        assert_eq!(second.names(), names);
    }
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1", "rt-2"]);
}

#[tokio::test]
async fn a_late_slide_from_before_the_move_signs_nobody_out() {
    for (before, after) in [
        (SessionMode::Cookie, SessionMode::Store),
        (SessionMode::Store, SessionMode::Cookie),
    ] {
        let (mut world, _) = in_store().await;
        world.restart_with(|app| app.session.mode = before);
        let mut browser = world.browser().await;
        let old = browser.clone();
        world.restart_with(|app| app.session.mode = after);
        world.refresh(&mut browser).await.unwrap();
        // The access cookie of before arrives last.
        browser.take("at", &old);
        world.clock.advance(10);
        let token = token(&world, &mut browser).await;
        assert!(["at-1", "at-2"].contains(&token.as_str()), "{token}");
        // Where its token is nowhere, it is renewed.
        let renewals = world.provider.asked().len();
        assert_eq!(renewals, if after == SessionMode::Store { 1 } else { 2 });
    }
}

#[tokio::test]
async fn cookies_of_two_sessions_and_of_none_open_nothing() {
    // K-07, K-11.
    let (world, _) = in_store().await;
    let (mine, theirs) = (world.browser().await, world.browser().await);
    for kind in ["at", "rt"] {
        let mut mixed = mine.clone();
        mixed.take(kind, &theirs);
        assert_eq!(
            said(world.call(&mut mixed).await),
            (Code::SessionMissing, false),
            "{kind}"
        );
        let mut cut = mine.clone();
        cut.lose(kind);
        assert_eq!(
            said(world.call(&mut cut).await),
            (Code::SessionMissing, false),
            "{kind}"
        );
    }
    let world_of_cookies = World::new().await;
    let of_cookies = world_of_cookies.browser().await;
    let mut mixed = mine.clone();
    mixed.take("id", &of_cookies);
    assert_eq!(
        said(world.call(&mut mixed).await),
        (Code::SessionMissing, true),
        "another issuer's ID cookie does not open"
    );
}

//! The cookie keys change while people work (contract §4, M-03): what is under an old key is sealed anew as it is used, and
//! no order of the steps on two replicas loses a session as long as the documented order is kept.

use futures_util::future::join_all;

use super::world::{Browser, Counted, World, said, without_refresh};
use crate::config::tests::fixture;
use crate::config::{CookieKey, SessionMode};
use crate::random::Random;
use crate::refusal::Code;
use crate::renewal::Sessions;
use crate::session::{Opened, Parts};

/// The rings of docs/how-to/keys.md, one after the other.
fn rings() -> [Vec<CookieKey>; 4] {
    let (old, new) = (|| fixture::key(7), || fixture::key(8));
    [vec![old()], vec![old(), new()], vec![new(), old()], vec![new()]]
}

/// What of the jar is under a key that does not seal here.
fn outdated(sessions: &Sessions, browser: &Browser) -> Option<Parts> {
    match sessions.parts.cookies.open(&browser.headers()) {
        Opened::Session(_, presented) => Some(presented.outdated()),
        _ => None,
    }
}

async fn call(sessions: &Sessions, browser: &mut Browser) {
    let admitted = sessions.admit(&browser.headers()).await.unwrap().unwrap();
    browser.store(&sessions.cookies_for_answer(&admitted).await);
}

#[tokio::test]
async fn a_call_seals_everything_anew_that_is_under_the_old_key() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let [_, _, moved, removed] = rings();
    let (moved, removed) = (world.replica_with(&moved), world.replica_with(&removed));
    assert_eq!(outdated(&moved, &browser), Some(Parts::ALL));
    call(&moved, &mut browser).await;
    assert_eq!(outdated(&moved, &browser), Some(Parts::NONE));
    // It is the same session and the same generation, and the provider was not asked.
    call(&removed, &mut browser).await;
    assert_eq!(world.provider.asked(), [""; 0]);
    // Once: the next call sets nothing.
    let admitted = moved.admit(&browser.headers()).await.unwrap().unwrap();
    assert!(!admitted.wants_cookies());
}

#[tokio::test]
async fn a_refresh_does_and_the_session_question_does_not() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let [_, _, moved, _] = rings();
    let moved = world.replica_with(&moved);
    let before = browser.clone();
    let crate::renewal::Peek::Alive { set_cookies, .. } = moved.peek(&browser.headers()).await.unwrap()
    else {
        panic!("it is alive");
    };
    assert!(set_cookies.is_empty(), "`GET session` changes nothing");
    assert_eq!(browser, before);
    let admitted = moved.refresh(&browser.headers()).await.unwrap();
    browser.store(&moved.cookies_for_answer(&admitted).await);
    assert_eq!(outdated(&moved, &browser), Some(Parts::NONE));
    // Without a refresh token there is nothing to renew, and it is sealed anew all the same.
    let mut browser = world.browser_with(without_refresh()).await;
    let admitted = moved.refresh(&browser.headers()).await.unwrap();
    browser.store(&moved.cookies_for_answer(&admitted).await);
    assert_eq!(outdated(&moved, &browser), Some(Parts::NONE));
}

/// The end wins: an answer that finishes behind it sets nothing, under whatever key.
#[tokio::test]
async fn nothing_is_sealed_anew_of_a_session_that_has_ended() {
    let world = World::new().await;
    let browser = world.browser().await;
    let [_, _, moved, _] = rings();
    let moved = world.replica_with(&moved);
    let admitted = moved.admit(&browser.headers()).await.unwrap().unwrap();
    assert!(admitted.wants_cookies());
    moved.log_out(&browser.headers()).await.unwrap();
    assert!(moved.cookies_for_answer(&admitted).await.is_empty());
}

/// The answer of a call that was overtaken by a renewal brings the newest generation, never its own refresh cookie.
#[tokio::test]
async fn nothing_of_an_older_generation_is_sealed_anew() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let [_, _, moved, removed] = rings();
    let (moved, removed) = (world.replica_with(&moved), world.replica_with(&removed));
    let late = moved.admit(&browser.headers()).await.unwrap().unwrap();
    let refreshed = moved.refresh(&browser.headers()).await.unwrap();
    browser.store(&moved.cookies_for_answer(&refreshed).await);
    // It arrives last.
    browser.store(&moved.cookies_for_answer(&late).await);
    let Opened::Session(session, _) = removed.parts.cookies.open(&browser.headers()) else {
        panic!("all of it is under the new key");
    };
    assert_eq!(session.generation, refreshed.session.generation);
}

/// While a renewal is under way, or about to be, the refresh cookie stays as it is: the renewal's answer may be quicker.
#[tokio::test]
async fn nothing_is_sealed_anew_beside_a_renewal() {
    let world = World::new().await;
    let browser = world.browser().await;
    let [_, _, moved, _] = rings();
    let moved = world.replica_with(&moved);
    let admitted = moved.admit(&browser.headers()).await.unwrap().unwrap();
    world.clock.advance(571);
    assert!(
        moved.cookies_for_answer(&admitted).await.is_empty(),
        "29 s are left of the access token"
    );
}

/// A replica that does not know a key yet: no session there, and the jar stays as it is for those that do.
#[tokio::test]
async fn a_replica_that_is_behind_leaves_the_jar_alone() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let [behind, _, moved, _] = rings();
    let (behind, moved) = (world.replica_with(&behind), world.replica_with(&moved));
    call(&moved, &mut browser).await;
    assert_eq!(
        said(behind.admit(&browser.headers()).await),
        (Code::SessionMissing, false)
    );
    assert_eq!(
        said(behind.refresh(&browser.headers()).await),
        (Code::SessionMissing, false)
    );
    let crate::renewal::Peek::Gone { reason, set_cookies } = behind.peek(&browser.headers()).await.unwrap()
    else {
        panic!("it cannot be opened there");
    };
    assert_eq!((reason, set_cookies.len()), ("none", 0));
    call(&moved, &mut browser).await;
}

/// What is kept of a renewal is sealed by the old refresh token, not by a cookie key: a tab that slept through the rotation
/// is handed the newest generation, under the new key.
#[tokio::test]
async fn a_kept_renewal_outlives_the_rotation() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut sleeping = browser.clone();
    let [_, added, moved, removed] = rings();
    let refreshed = world
        .replica_with(&added)
        .refresh(&browser.headers())
        .await
        .unwrap();
    browser.store(&world.sessions.cookies_for_answer(&refreshed).await);
    world.clock.advance(30);
    call(&world.replica_with(&moved), &mut sleeping).await;
    assert_eq!(world.provider.asked(), ["rt-0"]);
    call(&world.replica_with(&removed), &mut sleeping).await;
}

/// A session whose tokens lie in the store keeps a handle and a secret in its cookies: those are sealed anew, the content needs
/// no cookie key.
#[tokio::test]
async fn a_session_in_the_store_outlives_the_rotation() {
    let world = World::with(|app| app.session.mode = SessionMode::Store).await;
    let mut browser = world.browser().await;
    let [_, _, moved, removed] = rings();
    let (moved, removed) = (world.replica_with(&moved), world.replica_with(&removed));
    call(&moved, &mut browser).await;
    call(&removed, &mut browser).await;
    let refreshed = removed.refresh(&browser.headers()).await.unwrap();
    browser.store(&removed.cookies_for_answer(&refreshed).await);
    call(&removed, &mut browser).await;
    assert_eq!(world.provider.asked(), ["rt-0"]);
}

fn below(random: &dyn Random, limit: usize) -> usize {
    usize::from(u16::from_le_bytes(random.bytes())) % limit
}

/// Two replicas go through the steps one after the other, in any order that the manual allows: a replica takes a step once
/// all have taken the one before, and the old key goes once no cookie needs it. Meanwhile requests come in twos and threes,
/// to either; answers are lost, and arrive in any order.
#[tokio::test]
async fn no_order_of_the_steps_loses_a_session() {
    let chance = Counted::default();
    let chance: &dyn Random = &chance;
    let world = World::with(|app| app.session.absolute_timeout *= 100).await;
    let rings = rings().map(|ring| world.replica_with(&ring));
    let mut rotations = 0;
    for round in 0..60 {
        let mut browser = world.browser().await;
        let mut steps = [0, 0];
        while steps != [3, 3] {
            world.clock.advance(below(chance, 120) as u64);
            let replica = below(chance, 2);
            let next = steps[replica] + 1;
            let all_have_the_one_before = steps.iter().all(|step| next <= step + 1);
            let may_go = next < 3 || outdated(&rings[3], &browser).is_some();
            if next <= 3 && all_have_the_one_before && may_go && below(chance, 3) == 0 {
                steps[replica] = next;
                rotations += 1;
            }
            let headers = &browser.headers();
            let requests = (0..=below(chance, 2)).map(|_| {
                let sessions = &rings[steps[below(chance, 2)]];
                let kind = below(chance, 6);
                async move {
                    let admitted = match kind {
                        0 => sessions.refresh(headers).await,
                        _ => sessions.admit(headers).await.map(Option::unwrap),
                    };
                    let admitted =
                        admitted.unwrap_or_else(|refusal| panic!("round {round}, {steps:?}: {refusal}"));
                    sessions.cookies_for_answer(&admitted).await
                }
            });
            let requests: Vec<_> = requests.collect();
            let mut answers = join_all(requests).await;
            while !answers.is_empty() {
                let answer = answers.swap_remove(below(chance, answers.len()));
                if below(chance, 4) > 0 {
                    browser.store(&answer);
                }
            }
        }
        assert_eq!(outdated(&rings[3], &browser), Some(Parts::NONE));
    }
    assert_eq!(rotations, 60 * 6);
}

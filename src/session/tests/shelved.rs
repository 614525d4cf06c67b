//! Sessions whose tokens lie in the store: two cookies and a content, and what is worth anything without the other.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::round_trip::any_session;
use super::world::{
    Counted, Jar, NOW, SHARED, app, assert_same, cookies, cookies_of, key, presented, session, session_of,
    unreadable,
};
use crate::config::{App, AppId, CookieKey, Origin};
use crate::session::content::shelved::{Facts, Handle, decode};
use crate::session::content::{self, encode_onto};
use crate::session::{Cookies, Generation, Opened, Parts, Replaces, Session, SessionId, Shelf, Shelved};

const AT: &str = "__Host-Http-shop-at";
const RT: &str = "__Host-Http-shop-rt";
const ID: &str = "__Host-Http-shop-id";

/// `session` on a shelf of its own: its cookies, and what the store holds.
fn put(cookies: &Cookies, session: &Session) -> (Jar, Vec<u8>) {
    let shelf = Shelf::new(None, &Counted::default());
    put_on(cookies, session, shelf)
}

fn put_on(cookies: &Cookies, session: &Session, shelf: Shelf) -> (Jar, Vec<u8>) {
    let content = cookies.seal_content(session, &shelf).unwrap();
    let session = Session {
        shelf: Some(shelf),
        ..session.clone()
    };
    let set = cookies.seal(&session, Parts::ALL, Replaces::Everything, NOW);
    (Jar::of(&set.unwrap()), content)
}

fn shelved(cookies: &Cookies, jar: &Jar) -> Shelved {
    match cookies.open(&jar.headers()) {
        Opened::Shelved(shelved, _) => *shelved,
        other => panic!("expected a session in the store, found {other:?}"),
    }
}

/// Without its place, for comparisons.
fn without_shelf(session: Session) -> Session {
    Session {
        shelf: None,
        ..session
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_session_comes_back_from_its_shelf_as_it_was(session in any_session()) {
        let (jar, content) = put(&SHARED, &session);
        let shelved = shelved(&SHARED, &jar);
        let found = SHARED.open_content(&shelved, &content).unwrap();
        prop_assert_eq!(found.shelf.as_ref().map(Shelf::name), Some(shelved.shelf().name()));
        assert_same(&without_shelf(found), &session);
    }

    #[test]
    fn whatever_the_store_says_opens_only_if_it_was_put_there(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        position in any::<prop::sample::Index>(),
        other in 1..=255_u8,
    ) {
        let (jar, mut content) = put(&SHARED, &session());
        let shelved = shelved(&SHARED, &jar);
        prop_assert!(SHARED.open_content(&shelved, &noise).is_none());
        let position = position.index(content.len());
        content[position] ^= other;
        prop_assert!(SHARED.open_content(&shelved, &content).is_none());
        content[position] ^= other;
        prop_assert!(SHARED.open_content(&shelved, &content[..position]).is_none());
        prop_assert!(SHARED.open_content(&shelved, &content).is_some());
    }
}

#[test]
fn the_cookies_tell_whose_session_it_is_and_hold_no_token() {
    let cookies = cookies();
    let session = session_of(60 * 1024);
    let (jar, content) = put(&cookies, &session);
    assert_eq!(jar.0.keys().map(String::as_str).collect::<Vec<_>>(), [AT, RT]);
    let bytes: usize = jar
        .0
        .iter()
        .map(|(name, value)| name.len() + value.len() + 3)
        .sum();
    assert!(bytes < 600, "{bytes} bytes");
    assert!(content.len() > 3 * 60 * 1024);

    let shelved = shelved(&cookies, &jar);
    let facts = shelved.facts();
    assert!(facts.id == session.id && facts.generation == session.generation);
    assert_eq!((facts.started, facts.touched), (session.started, session.touched));
    assert_eq!((facts.idle, facts.absolute), (session.idle, session.absolute));
    assert_eq!(facts.identity, session.identity);
    assert_eq!(facts.access.token.expose(), "");
    assert!(facts.refresh.is_none() && facts.id_token.is_none());
    assert!(format!("{shelved:?}").contains("Shelf(***)"));
}

/// A dump of the store, and the cookie keys: without the browser's cookie neither leads to a token.
#[test]
fn the_store_and_the_cookie_keys_together_open_nothing() {
    let cookies = cookies();
    let (jar, content) = put(&cookies, &session());
    // As a cookie of whatever name it does not open, and no part of it names a key.
    let text = URL_SAFE_NO_PAD.encode(&content);
    for name in [AT, RT, ID] {
        let mut tried = jar.clone();
        tried.0.insert(name.into(), text.clone());
        assert!(unreadable(&cookies, &tried.headers()).is_some(), "{name}");
    }
    // Another handle with the same secret, another secret with the same handle: of two sessions, crosswise.
    let random = Counted::default();
    let (mine, other) = (Shelf::new(None, &random), Shelf::new(None, &random));
    let (jar, content) = put_on(&cookies, &session(), mine.clone());
    let facts = || shelved(&cookies, &jar).facts().clone();
    for (handle, secret) in [
        (&mine.handle, &other.secret),
        (&other.handle, &mine.secret),
        (&other.handle, &other.secret),
        (&mine.secret, &mine.handle),
    ] {
        let wrong = Shelf {
            handle: handle.clone(),
            secret: secret.clone(),
            before: None,
        };
        let wrong = Shelved::new(facts(), wrong);
        assert!(cookies.open_content(&wrong, &content).is_none());
    }
    assert!(
        cookies
            .open_content(&Shelved::new(facts(), mine), &content)
            .is_some()
    );
}

/// K-11, M-04: content opens for the session, the generation and the app that it was sealed for.
#[test]
fn content_is_of_one_session_one_generation_and_one_app() {
    let cookies = cookies();
    let shelf = || Shelf::new(None, &Counted::default());
    let (jar, content) = put_on(&cookies, &session(), shelf());
    let facts = shelved(&cookies, &jar).facts().clone();
    let other_session = Session {
        id: SessionId([8; 16]),
        ..facts.clone()
    };
    let other_generation = Session {
        generation: Generation(4),
        ..facts.clone()
    };
    for other in [other_session, other_generation] {
        assert!(
            cookies
                .open_content(&Shelved::new(other, shelf()), &content)
                .is_none()
        );
    }
    let changed = |change: &dyn Fn(&mut App)| {
        let mut app = app();
        change(&mut app);
        cookies_of(&[key(1)], &app)
    };
    for other in [
        changed(&|app| app.id = AppId("other".into())),
        changed(&|app| app.origin = Origin::parse("https://other.example.com").unwrap()),
        changed(&|app| app.provider.issuer = "https://other.example.com".into()),
        changed(&|app| app.provider.client_id = "other".into()),
    ] {
        let shelved = Shelved::new(facts.clone(), shelf());
        assert!(other.open_content(&shelved, &content).is_none());
    }
}

/// Rotated cookie keys seal the cookies anew, and leave the content as it is.
#[test]
fn content_outlives_the_cookie_keys() {
    let of_keys = |keys: &[CookieKey]| Cookies::new(keys, &app(), Arc::new(Counted::default()));
    let (before, between, after) = (of_keys(&[key(1)]), of_keys(&[key(2), key(1)]), of_keys(&[key(2)]));
    let (mut jar, content) = put(&before, &session());
    let session_there = between.open_content(&shelved(&between, &jar), &content).unwrap();
    let set = between.seal(
        &session_there,
        Parts::ALL,
        Replaces::Presented(presented([1, 1, 0])),
        NOW,
    );
    jar.apply(&set.unwrap());
    let found = after.open_content(&shelved(&after, &jar), &content).unwrap();
    assert_same(&without_shelf(found), &session());
}

/// K-07, K-11. The handle of one session beside the facts of another, a part alone, one that was changed.
#[test]
fn cookies_that_do_not_belong_together_open_nothing() {
    let cookies = cookies();
    let other = Session {
        id: SessionId([8; 16]),
        ..session()
    };
    let ((mine, _), (theirs, _)) = (put(&cookies, &session()), put(&cookies, &other));
    for name in [AT, RT] {
        let mut mixed = mine.clone();
        mixed.0.insert(name.into(), theirs.0[name].clone());
        assert_eq!(unreadable(&cookies, &mixed.headers()), Some(false), "{name}");
        let mut cut = mine.clone();
        cut.0.remove(name);
        assert_eq!(unreadable(&cookies, &cut.headers()), Some(false), "{name}");
    }
    // What is left over from before the move must be of the same session, too.
    let here = |session: &Session| {
        let set = cookies.seal(session, Parts::ALL, Replaces::Everything, NOW);
        Jar::of(&set.unwrap()).0[ID].clone()
    };
    let mut left_over = mine.clone();
    left_over.0.insert(ID.into(), here(&session()));
    let Opened::Shelved(_, seen) = cookies.open(&left_over.headers()) else {
        panic!("no session");
    };
    assert!(seen.has_surplus(), "and goes with the next answer");
    left_over.0.insert(ID.into(), here(&other));
    assert_eq!(unreadable(&cookies, &left_over.headers()), Some(false));
}

#[test]
fn the_access_cookie_slides_alone() {
    let cookies = cookies();
    let (mut jar, content) = put(&cookies, &session());
    let before = jar.clone();
    let mut found = cookies.open_content(&shelved(&cookies, &jar), &content).unwrap();
    found.touched = NOW.after(std::time::Duration::from_secs(900));
    let set = cookies.seal(
        &found,
        Parts::ACCESS,
        Replaces::Presented(presented([1, 1, 0])),
        NOW,
    );
    jar.apply(&set.unwrap());
    assert_eq!(jar.0[RT], before.0[RT]);
    let slid = cookies.open_content(&shelved(&cookies, &jar), &content).unwrap();
    assert_eq!(slid.touched, found.touched);
}

#[test]
fn an_access_cookie_of_the_other_place_is_read_as_far_as_it_goes() {
    let cookies = cookies();
    let (in_store, content) = put(&cookies, &session());
    let set = cookies.seal(&session(), Parts::ALL, Replaces::Everything, NOW);
    let in_cookies = Jar::of(&set.unwrap());
    // The session moved to the store, and a slide from before came late: the content is all there is.
    let mut late = in_store.clone();
    late.0.insert(AT.into(), in_cookies.0[AT].clone());
    let found = cookies.open_content(&shelved(&cookies, &late), &content).unwrap();
    assert_same(&without_shelf(found), &session());
    // It moved back: its access token is nowhere, and so it is renewed before anything else.
    let mut late = in_cookies.clone();
    late.0.insert(AT.into(), in_store.0[AT].clone());
    let Opened::Session(found, _) = cookies.open(&late.headers()) else {
        panic!("no session");
    };
    assert_eq!(found.access.token.expose(), "");
    assert!(found.access.expires.is_some_and(|expires| expires < NOW));
    assert_eq!(
        found.refresh.as_ref().map(|token| token.expose().len()),
        Some(200)
    );
}

#[test]
fn content_of_another_version_or_with_bytes_left_over_is_not_read() {
    let session = session();
    let shelf = Shelf::new(None, &Counted::default());
    let (mut facts, mut handle) = (Vec::new(), Vec::new());
    encode_onto(&Facts::of(&session), &mut facts);
    encode_onto(&Handle::of(&session, &shelf), &mut handle);
    assert_eq!((facts[0], handle[0]), (3, 3));
    assert!(decode::<Facts<'_>>(&facts).is_some() && decode::<Handle>(&handle).is_some());
    assert!(content::decode::<content::AccessContent<'_>>(&facts).is_none());
    assert!(content::decode::<content::TokenContent<'_>>(&handle).is_none());
    for bytes in [&mut facts, &mut handle] {
        bytes.push(0);
    }
    assert!(decode::<Facts<'_>>(&facts).is_none() && decode::<Handle>(&handle).is_none());
    for length in 0..handle.len() - 1 {
        assert!(decode::<Handle>(&handle[..length]).is_none());
    }
}

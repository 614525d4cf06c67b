//! K-01 to K-03, K-09: the attributes, letter by letter.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::login::pending;
use super::world::{NOW, app, cookies, cookies_of, key, presented, session};
use crate::session::{Farewell, Parts, Replaces};

/// What follows the value.
fn attributes(set: &HeaderValue) -> &str {
    set.to_str().unwrap().split_once("; ").unwrap().1
}

fn pair(set: &HeaderValue) -> &str {
    set.to_str().unwrap().split_once("; ").unwrap().0
}

const STRICT: &str = "HttpOnly; SameSite=Strict; Secure; Path=/";
const LAX: &str = "HttpOnly; SameSite=Lax; Secure; Path=/";
const OVER: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
const NOTHING_THERE: Replaces = Replaces::Presented(presented([0; 3]));

#[test]
fn session_cookies_are_strict_and_end_with_the_browser() {
    let set = cookies()
        .seal(&session(), Parts::ALL, NOTHING_THERE, NOW)
        .unwrap();
    let names: Vec<_> = set
        .iter()
        .map(|set| pair(set).split_once('=').unwrap().0)
        .collect();
    assert_eq!(
        names,
        [
            "__Host-Http-shop-at",
            "__Host-Http-shop-rt",
            "__Host-Http-shop-id"
        ]
    );
    assert!(set.iter().all(|set| attributes(set) == STRICT), "{set:?}");
}

#[test]
fn persistent_session_cookies_last_as_long_as_the_session_may() {
    let mut app = app();
    app.session.persistent = true;
    let cookies = cookies_of(&[key(1)], &app);
    let later = NOW.after(Duration::from_secs(3600));
    let set = cookies
        .seal(&session(), Parts::ALL, NOTHING_THERE, later)
        .unwrap();
    assert_eq!(attributes(&set[0]), format!("{STRICT}; Max-Age={}", 11 * 3600));
    // The lesser of sealed and configured holds.
    app.session.absolute_timeout = Duration::from_secs(2 * 3600);
    let cookies = cookies_of(&[key(1)], &app);
    let set = cookies
        .seal(&session(), Parts::ALL, NOTHING_THERE, later)
        .unwrap();
    assert_eq!(attributes(&set[0]), format!("{STRICT}; Max-Age=3600"));
}

#[test]
fn a_login_cookie_is_lax_and_lasts_ten_minutes() {
    let set = cookies()
        .seal_login(&pending("s", NOW), &HeaderMap::new(), NOW)
        .unwrap();
    assert_eq!(attributes(&set[0]), format!("{LAX}; Max-Age=600"));
}

#[test]
fn a_farewell_is_strict_and_lasts_two_minutes() {
    let farewell = Farewell {
        id: [1; 16],
        id_token: None,
        provider_session: None,
        made: NOW,
    };
    let set = cookies().seal_farewell(&farewell).unwrap();
    assert_eq!(attributes(&set[0]), format!("{STRICT}; Max-Age=120"));
}

/// K-09, attack 91: what clears repeats what set.
#[test]
fn clearing_repeats_the_attributes() {
    let cookies = cookies();
    for set in cookies.clear(&HeaderMap::new()) {
        assert_eq!(attributes(&set), format!("{STRICT}{OVER}"));
        assert!(pair(&set).ends_with('='));
    }
    assert_eq!(attributes(&cookies.clear_login("s")), format!("{LAX}{OVER}"));
    let farewell = cookies.clear_farewell(&HeaderMap::new());
    assert_eq!(pair(&farewell[0]), "__Host-Http-shop-end=");
    assert_eq!(attributes(&farewell[0]), format!("{STRICT}{OVER}"));
}

//! K-11, M-04, attacks 74, 76, 77: a value opens in the one place it was sealed for.

use super::login::pending;
use super::world::{Jar, NOW, app, cookies, cookies_of, header, key, session, unreadable};
use crate::config::{App, AppId, Origin};
use crate::session::{Farewell, Parts, Replaces};

const AT: &str = "__Host-Http-shop-at";
const RT: &str = "__Host-Http-shop-rt";
const ID: &str = "__Host-Http-shop-id";

#[test]
fn a_value_under_another_name_does_not_open() {
    let cookies = cookies();
    let mut set = cookies
        .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    set.extend(
        cookies
            .seal_login(&pending("state-1", NOW), &http::HeaderMap::new(), NOW)
            .unwrap(),
    );
    let farewell = Farewell {
        id: [1; 16],
        id_token: None,
        provider_session: None,
        made: NOW,
    };
    set.extend(cookies.seal_farewell(&farewell).unwrap());
    let jar = Jar::of(&set);
    assert_eq!(jar.0.len(), 5);

    for to in [AT, RT, ID] {
        for (from, value) in jar.0.iter().filter(|(from, _)| *from != to) {
            let mut swapped = jar.clone();
            swapped.0.insert(to.into(), value.clone());
            assert_eq!(
                unreadable(&cookies, &swapped.headers()),
                Some(true),
                "{from} as {to}"
            );
        }
    }
    let end = "__Host-Http-shop-end";
    let login = cookies.names.login("state-1");
    for (from, value) in &jar.0 {
        if from != end {
            let headers = header(format!("{end}={value}").as_bytes());
            assert!(cookies.open_farewell(&headers, NOW).is_none(), "{from} as end");
        }
        if *from != login {
            let headers = header(format!("{login}={value}").as_bytes());
            assert!(
                cookies.open_login(&headers, "state-1", NOW).is_none(),
                "{from} as login"
            );
        }
    }
    // The control: where they belong, they open.
    assert!(cookies.open_farewell(&jar.headers(), NOW).is_some());
    assert!(cookies.open_login(&jar.headers(), "state-1", NOW).is_some());
}

#[test]
fn a_login_does_not_open_under_another_logins_name() {
    let cookies = cookies();
    let set = cookies
        .seal_login(&pending("state-1", NOW), &http::HeaderMap::new(), NOW)
        .unwrap();
    let value = &Jar::of(&set).0[&cookies.names.login("state-1")];
    let headers = header(format!("{}={value}", cookies.names.login("state-2")).as_bytes());
    assert!(cookies.open_login(&headers, "state-2", NOW).is_none());
    assert!(cookies.open_login(&headers, "state-1", NOW).is_none());
}

type Change = fn(&mut App);

/// The same keys, another app, origin, issuer or client: no session.
#[test]
fn a_session_of_another_app_does_not_open() {
    let set = cookies()
        .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    let jar = Jar::of(&set);
    let changes: [(&str, Change); 4] = [
        ("app", |app| app.id = AppId("shop2".into())),
        ("origin", |app| {
            app.origin = Origin::parse("https://shop.example.com:8443").unwrap();
        }),
        ("issuer", |app| {
            app.provider.issuer = "https://login.example.com/".into();
        }),
        ("client", |app| app.provider.client_id = "shop2".into()),
    ];
    for (what, change) in changes {
        let mut other = app();
        change(&mut other);
        let other_cookies = cookies_of(&[key(1)], &other);
        let mut renamed = Jar::default();
        for (name, value) in &jar.0 {
            let name = name.replace("-shop-", &format!("-{}-", other.id.as_str()));
            renamed.0.insert(name, value.clone());
        }
        assert_eq!(
            unreadable(&other_cookies, &renamed.headers()),
            Some(true),
            "{what}"
        );
    }
}

/// Attack 77: bytes moved from one bound field to its neighbour make another binding.
#[test]
fn bound_fields_do_not_run_into_each_other() {
    let (mut left, mut right) = (app(), app());
    left.provider.issuer = "https://login.example.com/a".into();
    left.provider.client_id = "bc".into();
    right.provider.issuer = "https://login.example.com/ab".into();
    right.provider.client_id = "c".into();
    let set = cookies_of(&[key(1)], &left)
        .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    let right = cookies_of(&[key(1)], &right);
    assert_eq!(unreadable(&right, &Jar::of(&set).headers()), Some(true));
}

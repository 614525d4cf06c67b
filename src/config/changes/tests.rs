//! What is said of two configurations, and what is not.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::*;
use crate::config::tests::fixture;
use crate::config::{App, Config, RefreshMode, SessionNeed};

fn shop() -> App {
    App {
        routes: vec![Arc::new(fixture::route("http://127.0.0.1:9001"))],
        ..fixture::app()
    }
}

fn said(old: &Config, new: &Config) -> Vec<String> {
    Changes::between(old, new)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn changed(change: impl FnOnce(&mut App)) -> Vec<String> {
    let mut app = shop();
    change(&mut app);
    said(&fixture::config(vec![shop()]), &fixture::config(vec![app]))
}

#[test]
fn the_same_configuration_has_no_differences() {
    let config = fixture::config(vec![shop()]);
    assert!(Changes::between(&config, &fixture::config(vec![shop()])).is_empty());
}

#[test]
fn values_are_named_by_the_path_of_their_key() {
    let said = changed(|app| {
        app.session.idle_timeout = Duration::from_secs(900);
        app.session.refresh = RefreshMode::Spa;
        app.provider.audience = Some("orders".into());
        app.error_path = "/oops".into();
    });
    assert_eq!(
        said,
        [
            "app.shop.error_path: / -> /oops",
            "app.shop.provider.audience: unset -> orders",
            "app.shop.session.idle_timeout: 30m -> 15m",
            "app.shop.session.refresh: inline -> spa",
        ]
    );
}

#[test]
fn apps_and_routes_come_and_go_as_wholes() {
    let admin = App {
        id: crate::config::AppId("admin".into()),
        ..fixture::app_at("https://admin.example.org")
    };
    let (one, two) = (
        fixture::config(vec![shop()]),
        fixture::config(vec![admin, shop()]),
    );
    assert_eq!(said(&one, &two), ["app.admin: added"]);
    assert_eq!(said(&two, &one), ["app.admin: removed"]);

    let said = changed(|app| {
        let mut route = Route::clone(&app.routes[0]);
        route.session = SessionNeed::Optional;
        let mut public = route.clone();
        public.path = "/public".into();
        app.routes = vec![Arc::new(public), Arc::new(route)];
    });
    assert_eq!(
        said,
        [
            "app.shop.route.\"/public\": added",
            "app.shop.route.\"/api\".session: required -> optional"
        ]
    );
}

#[test]
fn secrets_are_compared_and_not_shown() {
    let said_of_secret =
        changed(|app| app.provider.client_secret = SecretString::from("another secret".to_owned()));
    assert_eq!(said_of_secret, ["app.shop.provider.client_secret: *** -> ***"]);
}

/// By their ids, so that a rotation can be followed; never by more.
#[test]
fn cookie_keys_are_named_with_what_each_is_for() {
    let ring = |keys: &[u8]| Config {
        keys: keys.iter().map(|byte| fixture::key(*byte)).collect(),
        ..fixture::config(vec![shop()])
    };
    let [one, two, three] = [1, 2, 3].map(|byte| fixture::key(byte).id());
    let said = |old: &[u8], new: &[u8]| {
        let said = said(&ring(old), &ring(new));
        assert!(said.len() <= 1, "{said:?}");
        said.into_iter().next()
    };
    assert_eq!(
        said(&[1], &[1, 2]),
        Some(format!("keys.cookie: {one} seals -> {one} seals, {two} opens"))
    );
    // The order is what rotates.
    assert_eq!(
        said(&[1, 2], &[2, 1]),
        Some(format!(
            "keys.cookie: {one} seals, {two} opens -> {two} seals, {one} opens"
        ))
    );
    assert_eq!(
        said(&[1, 2, 3], &[1, 3, 2]),
        Some(format!(
            "keys.cookie: {one} seals, {two} opens, {three} opens -> {one} seals, {three} opens, {two} opens"
        ))
    );
    assert_eq!(said(&[1, 2], &[1, 2]), None);
}

#[test]
fn a_provider_is_the_same_only_with_the_same_secret() {
    let app = shop();
    assert!(app.provider.is_same_as(&shop().provider));
    let mut other = shop().provider;
    other.client_secret = SecretString::from("another secret".to_owned());
    assert!(!app.provider.is_same_as(&other));
}

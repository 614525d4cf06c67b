//! Environment overrides (contract §7, attack 200).

use std::time::Duration;

use super::super::Config;
use super::{GOOD, SECOND_APP, World};

fn config(world: &World, text: &str) -> Config {
    world.parse(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn values_are_read_as_their_keys_type() {
    let world = World::new()
        .with("CLOAKROOM__SERVER__LISTEN", "0.0.0.0:9000")
        .with("CLOAKROOM__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]")
        .with("CLOAKROOM__SERVER__MAX_HEADER_BYTES", "64KiB")
        .with(
            "CLOAKROOM__APP__SHOP__PROVIDER__ISSUER",
            "https://other.example.com",
        )
        .with("CLOAKROOM__APP__SHOP__PROVIDER__REQUIRE_ISS", "true")
        .with("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET", "env:REAL_SECRET")
        .with("CLOAKROOM__APP__SHOP__SESSION", "{ idle_timeout = \"5m\" }")
        .with("CLOAKROOM__STORE__KIND", "memory")
        .with("REAL_SECRET", "zq-real-secret");
    let config = config(&world, GOOD);
    assert_eq!(config.server.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(config.server.trusted_proxies.len(), 1);
    assert_eq!(config.server.max_header_bytes, 64 * 1024);
    let app = &config.apps[0];
    assert_eq!(&*app.provider.issuer, "https://other.example.com");
    assert!(app.provider.require_iss);
    assert_eq!(app.session.idle_timeout, Duration::from_secs(300));
}

/// A table that the file does not write is made.
#[test]
fn tables_come_into_being() {
    let world = World::new().with("CLOAKROOM__APP__SHOP__SESSION__ABSOLUTE_TIMEOUT", "1h");
    let text = GOOD.replace("[app.session]\nidle_timeout = \"30m\"\n", "");
    assert_eq!(
        config(&world, &text).apps[0].session.absolute_timeout,
        Duration::from_secs(3600)
    );
}

/// Contract §7: `-` in an id becomes `_`.
#[test]
fn an_app_is_named_by_its_id() {
    let world = World::new().with("CLOAKROOM__APP__BACK_OFFICE__PROVIDER__CLIENT_ID", "other");
    let text = format!(
        "{GOOD}{}",
        SECOND_APP.replace("id = \"admin\"\norigin", "id = \"back-office\"\norigin")
    );
    let config = config(&world, &text);
    assert_eq!(&*config.apps[0].provider.client_id, "shop");
    assert_eq!(&*config.apps[1].provider.client_id, "other");
}

/// An override can put right what the file has wrong: it is judged as if it stood there.
#[test]
fn the_result_is_judged_not_the_file() {
    let world = World::new().with("CLOAKROOM__SERVER__LISTEN", "127.0.0.1:1");
    config(&world, &GOOD.replace("127.0.0.1:8080", "nonsense"));
    let world = World::new().with("CLOAKROOM__SERVER__LISTEN", "nonsense");
    let problems = world.parse(GOOD).unwrap_err();
    let problem = problems.iter().next().unwrap();
    assert_eq!(problem.position(), None);
    assert!(
        problems
            .to_string()
            .contains("server.listen (from CLOAKROOM__SERVER__LISTEN)"),
        "{problems}"
    );
}

#[test]
fn what_names_no_key_is_an_error() {
    for (name, value, expected) in [
        ("CLOAKROOM__SERVER__LISEN", "x", "CR-C060 server"),
        ("CLOAKROOM__COOKI__NAME", "x", "CR-C060 "),
        ("CLOAKROOM__", "x", "CR-C060 "),
        ("CLOAKROOM__SERVER__LISTEN__X", "x", "CR-C060 server.listen"),
        ("CLOAKROOM__APP__SHOPP__ORIGIN", "x", "CR-C060 app"),
        ("CLOAKROOM__APP__SHOP", "x", "CR-C060 app"),
        ("CLOAKROOM__APP", "[]", "CR-C060 app"),
        ("CLOAKROOM__APP__SHOP__ROUTE", "[]", "CR-C060 app[0].route"),
        (
            "CLOAKROOM__APP__SHOP__ROUTE__0__PATH",
            "/x",
            "CR-C060 app[0].route",
        ),
        (
            "CLOAKROOM__APP__SHOP__PROVIDER__REQUIRE_ISS",
            "yes",
            "CR-C061 app[0].provider.require_iss",
        ),
        (
            "CLOAKROOM__APP__SHOP__PROVIDER__SCOPES",
            "openid",
            "CR-C061 app[0].provider.scopes",
        ),
        (
            "CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET",
            "zq-literal",
            "CR-C012 app[0].provider.client_secret",
        ),
        (
            "CLOAKROOM__APP__SHOP__PROVIDER__DPOP",
            "true",
            "CR-C006 app[0].provider.dpop",
        ),
        (
            "CLOAKROOM__APP__SHOP__PROVIDER__PRESET",
            "keycloak",
            "CR-C006 app[0].provider.preset",
        ),
        ("CLOAKROOM__ADMIN__INSECURE_HTTP", "true", "CR-C005 admin.listen"),
        ("CLOAKROOM__SERVER", "nonsense", "CR-C061 server"),
        ("CLOAKROOM__SERVER", "{ lisen = 1 }", "CR-C003 server.lisen"),
    ] {
        assert_eq!(
            World::new().with(name, value).problems(GOOD),
            [expected],
            "{name}"
        );
    }
}

#[test]
fn a_misspelt_name_comes_with_the_right_one() {
    let world = World::new().with("CLOAKROOM__APP__SHOP__PROVIDER__ISUER", "x");
    let problems = world.parse(GOOD).unwrap_err();
    assert_eq!(
        problems.iter().next().unwrap().fix(),
        Some("did you mean `CLOAKROOM__APP__SHOP__PROVIDER__ISSUER`?")
    );
}

/// What does not begin with the prefix is none of ours.
#[test]
fn other_variables_are_left_alone() {
    config(
        &World::new().with("CLOAKROOM_LOG", "debug").with("CLOAKROOM", "x"),
        GOOD,
    );
}

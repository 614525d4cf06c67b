//! Configurations that are right, and what becomes of them.

use std::path::Path;
use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret as _;

use super::super::{
    Checked, ClientAuth, Config, CsrfRule, LogoutHint, LogoutMode, Redis, RedisUrl, RefreshMode, SessionMode,
    SessionNeed, SpaFiles, StoreKind, TokenKind,
};
use super::{GOOD, SECOND_APP, SECRET, World, added, changed};

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = World::new()
        .parse(&changed("[app.session]\nidle_timeout = \"30m\"\n", ""))
        .unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert!(config.server.trusted_proxies.is_empty());
    assert_eq!(config.server.max_header_bytes, 32 * 1024);
    assert_eq!(config.store, StoreKind::Memory { file: None });
    assert_eq!(config.keys.len(), 1);
    let app = &config.apps[0];
    assert_eq!(app.id.as_str(), "shop");
    assert_eq!(&*app.agent_path, "/oauth-agent");
    assert_eq!(app.spa_origin, app.origin);
    assert_eq!((&*app.error_path, &*app.post_logout_path), ("/", "/"));
    assert!(app.spa.is_none());
    let provider = &app.provider;
    assert_eq!(provider.client_secret.expose_secret(), SECRET);
    assert_eq!(provider.client_auth, ClientAuth::Basic);
    assert_eq!(
        &*provider.redirect_uri,
        "https://shop.example.com/oauth-agent/callback"
    );
    assert_eq!(
        &*provider.post_logout_redirect_uri,
        "https://shop.example.com/oauth-agent/logged-out"
    );
    assert_eq!(provider.id_token_alg, jsonwebtoken::Algorithm::RS256);
    assert_eq!(provider.max_age, None);
    assert_eq!(provider.default_expires_in, Some(Duration::from_secs(3600)));
    assert_eq!(provider.logout_mode, LogoutMode::Oidc);
    assert_eq!(provider.logout_hint, LogoutHint::IdToken);
    assert!(!provider.require_iss && !provider.userinfo_at_login && !provider.third_party_login);
    let session = &app.session;
    assert_eq!(session.idle_timeout, Duration::from_secs(30 * 60));
    assert_eq!(session.absolute_timeout, Duration::from_secs(12 * 3600));
    assert_eq!(session.refresh, RefreshMode::Inline);
    assert_eq!(session.cookie_budget, 7 * 1024);
    assert_eq!(session.mode, SessionMode::Cookie);
    assert!(!session.persistent);
    assert_eq!(session.claims, None);
    let route = &app.routes[0];
    assert_eq!(
        (route.session, route.token, route.csrf),
        (SessionNeed::Required, TokenKind::Access, CsrfRule::Header)
    );
    assert_eq!(route.methods, None);
    assert_eq!(route.timeout, Duration::from_secs(30));
    assert_eq!(route.stream_idle_timeout, Duration::from_secs(60));
    assert_eq!(route.connect_timeout, Duration::from_secs(5));
    assert_eq!(route.max_body, 10 * 1024 * 1024);
}

/// Contract §7: the value that says what happens anyway is no promise of something that is not built.
#[test]
fn the_defaults_of_what_is_not_built_may_be_written() {
    let world = World::new();
    let provider = "profile = \"none\"\npar = \"auto\"\njar = false\ndpop = false\nresponse_mode = \"query\"";
    let route =
        "accept_bearer = false\nwebsocket = false\nrequire_scopes = []\nrequire_acr = []\nclaims = []";
    for text in [
        added("[app.provider]", provider),
        added("[[app.route]]", route),
        format!("[store]\nkind = \"memory\"\n{GOOD}"),
    ] {
        world.parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn every_key_of_a_route_reads() {
    let config = World::new()
        .parse(&added(
            "[[app.route]]",
            "methods = [\"GET\", \"PROPFIND\"]\nstrip_path = true\nsession = \"optional\"\ntoken = \"none\"\n\
             csrf = \"fetch_metadata\"\ndrop_cookies = true\ndrop_headers = [\"X-Internal\"]\n\
             encoded_slash = \"pass\"\ntimeout = \"500ms\"\nstream_idle_timeout = \"2m\"\n\
             connect_timeout = \"1s\"\nmax_body = \"512B\"",
        ))
        .unwrap();
    let route = &config.apps[0].routes[0];
    assert!(route.allows(&Method::HEAD) && !route.allows(&Method::POST));
    assert!(route.strip_path && route.drop_cookies && route.pass_encoded_slash);
    assert_eq!(
        (route.session, route.token, route.csrf),
        (SessionNeed::Optional, TokenKind::None, CsrfRule::FetchMetadata)
    );
    assert_eq!(route.drop_headers[0].as_str(), "x-internal");
    assert_eq!(route.timeout, Duration::from_millis(500));
    assert_eq!(route.max_body, 512);
}

/// A public route has nothing to attach: it need not say so.
#[test]
fn a_public_route_has_no_token() {
    let config = World::new()
        .parse(&added("[[app.route]]", "session = \"none\""))
        .unwrap();
    assert_eq!(config.apps[0].routes[0].token, TokenKind::None);
}

#[test]
fn every_key_of_a_provider_reads() {
    let world = World::new();
    world.file(
        "ca.pem",
        "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
    );
    let config = world
        .parse(&added(
            "[app.provider]",
            "client_auth = \"client_secret_post\"\nca_file = \"ca.pem\"\nid_token_alg = \"ES256\"\n\
             audience = \"https://api.example.com\"\nresource = [\"https://api.example.com\"]\n\
             acr_values = [\"gold\"]\nallowed_acr_values = [\"silver\"]\nmax_age = \"0s\"\nrequire_iss = true\n\
             userinfo = \"at_login\"\ndefault_expires_in = \"2h\"\nlogout_mode = \"local\"\nlogout_hint = \"sid\"\n\
             third_party_login = true\nredirect_uri = \"{origin}/signed-in\"",
        ))
        .unwrap();
    let provider = &config.apps[0].provider;
    assert_eq!(provider.client_auth, ClientAuth::Post);
    assert!(provider.ca_pem.as_ref().unwrap().starts_with(b"-----BEGIN"));
    assert_eq!(provider.id_token_alg, jsonwebtoken::Algorithm::ES256);
    assert_eq!(&*provider.resource[0], "https://api.example.com");
    assert_eq!(provider.max_age, Some(Duration::ZERO));
    assert_eq!(provider.default_expires_in, Some(Duration::from_secs(7200)));
    assert_eq!(
        (provider.logout_mode, provider.logout_hint),
        (LogoutMode::Local, LogoutHint::Sid)
    );
    assert_eq!(&*provider.redirect_uri, "https://shop.example.com/signed-in");
}

/// The issuer is compared code point for code point, so it is kept so (D-01).
#[test]
fn the_issuer_is_kept_byte_for_byte() {
    let world = World::new();
    for issuer in [
        "https://Login.Example.com/",
        "https://login.example.com:443/a/../b",
        "http://idp.localhost:8082",
    ] {
        let config = world
            .parse(&changed("https://login.example.com", issuer))
            .unwrap();
        assert_eq!(&*config.apps[0].provider.issuer, issuer);
    }
}

#[test]
fn same_site_origins_may_be_allowed() {
    let world = World::new();
    for (origin, allowed) in [
        ("https://shop.example.com", "https://www.example.com"),
        ("https://shop.example.com", "https://example.com"),
        ("https://shop.example.com", "https://shop.example.com:8443"),
        ("https://a.shop.co.uk", "https://shop.co.uk"),
        ("http://localhost:8080", "http://localhost:5173"),
        ("http://api.app.localhost:8080", "http://www.app.localhost:5173"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:5173"),
        ("http://[::1]:8080", "http://[::1]:5173"),
    ] {
        let text = changed(
            "origin = \"https://shop.example.com\"",
            &format!("origin = \"{origin}\"\nallowed_origins = [\"{allowed}\"]\nspa_origin = \"{allowed}\""),
        );
        let config = world.parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(config.apps[0].spa_origin.as_str(), allowed);
    }
}

/// A scheme is part of a site: Strict cookies do not travel from http to https.
#[test]
fn another_scheme_is_another_site() {
    let text = changed(
        "origin = \"https://shop.example.com\"",
        "origin = \"https://localhost\"\nallowed_origins = [\"http://localhost:5173\"]",
    );
    assert_eq!(
        World::new().problems(&text),
        ["CR-C025 app[0].allowed_origins[0]"]
    );
}

#[test]
fn landing_places_may_be_pages_of_the_spa() {
    let world = World::new();
    for place in [
        "/",
        "/oops?from=login",
        "https://shop.example.com/oops",
        "/apiary",
        "/oauth-agents",
    ] {
        let text = added("id = \"shop\"", &format!("error_path = \"{place}\""));
        let config = world.parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(&*config.apps[0].error_path, place);
    }
}

/// A route at the root forwards a development server: the agent lies above it.
#[test]
fn a_route_at_the_root_leaves_the_agent_alone() {
    let config = World::new().parse(&changed("\"/api\"", "\"/\"")).unwrap();
    assert_eq!(&*config.apps[0].routes[0].path, "/");
}

#[test]
fn the_spa_folder_becomes_absolute() {
    let world = World::new();
    std::fs::create_dir(world.path().join("dist")).unwrap();
    let config = world
        .parse(&added("id = \"shop\"", "spa = { dir = \"dist\" }"))
        .unwrap();
    assert!(
        matches!(&config.apps[0].spa, Some(SpaFiles::Dir(dir)) if dir.is_absolute() && dir.ends_with("dist"))
    );
}

#[test]
fn an_upstream_off_loopback_may_be_plain_where_it_is_said() {
    let text = changed(
        "\"http://127.0.0.1:9001\"",
        "[\"http://10.0.0.7:9001/v1\"]\ninsecure_http = true",
    );
    let config = World::new().parse(&text).unwrap();
    assert_eq!(config.apps[0].routes[0].upstream.base_path(), "/v1");
}

/// Contract §7: disjoint apps may share an origin, hosts share cookies; both are said.
#[test]
fn apps_that_share_are_warned_about() {
    let world = World::new();
    let check = |text: &str| said(&world, text);
    let with = |origin: &str| {
        let second = SECOND_APP.replace(
            "https://admin.example.org\"",
            &format!("{origin}\"\nagent_path = \"/admin\""),
        );
        format!("{GOOD}{second}")
    };
    assert_eq!(
        check(&with("https://shop.example.com")),
        ["CR-C070 app[1].origin"]
    );
    assert_eq!(
        check(&with("https://shop.example.com:8443")),
        ["CR-C070 app[1].origin"]
    );
    assert!(check(&with("https://admin.example.com")).is_empty());
    assert_eq!(
        check(
            &added("[app.session]", "cookie_budget = \"64KiB\"")
                .replace("[server]", "[server]\nmax_header_bytes = \"32KiB\"")
        ),
        ["CR-C041 app[0].session.cookie_budget"]
    );
    assert_eq!(
        check(&added("[app.session]", "absolute_timeout = \"10m\"")),
        ["CR-C040 app[0].session.idle_timeout"]
    );
}

/// Contract §9: each kind with its keys. The file is named from the folder of the configuration.
#[test]
fn each_kind_of_store_reads() {
    let world = World::new();
    let store = |lines: &str| world.parse(&format!("[store]\n{lines}\n{GOOD}")).unwrap().store;
    let file = Some(world.path().join("state.redb"));
    assert_eq!(store("file = \"state.redb\""), StoreKind::Memory { file });
    let elsewhere = Some("/state.redb".into());
    assert_eq!(
        store("kind = \"memory\"\nfile = \"/state.redb\""),
        StoreKind::Memory { file: elsewhere }
    );
    assert_eq!(
        store("kind = \"redis\"\nurl = \"redis://127.0.0.1\""),
        StoreKind::Redis(Redis {
            url: RedisUrl::of("redis://127.0.0.1:6379/0"),
            prefix: "cloakroom:".into(),
            grace: Duration::from_secs(600),
        })
    );
    assert_eq!(store("kind = \"none\""), StoreKind::None);
}

/// Contract §7. A memory that a restart wipes is worth a warning, no more.
#[test]
fn each_mode_of_a_session_reads() {
    let world = World::new();
    for (word, mode) in [("cookie", SessionMode::Cookie), ("store", SessionMode::Store)] {
        let text = added("[app.session]", &format!("mode = \"{word}\""));
        assert_eq!(world.parse(&text).unwrap().apps[0].session.mode, mode);
    }
}

/// A dev server passes requests on, or somebody forgot a port: only a person can tell.
#[test]
fn a_loopback_origin_on_another_port_than_the_service_is_asked_about() {
    let warned = |listen: &str, origin: &str| {
        let text = changed("https://shop.example.com", origin).replace("127.0.0.1:8080", listen);
        said(&World::new(), &text)
    };
    for origin in [
        "http://localhost:5173",
        "http://localhost",
        "http://app.localhost:5173",
        "http://[::1]:5173",
        "https://localhost:5173",
    ] {
        assert_eq!(
            warned("127.0.0.1:8080", origin),
            ["CR-C071 app[0].origin"],
            "{origin}"
        );
    }
    for (listen, origin) in [
        ("0.0.0.0:8080", "http://localhost:8080"),
        ("127.0.0.1:80", "http://localhost"),
        // Which port it will be knows nobody yet; and off loopback there is a proxy in front.
        ("127.0.0.1:0", "http://localhost:5173"),
        ("127.0.0.1:8080", "https://shop.example.com"),
    ] {
        assert!(warned(listen, origin).is_empty(), "{listen} {origin}");
    }
    // The port that holds in the end, wherever it is from.
    let world = World::new().with("CLOAKROOM__SERVER__LISTEN", "127.0.0.1:5173");
    assert!(
        said(
            &world,
            &changed("https://shop.example.com", "http://localhost:5173")
        )
        .is_empty()
    );
    let world = World::new().with("CLOAKROOM__APP__SHOP__ORIGIN", "http://localhost:5173");
    assert_eq!(said(&world, GOOD), ["CR-C071 app[0].origin"]);
}

/// Where `spa_origin` says it, or a page is served at `origin`, the way back is meant.
#[test]
fn allowed_origins_without_a_way_back_to_them_are_asked_about() {
    let world = World::new();
    std::fs::create_dir(world.path().join("dist")).unwrap();
    let warned = |lines: &str| said(&world, &added("id = \"shop\"", lines));
    let listed = "allowed_origins = [\"https://www.example.com\"]";
    assert_eq!(warned(listed), ["CR-C072 app[0].allowed_origins"]);
    for settled in [
        "spa_origin = \"https://www.example.com\"",
        "spa_origin = \"https://shop.example.com\"",
        "spa = { dir = \"dist\" }",
    ] {
        assert!(warned(&format!("{listed}\n{settled}")).is_empty(), "{settled}");
    }
    assert!(warned("allowed_origins = []").is_empty());
    assert!(warned("allowed_origins = [\"https://shop.example.com\"]").is_empty());
}

/// The warnings of a configuration that is right.
fn said(world: &World, text: &str) -> Vec<String> {
    let Checked { config, problems } = world.check(text);
    assert!(config.is_some(), "{problems}");
    problems
        .iter()
        .map(|problem| format!("{} {}", problem.code(), problem.path()))
        .collect()
}

/// Contract §4: a budget up to 64 KiB. What a login sets must come back with the next request.
#[test]
fn a_large_cookie_budget_makes_room_in_the_head() {
    let config = World::new()
        .parse(&added("[app.session]", "cookie_budget = \"64KiB\""))
        .unwrap();
    assert_eq!(config.server.max_header_bytes, 72 * 1024);
}

/// `load` reads beside the file, whatever folder the process is in.
#[test]
fn paths_start_at_the_folder_of_the_file() {
    let world = World::new();
    let path = world.path().join("config.toml");
    std::fs::write(&path, format!("\u{feff}{GOOD}").replace('\n', "\r\n")).unwrap();
    Config::load(Path::new(&path)).unwrap_or_else(|problems| panic!("{problems}"));
}

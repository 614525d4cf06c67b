//! L-22, attacks 2 to 13: what a login may return to, and what it may not.

use proptest::prelude::*;

use super::*;

/// An app on `https://app.test` with a second listed origin, an API and, like a development server, a public `/`.
struct World {
    origin: Origin,
    spa_origin: Origin,
    allowed: Vec<Origin>,
}

impl World {
    fn new(spa_origin: &str) -> Self {
        let origin = |text| Origin::parse(text).unwrap();
        Self {
            origin: origin("https://app.test"),
            spa_origin: origin(spa_origin),
            allowed: vec![
                origin("https://www.app.test"),
                origin("https://www.app.test:8443"),
            ],
        }
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            origin: &self.origin,
            spa_origin: &self.spa_origin,
            allowed_origins: &self.allowed,
            calls: vec!["/oauth-agent", "/api/orders", "/public", "/"],
        }
    }

    fn location(&self, text: &str) -> Result<String, Rejected> {
        ReturnTo::check(text, &self.rules()).map(|target| target.location().to_owned())
    }
}

#[test]
fn pages_of_the_app_pass_and_leave_as_the_browser_writes_them() {
    let world = World::new("https://app.test");
    for (text, location) in [
        ("/", "/"),
        ("/dashboard", "/dashboard"),
        ("/dashboard/", "/dashboard/"),
        ("/a?b=c&d=%2Fe", "/a?b=c&d=%2Fe"),
        ("/?next=//evil.test", "/?next=//evil.test"),
        ("/?u=https://evil.test", "/?u=https://evil.test"),
        (
            "/?response_type=token&scope=admin",
            "/?response_type=token&scope=admin",
        ),
        ("/#/route", "/#/route"),
        ("/a#//evil.test", "/a#//evil.test"),
        ("/a?b#c?d", "/a?b#c?d"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/%2e%2e/b", "/b"),
        ("/../../b", "/b"),
        ("/.", "/"),
        ("/@evil.test", "/@evil.test"),
        ("/:80", "/:80"),
        ("/evil.test", "/evil.test"),
        ("/http:evil.test", "/http:evil.test"),
        ("/100%25", "/100%25"),
        ("/mit Leerzeichen", "/mit%20Leerzeichen"),
        ("/straße", "/stra%C3%9Fe"),
        ("/\u{ff0f}evil.test", "/%EF%BC%8Fevil.test"),
        ("/\u{2044}evil.test", "/%E2%81%84evil.test"),
        ("/api", "/api"),
        ("/api/orders2", "/api/orders2"),
        ("/oauth-agents", "/oauth-agents"),
        ("/x/oauth-agent/login", "/x/oauth-agent/login"),
        ("https://app.test", "/"),
        ("https://app.test/x?y#z", "/x?y#z"),
        ("https://app.test:443/x", "/x"),
        ("HTTPS://APP.TEST/x", "/x"),
        ("https://www.app.test/x", "https://www.app.test/x"),
        ("https://www.app.test", "https://www.app.test/"),
        ("https://www.app.test:8443/x", "https://www.app.test:8443/x"),
        (
            "https://www.app.test/api/orders",
            "https://www.app.test/api/orders",
        ),
    ] {
        assert_eq!(world.location(text).as_deref(), Ok(location), "{text:?}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn tricks_are_refused() {
    use Rejected::{Character, Form, NotAPage, Origin, Path, TooLong};
    let world = World::new("https://app.test");
    let long = format!("/{}", "a".repeat(1024));
    let swelling = format!("/{}", "ü".repeat(500));
    for (text, why) in [
        // no path, no URL
        ("", Form),
        ("x", Form),
        ("evil.test", Form),
        ("?x", Form),
        ("#x", Form),
        ("./x", Form),
        ("../x", Form),
        (" /x", Form),
        (" https://app.test/x", Form),
        // scheme-relative
        ("//evil.test", Form),
        ("//app.test/x", Form),
        ("///evil.test", Form),
        ("////evil.test", Form),
        ("//evil.test/..", Form),
        ("//", Form),
        // backslashes (browsers read them as slashes)
        ("/\\evil.test", Character),
        ("/\\/evil.test", Character),
        ("\\\\evil.test", Character),
        ("\\/evil.test", Character),
        ("/./\\evil.test", Character),
        ("/./../../\\evil.test", Character),
        ("https:/\\evil.test", Character),
        ("https:\\\\evil.test", Character),
        ("https://app.test\\@evil.test", Character),
        ("https://evil.test\\@app.test", Character),
        ("/a?b=\\", Character),
        // encoded separators
        ("/%5cevil.test", Path),
        ("/%5C/evil.test", Path),
        ("/%2fevil.test", Path),
        ("/%2F%2Fevil.test", Path),
        ("/a%2f%2fevil.test", Path),
        ("/%00", Path),
        ("/%0d%0aSet-Cookie:x=y", Path),
        ("/%09/evil.test", Path),
        ("/a%7f", Path),
        // empty segments, also behind dot segments (attack 13)
        ("/.//evil.test", Path),
        ("/..//evil.test", Path),
        ("/foo/..//evil.test", Path),
        ("/foo/%2e%2e//evil.test", Path),
        ("/%2e%2e//evil.test", Path),
        ("/%2e//evil.test", Path),
        ("/.%2e//evil.test", Path),
        ("/a/../../..//evil.test", Path),
        ("/a//b", Path),
        ("/a//../b", Path),
        ("https://app.test//evil.test", Path),
        ("https://app.test/.//evil.test", Path),
        // control characters: parsers drop tab and line breaks
        ("/\tevil.test", Character),
        ("/\t/evil.test", Character),
        ("/\n/evil.test", Character),
        ("/\r/evil.test", Character),
        ("/\r\nSet-Cookie: x=y", Character),
        ("\t//evil.test", Character),
        ("\u{1}//evil.test", Character),
        ("ht\ntps://evil.test", Character),
        ("https://evil.test\t.app.test", Character),
        ("/\0", Character),
        ("/\u{7f}", Character),
        ("/\u{85}", Character),
        ("/x\n", Character),
        // schemes
        ("https:evil.test", Form),
        ("https:app.test", Form),
        ("https:/evil.test", Form),
        ("https:/app.test", Form),
        ("https:///evil.test", Form),
        ("https:///app.test", Form),
        ("https://", Form),
        ("http:evil.test", Form),
        ("javascript:alert(1)", Form),
        ("javascript://app.test/%0aalert(1)", Form),
        ("JaVaScRiPt://app.test/", Form),
        ("data:text/html,x", Form),
        ("blob:https://app.test/x", Form),
        ("file:///etc/passwd", Form),
        ("ftp://app.test/", Form),
        ("ws://app.test/", Form),
        ("view-source:https://app.test", Form),
        ("http://app.test/x", Origin),
        // userinfo
        ("https://app.test@evil.test", Form),
        ("https://app.test:443@evil.test/", Form),
        ("https://user@app.test/", Form),
        ("https://user:pw@app.test/", Form),
        ("https://@app.test/", Form),
        ("https://app.test%40evil.test", Form),
        ("https://app.test%2fevil.test", Form),
        // other hosts and ports
        ("https://evil.test", Origin),
        ("https://evil.test#@app.test", Origin),
        ("https://evil.test?app.test", Origin),
        ("https://evil.test/app.test", Origin),
        ("https://evilapp.test/", Origin),
        ("https://app.test.evil.test/", Origin),
        ("https://x.app.test/", Origin),
        ("https://app.test./", Origin),
        ("https://app.test:8443/", Origin),
        ("https://app.test:80/", Origin),
        ("https://www.app.test:444/", Origin),
        ("http://www.app.test/", Origin),
        ("https://app.te\u{455}t/", Origin),
        ("https://127.0.0.1/", Origin),
        ("https://[::1]/", Origin),
        ("https://app.test:99999/", Form),
        ("https://app.test:x/", Form),
        ("https://app .test/", Form),
        // calls are no pages (attack 61)
        ("/oauth-agent", NotAPage),
        ("/oauth-agent/", NotAPage),
        ("/oauth-agent/logout", NotAPage),
        ("/oauth-agent/login?return_to=/", NotAPage),
        ("/OAuth-Agent/login", NotAPage),
        ("/%6fauth-agent/login", NotAPage),
        ("/x/../oauth-agent/login", NotAPage),
        ("/x/%2e%2e/oauth-agent/login", NotAPage),
        ("/oauth-agent;x/login", NotAPage),
        ("/oauth-agent#x", NotAPage),
        ("https://app.test/oauth-agent/login", NotAPage),
        ("/api/orders", NotAPage),
        ("/api/orders/7", NotAPage),
        ("/api/orders?x", NotAPage),
        ("/API/Orders", NotAPage),
        ("/api/%6frders", NotAPage),
        ("/api;v=1/orders", NotAPage),
        ("/public/x", NotAPage),
        // length
        (long.as_str(), TooLong),
        (swelling.as_str(), TooLong),
    ] {
        assert_eq!(world.location(text), Err(why), "{text:?}");
    }
}

#[test]
fn paths_resolve_on_the_origin_of_the_spa() {
    let world = World::new("https://www.app.test");
    assert_eq!(world.location("/x").as_deref(), Ok("https://www.app.test/x"));
    assert_eq!(
        world.location("https://www.app.test/x").as_deref(),
        Ok("https://www.app.test/x")
    );
    assert_eq!(world.location("https://app.test/x").as_deref(), Ok("/x"));
    // There is no agent and no route on that origin.
    assert_eq!(
        world.location("/api/orders").as_deref(),
        Ok("https://www.app.test/api/orders")
    );
    assert_eq!(
        world.location("https://app.test/api/orders"),
        Err(Rejected::NotAPage)
    );
    let home = ReturnTo::home(&world.rules());
    assert_eq!((home.stored(), home.location()), ("/", "https://www.app.test/"));
}

#[test]
fn a_stored_target_reads_back_as_itself() {
    for spa_origin in ["https://app.test", "https://www.app.test"] {
        let world = World::new(spa_origin);
        for text in [
            "/",
            "/a?b#c",
            "https://app.test/x",
            "https://www.app.test/x",
            "https://www.app.test:8443/",
        ] {
            let target = ReturnTo::check(text, &world.rules()).unwrap();
            assert_eq!(
                ReturnTo::check(target.stored(), &world.rules()),
                Ok(target),
                "{text}"
            );
        }
    }
}

#[test]
fn a_query_is_added_before_the_fragment_and_after_what_is_there() {
    let world = World::new("https://app.test");
    for (text, location) in [
        ("/", "/?a=1&b=%262"),
        ("/error?x=y", "/error?x=y&a=1&b=%262"),
        ("/#/error", "/?a=1&b=%262#/error"),
    ] {
        let target = ReturnTo::check(text, &world.rules()).unwrap();
        assert_eq!(target.with_query(&[("a", "1"), ("b", "&2")]).location(), location);
    }
}

/// Text that is likely to come near the rules: pieces that parsers disagree about.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "/",
            "//",
            "\\",
            ".",
            "..",
            "%2e",
            "%2f",
            "%5c",
            "@",
            ":",
            "?",
            "#",
            ";",
            "https:",
            "https://",
            "http://",
            "app.test",
            "www.app.test",
            "evil.test",
            "443",
            "8443",
            "%00",
            "\t",
            "\n",
            " ",
            "a",
            "ü",
            "%",
            "[",
            "]",
            "//evil.test",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    (
        prop::sample::select(vec![
            "",
            "/",
            "https://app.test",
            "https://www.app.test",
            "https://",
        ]),
        prop::collection::vec(piece, 0..8),
    )
        .prop_map(|(head, pieces)| format!("{head}{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Wherever a browser goes with what was accepted, it is at a listed origin.
    #[test]
    fn accepted_targets_stay_on_listed_origins(text in tricky()) {
        for spa_origin in ["https://app.test", "https://www.app.test"] {
            let world = World::new(spa_origin);
            if let Ok(target) = ReturnTo::check(&text, &world.rules()) {
                let answering = Url::parse("https://app.test/oauth-agent/callback").unwrap();
                let reached = answering.join(target.location()).unwrap();
                let origin = reached.origin().ascii_serialization();
                prop_assert!(
                    ["https://app.test", "https://www.app.test", "https://www.app.test:8443"].contains(&origin.as_str()),
                    "{text:?} reached {reached}"
                );
                prop_assert_eq!(&reached, &target.url);
                prop_assert!(!reached.path().starts_with("//"));
                prop_assert!(!target.location().contains(['\\', '\r', '\n', '\t']));
                prop_assert_eq!(ReturnTo::check(target.stored(), &world.rules()), Ok(target));
            }
        }
    }
}

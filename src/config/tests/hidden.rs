//! No secret is ever printed: not from the file, not from a secret's file, not from the environment; not as it is, not in
//! another encoding, not a piece of it.

use std::collections::HashSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::super::{Config, Problems};
use super::{GOOD, World, added, changed, rendered};

/// Everything that can be printed of a reading.
fn printed(problems: &Problems) -> String {
    format!(
        "{}{problems}{problems:?}{}",
        rendered(problems),
        problems.reason()
    )
}

/// Places where people have put secrets: each text holds `SECRET` once or more and is wrong somewhere.
fn places() -> Vec<String> {
    vec![
        changed("file:client-secret", "SECRET"),
        changed("file:client-secret", "env:SECRET!"),
        changed("\"file:client-secret\"", "'SECRET'"),
        changed("\"file:client-secret\"", "\"\"\"\nSECRET\n\"\"\""),
        changed("\"file:client-secret\"", "\"\"\"a\nSECRET\"\"\" # x\nfoo = 1"),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secrt = \"SECRET\"",
        ),
        changed("client_secret = \"file:client-secret\"", "secret = \"SECRET\""),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret = [\"SECRET\"]",
        ),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret = { value = \"SECRET\" }",
        ),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret.value = \"SECRET\"",
        ),
        changed("client_secret = \"file:client-secret\"", "client_secret = SECRET"),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret = \"SECRET",
        ),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret = 'SECRET",
        ),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret = \"\"\"SECRET",
        ),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret \"SECRET\"",
        ),
        changed("client_secret = \"file:client-secret\"", "client_secret: SECRET"),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret = \"a\"SECRET",
        ),
        changed(
            "client_secret = \"file:client-secret\"",
            "client_secret = \"x\" # was SECRET",
        ),
        changed("client_secret = \"file:client-secret\"", "SECRET"),
        changed("file:cookie.key", "SECRET"),
        changed("[\"file:cookie.key\"]", "[\"file:cookie.key\", \"SECRET\", 7]"),
        changed(
            "[\"file:cookie.key\"]",
            "[\n  \"file:no.key\", # SECRET\n  \"SECRET\",\n]",
        ),
        changed("[\"file:cookie.key\"]", "\"SECRET\""),
        changed("[\"file:cookie.key\"]", "[SECRET]"),
        changed("listen =", "lisen = \"x\" # SECRET\nlisten ="),
        added("[server]", "tls = { key = \"SECRET\", cert = 7 }"),
        added("id = \"shop\"", "forward_auth = { secret = \"SECRET\" }"),
        added("[app.provider]", "signing_key = \"SECRET\""),
        added("[app.provider]", "client_id = \"dup\" # SECRET\n"),
        changed(
            "https://login.example.com",
            "https://user:SECRET@login.example.com",
        ),
        changed("https://login.example.com", "http:user:SECRET@login.example.com"),
        changed("http://127.0.0.1:9001", "http://user:SECRET@127.0.0.1"),
        changed("https://shop.example.com", "https://user:SECRET@shop.example.com"),
        format!("[admin]\ntoken = \"SECRET\"\n{GOOD}"),
        format!("[store]\nurl = \"redis://:SECRET@redis\"\n{GOOD}"),
        format!("cookie_key = \"SECRET\"\n{GOOD}"),
        format!("-----BEGIN KEY-----\nSECRET\n-----END KEY-----\n{GOOD}"),
        changed("file:client-secret", "env:SECRET"),
        changed("file:cookie.key", "env:SECRET"),
        changed("[\"file:cookie.key\"]", "[\n  SECRET\n]"),
        changed("[\"file:cookie.key\"]", "\nSECRET"),
        changed("http://127.0.0.1:9001", "http://127.0.0.1:9001/?code=SECRET"),
        changed(
            "https://login.example.com",
            "https://login.example.com/?key=SECRET",
        ),
        added("[app.provider]", "redirect_uri = \"https://evil.test/?k=SECRET\""),
        added("[app.provider]", "resource = [\"https://u:SECRET@api.test/#x\"]"),
        added(
            "id = \"shop\"",
            "allowed_origins = [\"https://u:SECRET@www.example.com\"]",
        ),
    ]
}

/// Variables in which people have put secrets.
const VARIABLES: &[(&str, &str)] = &[
    ("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET", "SECRET"),
    ("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET", "env:SECRET"),
    ("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRT", "SECRET"),
    ("CLOAKROOM__APP__SHOP__PROVIDER", "{ client_secret = \"SECRET\" }"),
    ("CLOAKROOM__APP__SHOP__PROVIDER", "{ client_secret = SECRET }"),
    (
        "CLOAKROOM__APP__SHOP__PROVIDER__ISSUER",
        "https://u:SECRET@login.example.com",
    ),
    ("CLOAKROOM__APP__SHOP__PROVIDER__REQUIRE_ISS", "SECRET"),
    ("CLOAKROOM__KEYS__COOKIE", "SECRET"),
    ("CLOAKROOM__KEYS__COOKIE", "[\"SECRET\"]"),
    ("CLOAKROOM__KEYS__COOKIE", "[SECRET]"),
    ("CLOAKROOM__KEYS", "SECRET"),
    ("CLOAKROOM__STORE__URL", "redis://:SECRET@redis"),
    ("CLOAKROOM__ADMIN__TOKEN", "SECRET"),
    ("CLOAKROOM__SERVER__TLS", "{ key = \"SECRET\" }"),
];

/// Pieces of eight characters of a secret, as it is and as base64, hex and percent-encoded text.
fn pieces(secret: &str) -> Vec<Vec<u8>> {
    let hex = hex(secret.as_bytes());
    [
        secret.to_owned(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex.to_uppercase(),
        hex,
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
    ]
    .iter()
    .flat_map(|form| {
        form.as_bytes()
            .windows(PIECE)
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>()
    })
    .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Whether `printed` holds one of them.
fn holds_a_piece(printed: &str, pieces: &[Vec<u8>]) -> bool {
    let windows: HashSet<&[u8]> = printed.as_bytes().windows(PIECE).collect();
    pieces.iter().any(|piece| windows.contains(piece.as_slice()))
}

const PIECE: usize = 8;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    /// A secret in the file is in nothing that is printed about it (F6, attack 203).
    #[test]
    fn a_secret_in_the_file_is_never_printed(secret in "zq[A-Za-z0-9+/=_.~-]{8,40}") {
        let world = World::new();
        for text in places() {
            let text = text.replace("SECRET", &secret);
            let problems = world.parse(&text).unwrap_err();
            let printed = printed(&problems);
            prop_assert!(!printed.contains(&secret), "{}\n---\n{}", text, printed);
        }
    }

    /// A secret that a reference leads to is in nothing that is printed, whatever else is wrong.
    #[test]
    fn a_secret_outside_the_file_is_never_printed(secret in "zq[ -~]{8,40}") {
        let world = World::new()
            .with("KEY", &secret)
            .with("CLIENT", &secret)
            .with("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET", "env:CLIENT")
            .with("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRT", &secret)
            .with("CLOAKROOM__APP__SHOP__SECRET", &secret)
            .with("CLOAKROOM__SERVER__TLS", &secret);
        world.file("cookie.key", &secret);
        let text = changed("\"file:cookie.key\"", "\"file:cookie.key\", \"env:KEY\"")
            .replace("idle_timeout", "idle_timout");
        let problems = world.parse(&text).unwrap_err();
        let printed = printed(&problems);
        prop_assert!(problems.errors() >= 5, "{}", printed);
        prop_assert!(!printed.contains(&secret), "{}", printed);
        // An override that holds the secret itself.
        let world = World::new().with("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET", &secret);
        let printed = self::printed(&world.parse(GOOD).unwrap_err());
        prop_assert!(!printed.contains(&secret), "{}", printed);
    }

    /// Whatever the text is: an answer, no panic, and a place inside the text for each problem.
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,200}", at in 0usize..400, cut in 0usize..40) {
        let world = World::new();
        let mut mangled: Vec<char> = GOOD.chars().collect();
        let at = at.min(mangled.len());
        let end = (at + cut).min(mangled.len());
        mangled.splice(at..end, text.chars());
        for text in [mangled.into_iter().collect::<String>(), text] {
            if let Err(problems) = world.parse(&text) {
                let lines = text.lines().count().max(1);
                for problem in &problems {
                    if let Some((line, _)) = problem.position() {
                        prop_assert!((1..=lines + 1).contains(&line));
                    }
                }
                prop_assert!(!rendered(&problems).is_empty());
            }
        }
    }
}

proptest! {
    // Each case is sixty configurations.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]

    /// Neither a secret nor another form of it nor a piece of eight characters, wherever it was put by mistake.
    #[test]
    fn no_piece_of_a_misplaced_secret_is_printed(
        secret in prop_oneof!["[a-z][A-Za-z0-9+/=_.~-]{15,60}[a-z]", "[a-z][A-Za-z0-9_]{15,40}[a-z]"],
    ) {
        let pieces = pieces(&secret);
        let world = World::new();
        for text in places() {
            let text = text.replace("SECRET", &secret);
            let printed = printed(&world.check(&text).problems);
            prop_assert!(!holds_a_piece(&printed, &pieces), "{}\n---\n{}", text, printed);
        }
        for (name, value) in VARIABLES {
            let world = World::new().with(name, &value.replace("SECRET", &secret));
            let printed = printed(&world.check(GOOD).problems);
            prop_assert!(printed.contains(name) && !holds_a_piece(&printed, &pieces), "{}\n---\n{}", name, printed);
        }
        // In the file of a key, and of the client secret with an editor's traces.
        for content in [secret.clone(), format!("{secret}\n\n"), format!("\"{secret}\""), format!("\u{feff}{secret}")] {
            let world = World::new();
            world.file("cookie.key", &content);
            world.file("client-secret", &content);
            let printed = printed(&world.check(GOOD).problems);
            prop_assert!(printed.contains("keys.cookie[0]") && !holds_a_piece(&printed, &pieces), "{}", printed);
        }
    }

    /// Secrets where they belong: in nothing that a right configuration prints, `config show` and `Debug` included.
    #[test]
    fn no_piece_of_a_secret_in_its_place_is_printed(
        key in prop::array::uniform32(any::<u8>()),
        secret in "[a-z][ -~]{15,60}[a-z]",
        in_variables in any::<bool>(),
    ) {
        let key_text = STANDARD.encode(key);
        let mut world = World::new();
        let mut text = GOOD.to_owned();
        if in_variables {
            text = text.replace("file:cookie.key", "env:KEY").replace("file:client-secret", "env:CLIENT");
            world = world.with("KEY", &key_text).with("CLIENT", &secret);
        } else {
            world.file("cookie.key", &key_text);
            world.file("client-secret", &secret);
        }
        // Something to warn about.
        let text = text.replace("idle_timeout = \"30m\"", "idle_timeout = \"30m\"\nabsolute_timeout = \"10m\"");
        let checked = world.check(&text);
        prop_assert!(!checked.problems.is_empty());
        let variables = world.variables();
        let effective = Config::effective(&world.path().join("config.toml"), &variables).unwrap();
        let said = format!(
            "{}{:?}{variables:?}{effective:?}{}{:#}",
            printed(&checked.problems),
            checked.config.unwrap(),
            effective.to_toml(),
            effective.to_json(),
        );
        let hex = hex(&key);
        let numbers = format!("{key:?}");
        for text in [&key_text, &secret, &hex, &numbers] {
            prop_assert!(!holds_a_piece(&said, &pieces(text)), "{}", said);
        }
    }
}

/// The right parts of a line are still shown: a snippet of stars helps nobody.
#[test]
fn what_is_no_secret_is_shown() {
    let world = World::new();
    let shown = |text: &str| world.parse(text).unwrap_err().to_string();
    assert!(shown(&changed("file:cookie.key", "file:no.key")).contains("cookie = [\"file:no.key\"]"));
    assert!(
        shown(&changed("\"file:cookie.key\"", "\"zq-literal\", \"env:NO\""))
            .contains("cookie = [***, \"env:NO\"]")
    );
    assert!(
        shown(&changed(
            "client_secret = \"file:client-secret\"",
            "client_secret = zq"
        ))
        .contains("client_secret = ***")
    );
    assert!(shown(&changed("listen", "lisen")).contains("lisen = ***"));
}

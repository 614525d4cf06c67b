//! No secret is ever printed: not from the file, not from a secret's file, not from the environment.

use proptest::prelude::*;

use super::super::Problems;
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
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

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

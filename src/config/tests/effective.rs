//! What `config show` says: what holds, where it is from, and no secret.

use std::fmt::Write as _;

use super::super::schema::{Built, Key, Kind, ROOT};
use super::super::{Config, Effective};
use super::{GOOD, SECOND_APP, SECRET, World, added};

fn effective(world: &World, text: &str) -> Effective {
    let path = world.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    Config::effective(&path, &world.variables()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn shown(world: &World, text: &str) -> String {
    let folder = format!("{}/", world.path().display());
    effective(world, text).to_toml().replace(&folder, "")
}

/// The line of a key, blanks made one.
fn line(shown: &str, key: &str) -> String {
    let line = shown
        .lines()
        .find(|line| line.trim_start_matches("# ").starts_with(key))
        .unwrap_or_else(|| panic!("{key} is missing:\n{shown}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_value_says_where_it_is_from() {
    let world = World::new()
        .with(
            "CLOAKROOM__APP__SHOP__PROVIDER__ISSUER",
            "https://other.example.com",
        )
        .with("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET", "env:REAL")
        .with("REAL", SECRET);
    let shown = shown(&world, GOOD);
    for (key, expected) in [
        ("listen", "listen = \"127.0.0.1:8080\" # config.toml:2"),
        ("max_header_bytes", "max_header_bytes = \"32KiB\" # default"),
        ("cookie", "cookie = [\"***\"] # config.toml:4, file:cookie.key"),
        (
            "issuer",
            "issuer = \"https://other.example.com\" # CLOAKROOM__APP__SHOP__PROVIDER__ISSUER",
        ),
        (
            "client_secret",
            "client_secret = \"***\" # CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET, env:REAL",
        ),
        (
            "redirect_uri",
            "redirect_uri = \"https://shop.example.com/oauth-agent/callback\" # default",
        ),
        ("audience", "# audience # not set"),
        ("idle_timeout", "idle_timeout = \"30m\" # config.toml:14"),
        (
            "upstream",
            "upstream = \"http://127.0.0.1:9001\" # config.toml:17",
        ),
    ] {
        assert_eq!(line(&shown, key), expected);
    }
}

/// The head's limit that a raised budget raises is what is shown, not what is written.
#[test]
fn what_is_shown_is_what_holds() {
    let shown = shown(
        &World::new(),
        &added("[app.session]", "cookie_budget = \"64KiB\""),
    );
    assert_eq!(
        line(&shown, "max_header_bytes"),
        "max_header_bytes = \"72KiB\" # default"
    );
}

/// Rule 3: with the references put back, the text is the same configuration.
#[test]
fn the_text_reads_back_as_the_same_configuration() {
    let world = World::new();
    world.file(
        "ca.pem",
        "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
    );
    std::fs::create_dir(world.path().join("dist")).unwrap();
    let everything = GOOD
        .replace("[server]\n", "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n")
        .replace(
            "[[app]]\nid = \"shop\"\n",
            "[[app]]\nid = \"shop\"\nallowed_origins = [\"https://www.example.com\"]\nspa = { dir = \"dist\" }\n\
             error_path = \"/oops\"\n",
        )
        .replace(
            "[app.provider]\n",
            "[app.provider]\nclient_auth = \"client_secret_post\"\nca_file = \"ca.pem\"\nid_token_alg = \"EdDSA\"\n\
             audience = \"a \\\"b\\\" c\"\nresource = \"https://api.example.com\"\nacr_values = [\"gold\"]\n\
             allowed_acr_values = [\"silver\"]\nmax_age = \"0s\"\nrequire_iss = true\nuserinfo = \"at_login\"\n\
             logout_mode = \"local\"\nlogout_hint = \"sid\"\nthird_party_login = true\n",
        )
        .replace(
            "[app.session]\n",
            "[app.session]\nmode = \"store\"\nrefresh = \"spa\"\npersistent = true\nclaims = [\"sub\"]\n",
        )
        .replace(
            "http://127.0.0.1:9001\"\n",
            "http://10.0.0.7:9001/v1\"\ninsecure_http = true\nmethods = [\"GET\"]\nstrip_path = true\n\
             session = \"optional\"\ntoken = \"none\"\ncsrf = \"fetch_metadata\"\ndrop_cookies = true\n\
             drop_headers = [\"x-internal\"]\nencoded_slash = \"pass\"\ntimeout = \"500ms\"\nmax_body = \"1GiB\"\n",
        );
    for text in [GOOD.to_owned(), everything, format!("{GOOD}{SECOND_APP}")] {
        let again = effective(&world, &text)
            .to_toml()
            .replace("cookie = [\"***\"]", "cookie = [\"file:cookie.key\"]")
            .replace(
                "client_secret = \"***\"",
                "client_secret = \"file:client-secret\"",
            );
        let read = |text: &str| {
            let config = world
                .parse(text)
                .unwrap_or_else(|problems| panic!("{problems}\n{again}"));
            format!("{config:#?}")
        };
        assert_eq!(read(&again), read(&text), "{again}");
    }
}

/// Nothing that is built is left out, in the text and in JSON.
#[test]
fn every_key_is_shown() {
    fn expect(keys: &[Key], path: &str, paths: &mut String) {
        for key in keys.iter().filter(|key| matches!(key.built, Built::Now)) {
            let path = super::super::schema::join(path, key.name);
            match key.kind {
                Kind::Table(_) if key.name == "spa" => writeln!(paths, "{path}").unwrap(),
                Kind::Table(keys) => expect(keys, &path, paths),
                Kind::Tables(keys) => expect(keys, &format!("{path}[0]"), paths),
                _ => writeln!(paths, "{path}").unwrap(),
            }
        }
    }
    let mut expected = String::new();
    expect(ROOT, "", &mut expected);
    let text = format!("[admin]\nlisten = \"127.0.0.1:9080\"\n{GOOD}");
    let json = effective(&World::new(), &text).to_json();
    let mut shown: Vec<&str> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["key"].as_str().unwrap())
        .collect();
    let mut expected: Vec<&str> = expected.lines().collect();
    shown.sort_unstable();
    expected.sort_unstable();
    assert_eq!(shown, expected);
}

#[test]
fn json_says_the_same() {
    let world = World::new().with("CLOAKROOM__SERVER__LISTEN", "127.0.0.1:1");
    let json = effective(&world, GOOD).to_json();
    let row = |key: &str| {
        json.as_array()
            .unwrap()
            .iter()
            .find(|row| row["key"] == key)
            .unwrap()
            .clone()
    };
    let listen = row("server.listen");
    assert_eq!(
        (&listen["source"], &listen["variable"]),
        (&"environment".into(), &"CLOAKROOM__SERVER__LISTEN".into())
    );
    let secret = row("app[0].provider.client_secret");
    assert_eq!(
        (&secret["value"], &secret["line"], &secret["references"][0]),
        (&"***".into(), &11.into(), &"file:client-secret".into())
    );
    assert!(!json.to_string().contains(SECRET));
}

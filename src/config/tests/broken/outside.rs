//! Broken configurations whose mistake is not in the text: in a key's file, in a secret's file, in the environment; and
//! those that are only warned about.

use super::super::{GOOD, SECOND_APP, added, changed};
use super::Case;

pub(super) fn all() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(keys());
    all.extend(secrets());
    all.extend(environment());
    all.extend(admin_tokens());
    all.extend(warnings());
    all
}

const KEY: &str = "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ=";

/// What is pasted into the file of a cookie key.
#[rustfmt::skip] // One case a line.
fn keys() -> Vec<Case> {
    let case = |what, content: &str, code| Case {
        files: vec![("cookie.key", content.as_bytes().to_vec())],
        expected: vec![(code, "keys.cookie[0]", "\"file:cookie.key\"")],
        ..plain(what, GOOD.to_owned())
    };
    vec![
        case("a key in quotes", &format!("\"{KEY}\""), "CR-C014"),
        case("a key in single quotes", &format!("'{KEY}'\n"), "CR-C014"),
        case("a key with a blank before it", &format!(" {KEY}\n"), "CR-C014"),
        case("a key of 31 bytes", "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrQ==", "CR-C014"),
        case("a key of 33 bytes", "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQx", "CR-C014"),
        case("a key encoded with its line break", "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQK", "CR-C014"),
        case("a key encoded twice", "b0Z6U0JkU1BicVhROFZDRUdaek5MWVZoS1NhUjlxc2Z2VmhKdTJvUHJWUT0=", "CR-C014"),
        case("a hex key that lost two digits", "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A", "CR-C014"),
        case("a hex key with 0x", "0x9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "CR-C014"),
        case("a key with the name of its encoding", &format!("base64:{KEY}"), "CR-C014"),
        case("a passphrase of 32 characters", "correct-horse-battery-staple-32!", "CR-C014"),
        case("a passphrase", "correct-horse-battery-staple", "CR-C014"),
        case("a passphrase with blanks", "correct horse battery staple", "CR-C014"),
        case("a PEM as a key", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----\n", "CR-C018"),
        case("two line breaks after a key", &format!("{KEY}\n\n"), "CR-C018"),
        case("two keys in one file", &format!("{KEY}\r\n{KEY}\r\n"), "CR-C018"),
        case("a key behind a byte order mark", &format!("\u{feff}{KEY}\n"), "CR-C018"),
        case("an empty file", "", "CR-C018"),
        case("a key of zeros", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "CR-C015"),
        case("a key of one byte", "5555555555555555555555555555555555555555555555555555555555555555", "CR-C015"),
        case("a key that counts", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "CR-C015"),
        case("a key from somebody's documentation", "OQINaROshtE9TcZkNAm+5Zs2Pv3xaWytBmc5W7sPX7w=", "CR-C015"),
        case("a key from a standard", "603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4", "CR-C015"),
        case("a placeholder", "changeme", "CR-C015"),
        Case { files: vec![("cookie.key", vec![0x9f; 32])], ..case("raw bytes", "", "CR-C013") },
        Case { files: vec![("client-secret", KEY.into())], ..case("a client secret that is the key", KEY, "CR-C015") },
    ]
}

/// What `admin.token` may be referred to and is no good.
fn admin_tokens() -> Vec<Case> {
    let case = |what, token: &str| Case {
        variables: vec![("ADMIN_TOKEN", token.to_owned())],
        expected: vec![("CR-C080", "admin.token", "\"env:ADMIN_TOKEN\"")],
        ..plain(
            what,
            format!("{GOOD}[admin]\nlisten = \"127.0.0.1:9080\"\ntoken = \"env:ADMIN_TOKEN\"\n"),
        )
    };
    vec![
        case(
            "an admin token that cannot be sent",
            "zq token with blanks and room to spare",
        ),
        case("an admin token that is short", "zq-token-of-20-chars"),
        Case {
            files: vec![("cookie.key", KEY.into())],
            ..case("a cookie key as admin token", KEY)
        },
    ]
}

/// References to secrets that lead nowhere, or where they should not.
fn secrets() -> Vec<Case> {
    let case = |what, reference: &str, code| Case {
        expected: vec![(code, "app[0].provider.client_secret", "\"")],
        ..plain(what, changed("file:client-secret", reference))
    };
    vec![
        case("a folder as a secret", "file:.", "CR-C013"),
        case("a secret behind env:", "env:zq7SecretOfNobody", "CR-C013"),
        Case {
            variables: vec![("CLIENT_SECRET", "zq-secret".to_owned())],
            ..case("a misspelt variable", "env:CLIENT_SECRT", "CR-C013")
        },
        case("a scheme that does not exist", "vault:shop", "CR-C012"),
        case("a credential with a path", "systemd:../shop", "CR-C012"),
        Case {
            variables: vec![("CREDENTIALS_DIRECTORY", "no-such-folder".to_owned())],
            ..case("a credential that is not there", "systemd:shop", "CR-C013")
        },
        Case {
            // The mode is widened by the world of the case.
            files: vec![("wide/secret", b"zq-secret".to_vec())],
            ..case("a secret that everybody may read", "file:wide/secret", "CR-C017")
        },
    ]
}

#[rustfmt::skip] // One case a line.
fn environment() -> Vec<Case> {
    let case = |what, name, value: &str, code, path| Case {
        variables: vec![(name, value.to_owned())],
        expected: vec![(code, path, "")],
        ..plain(what, GOOD.to_owned())
    };
    vec![
        case("a misspelt variable of a section", "CLOAKROOM__SEVER__LISTEN", "127.0.0.1:1", "CR-C060", ""),
        case("a misspelt variable of a key", "CLOAKROOM__SERVER__LISEN", "127.0.0.1:1", "CR-C060", "server"),
        case("one underscore where two belong", "CLOAKROOM__SERVER_LISTEN", "127.0.0.1:1", "CR-C060", ""),
        case("one underscore before an app", "CLOAKROOM__APP_SHOP__ORIGIN", "https://x.test", "CR-C060", ""),
        case("a variable of another section", "CLOAKROOM__SERVER__ISSUER", "https://x.test", "CR-C060", "server"),
        case("a misspelt variable of an app", "CLOAKROOM__APP__SHPO__ORIGIN", "https://x.test", "CR-C060", "app"),
        case("a variable without a key", "CLOAKROOM__APP__SHOP", "x", "CR-C060", "app"),
        case("a variable for a route", "CLOAKROOM__APP__SHOP__ROUTE__0__PATH", "/x", "CR-C060", "app[0].route"),
        case("a variable for what is not built", "CLOAKROOM__APP__SHOP__PROVIDER__DPOP", "true", "CR-C006", "app[0].provider.dpop"),
        case("a variable that is no boolean", "CLOAKROOM__APP__SHOP__PROVIDER__REQUIRE_ISS", "yes", "CR-C061", "app[0].provider.require_iss"),
        case("a variable that is no array", "CLOAKROOM__APP__SHOP__PROVIDER__SCOPES", "openid profile", "CR-C061", "app[0].provider.scopes"),
        case("a variable that is no table", "CLOAKROOM__SERVER", "127.0.0.1:1", "CR-C061", "server"),
        case("a secret in a variable", "CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET", "zq-literal", "CR-C012", "app[0].provider.client_secret"),
        case("a variable with a wrong value", "CLOAKROOM__APP__SHOP__SESSION__IDLE_TIMEOUT", "soon", "CR-C008", "app[0].session.idle_timeout"),
    ]
}

fn warnings() -> Vec<Case> {
    let case = |what, text, code, path, at| Case {
        expected: vec![(code, path, at)],
        ..plain(what, text)
    };
    vec![
        case(
            "an idle timeout beyond the absolute one",
            added("[app.session]", "absolute_timeout = \"10m\""),
            "CR-C040",
            "app[0].session.idle_timeout",
            "\"30m\"",
        ),
        case(
            "cookies that do not fit into a head",
            added("[app.session]", "cookie_budget = \"64KiB\"")
                .replace("[server]", "[server]\nmax_header_bytes = \"32KiB\""),
            "CR-C041",
            "app[0].session.cookie_budget",
            "\"64KiB\"",
        ),
        case(
            "processes that share nothing",
            format!("[store]\nkind = \"none\"\n{GOOD}"),
            "CR-C043",
            "store.kind",
            "\"none\"",
        ),
        case(
            "sessions in a memory that a restart wipes",
            added("[app.session]", "mode = \"store\""),
            "CR-C046",
            "app[0].session.mode",
            "\"store\"",
        ),
        case(
            "two apps on one host",
            format!(
                "{GOOD}{}",
                SECOND_APP.replace("https://admin.example.org", "https://shop.example.com:8443")
            ),
            "CR-C070",
            "app[1].origin",
            "\"https://shop.example.com:8443\"",
        ),
        case(
            "a loopback origin on another port",
            changed("https://shop.example.com", "http://localhost:5173"),
            "CR-C071",
            "app[0].origin",
            "\"http://localhost:5173\"",
        ),
        case(
            "another origin, and no way back to it",
            added(
                "id = \"shop\"",
                "allowed_origins = [\"https://shop.example.com\", \"https://www.example.com\"]",
            ),
            "CR-C072",
            "app[0].allowed_origins",
            "[\"https://shop.example.com\"",
        ),
    ]
}

fn plain(what: &'static str, text: String) -> Case {
    Case {
        what,
        text,
        files: Vec::new(),
        variables: Vec::new(),
        expected: Vec::new(),
    }
}

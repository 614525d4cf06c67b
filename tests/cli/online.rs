//! `check --online`: what the provider says of itself, one line per need, with the fix; never a secret.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::world::{CONFIG, Ended, SECRET, World};

/// A provider that answers from a table and tells what it was asked; its thread ends with the process.
struct Provider {
    address: SocketAddr,
    asked: Receiver<String>,
}

impl Provider {
    /// `answers`: path → status and body.
    fn start(answers: impl FnOnce(&str) -> Vec<(&'static str, u16, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers = answers(&format!("http://{address}"));
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = String::new();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        break;
                    }
                    head.push_str(&line);
                    head.push('\n');
                }
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let (status, body) = answers
                    .iter()
                    .find(|(known, ..)| *known == path)
                    .map_or((404, Value::Null), |(_, status, body)| (*status, body.clone()));
                let body = body.to_string();
                // The test may have seen enough.
                let _ = tell.send(head);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { address, asked }
    }

    /// With a metadata document that is changed, and one key.
    fn with(changes: &Value) -> Self {
        let changes = changes.clone();
        Self::start(|issuer| {
            let mut metadata = metadata(issuer);
            let members = metadata.as_object_mut().unwrap();
            members.extend(changes.as_object().unwrap().clone());
            vec![(METADATA, 200, metadata), ("/jwks", 200, keys())]
        })
    }

    fn check(&self) -> Ended {
        let config = CONFIG
            .replace("http://localhost:1", &format!("http://{}", self.address))
            .replace(
                "client_id = \"shop\"",
                "client_id = \"shop\"\nid_token_alg = \"ES256\"",
            );
        let ended = World::new(&config).run(&["check", "--online"]);
        for text in [&ended.stdout, &ended.stderr] {
            assert!(!text.contains(SECRET), "{text}");
        }
        for request in self.asked.try_iter() {
            assert!(
                !request.contains(SECRET) && request.starts_with("GET "),
                "{request}"
            );
        }
        ended
    }
}

const METADATA: &str = "/.well-known/openid-configuration";

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "scopes_supported": ["openid"],
    })
}

fn keys() -> Value {
    let coordinate = "A".repeat(43);
    json!({"keys": [{"kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate, "kid": "1", "use": "sig"}]})
}

#[test]
fn what_the_provider_says_is_told_line_by_line() {
    let provider = Provider::with(&json!({}));
    let ended = provider.check();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    let issuer = format!("http://{}", provider.address);
    assert_eq!(
        ended.stdout,
        format!(
            "config.toml: ok: app `shop` at http://localhost:8080 with 1 route\n\
             app `shop`: {issuer}\n  \
               ok    discovery     {issuer}{METADATA} answers\n  \
               ok    issuer        the metadata names the configured one\n  \
               ok    S256          announced\n  \
               ok    client_auth   client_secret_basic is supported\n  \
               ok    response_mode query is supported\n  \
               ok    id_token_alg  ES256 is supported\n  \
               ok    keys          1 fits `id_token_alg`\n  \
               ok    end_session   present: a logout ends the session at the provider, too\n  \
               ok    revocation    present: a logout revokes the tokens\n"
        )
    );
}

/// What a login would fail of is exit 1, each with its fix; what is only worth knowing passes.
#[test]
fn each_need_has_a_line_of_its_own() {
    for (changes, code, line) in [
        (
            json!({"issuer": "https://other.example.com"}),
            1,
            "fail  issuer        the metadata names another one: https://other.example.com",
        ),
        (
            json!({"issuer": "https://user:pass@other.example.com"}),
            1,
            "fail  issuer        the metadata names another one\n",
        ),
        (
            json!({"issuer": null}),
            1,
            "fail  issuer        the metadata names none",
        ),
        (
            json!({"code_challenge_methods_supported": ["plain"]}),
            1,
            "fail  S256          the provider lists PKCE methods without it",
        ),
        (
            json!({"code_challenge_methods_supported": null}),
            0,
            "note  S256          not announced",
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
            1,
            "fix: configure client_secret_post, or allow ours for this client",
        ),
        (
            json!({"token_endpoint_auth_methods_supported": null}),
            0,
            "ok    client_auth   client_secret_basic is the default",
        ),
        (
            json!({"response_modes_supported": ["form_post"]}),
            1,
            "fail  response_mode query is not supported",
        ),
        (
            json!({"id_token_signing_alg_values_supported": ["RS256"]}),
            1,
            "fix: configure RS256, or allow ours for this client",
        ),
        (
            json!({"end_session_endpoint": null, "revocation_endpoint": null}),
            0,
            "note  end_session   absent: a logout ends only our own session",
        ),
        (
            json!({"scopes_supported": ["email"]}),
            0,
            "note  scopes        not announced: openid",
        ),
        // What no line is about is told by the reader that a login goes by.
        (
            json!({"require_pushed_authorization_requests": true}),
            1,
            "fail  metadata      metadata: `require_pushed_authorization_requests`",
        ),
        (
            json!({"token_endpoint": "http://169.254.169.254/"}),
            1,
            "fail  metadata      metadata: `token_endpoint`",
        ),
    ] {
        let ended = Provider::with(&changes).check();
        assert_eq!(ended.code, code, "{changes}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(line), "{changes}: {}", ended.stdout);
        if code == 1 {
            assert!(ended.stdout.contains("fix: "), "{}", ended.stdout);
            assert!(
                ended.reason().starts_with("error: app `shop`: "),
                "{}",
                ended.stderr
            );
        }
    }
}

/// Exit 69 is for whoever is not there; an answer that is none is exit 1.
#[test]
fn no_answer_is_told_from_a_wrong_one() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = Provider {
        address: gone,
        asked: channel().1,
    };
    let ended = silent.check();
    assert_eq!(ended.code, 69, "{}", ended.stdout);
    assert!(ended.stdout.contains("  down  discovery"), "{}", ended.stdout);

    let answers = |status: u16| Provider::start(move |issuer| vec![(METADATA, status, metadata(issuer))]);
    assert_eq!(answers(503).check().code, 69);
    for status in [302, 404] {
        let ended = answers(status).check();
        assert_eq!(ended.code, 1, "{}", ended.stdout);
        assert!(
            ended.stdout.contains(&format!("it answered {status}")),
            "{}",
            ended.stdout
        );
    }
    // Metadata without its keys.
    let ended = answers(200).check();
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("  fail  keys"), "{}", ended.stdout);
    let ended = Provider::start(|issuer| {
        vec![
            (METADATA, 200, metadata(issuer)),
            ("/jwks", 200, json!({"keys": []})),
        ]
    })
    .check();
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("none of them fits"), "{}", ended.stdout);
}

/// Text of the provider does not get to the terminal, whatever it says.
#[test]
fn the_providers_words_are_not_repeated() {
    for changes in [
        json!({"issuer": "https://x.test/\u{1b}[31mred"}),
        json!({"code_challenge_methods_supported": ["\u{1b}[31mred"]}),
        json!({"token_endpoint_auth_methods_supported": ["\u{1b}[31mred"]}),
        json!({"authorization_endpoint": "javascript:\u{1b}[31mred"}),
    ] {
        let ended = Provider::with(&changes).check();
        assert_eq!(ended.code, 1);
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!text.contains('\u{1b}') && !text.contains("[31mred"), "{text}");
    }
    // A configuration that is wrong is not taken to anybody.
    let ended = World::new(&CONFIG.replace("\"/api\"", "\"api\"")).run(&["check", "--online"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
}

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
        self.check_with(CONFIG)
    }

    fn check_with(&self, config: &str) -> Ended {
        let config = config
            .replace("http://localhost:1", &format!("http://{}", self.address))
            .replace(
                "client_id = \"shop\"",
                "client_id = \"shop\"\nid_token_alg = \"ES256\"",
            );
        let world = World::new(&config);
        // Roots of its own, so that a machine without any can be tested on.
        std::fs::write(world.path().join("roots.pem"), ROOT).unwrap();
        let mut command = world.command(&["check", "--online"]);
        command.env("SSL_CERT_FILE", world.path().join("roots.pem"));
        let ended = Ended::from(command.output().unwrap());
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

const ROOT: &[u8] = include_bytes!("../../src/provider/tests/tls/ca.pem");
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

/// Somebody who takes connections, and an address where nobody does.
fn there_and_gone() -> (TcpListener, SocketAddr) {
    let there = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    (there, gone)
}

#[test]
fn what_the_provider_says_is_told_line_by_line() {
    let provider = Provider::with(&json!({}));
    let (api, _) = there_and_gone();
    let api = format!("http://{}", api.local_addr().unwrap());
    let ended = provider.check_with(&CONFIG.replace("http://127.0.0.1:1", &api));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    let issuer = format!("http://{}", provider.address);
    assert_eq!(
        ended.stdout,
        format!(
            "config.toml: ok: app `shop` at http://localhost:8080 with 1 route\n\
             app `shop`: {issuer}\n  \
               note  register      redirect URI http://localhost:8080/oauth-agent/callback\n  \
               note  register      post-logout redirect URI http://localhost:8080/oauth-agent/logged-out\n  \
               note  register      back-channel logout URI http://localhost:8080/oauth-agent/backchannel-logout\n  \
               note  register      front-channel logout URI http://localhost:8080/oauth-agent/frontchannel-logout\n  \
               ok    discovery     {issuer}{METADATA} answers\n  \
               ok    issuer        the metadata names the configured one\n  \
               ok    S256          announced\n  \
               ok    client_auth   client_secret_basic is supported\n  \
               ok    response_mode query is supported\n  \
               ok    id_token_alg  ES256 is supported\n  \
               ok    keys          1 fits `id_token_alg`\n  \
               ok    end_session   present: a logout ends the session at the provider, too\n  \
               ok    revocation    present: a logout revokes the tokens\n  \
               note  back-channel  not announced: a logout at the provider does not end our session\n  \
               ok    upstream      {api} takes connections\n"
        )
    );
}

/// Byte for byte as they will be sent, of every app, also when no provider answers; the second one only where it is used.
#[test]
fn what_to_register_is_told_for_each_app() {
    let (_, gone) = there_and_gone();
    let second = "[[app]]\nid = \"help\"\norigin = \"http://localhost:8081\"\nagent_path = \"/auth\"\n[app.provider]\n\
                  issuer = \"http://localhost:1\"\nclient_id = \"help\"\nclient_secret = \"env:CLIENT_SECRET\"\n\
                  redirect_uri = \"{origin}/signed-in\"\nlogout_mode = \"local\"\n";
    let silent = Provider {
        address: gone,
        asked: channel().1,
    };
    let ended = silent.check_with(&format!("{CONFIG}{second}"));
    assert_eq!(ended.code, 69, "{}", ended.stdout);
    let told: Vec<&str> = ended
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("  note  register      "))
        .collect();
    assert_eq!(
        told,
        [
            "redirect URI http://localhost:8080/oauth-agent/callback",
            "post-logout redirect URI http://localhost:8080/oauth-agent/logged-out",
            "back-channel logout URI http://localhost:8080/oauth-agent/backchannel-logout",
            "front-channel logout URI http://localhost:8080/oauth-agent/frontchannel-logout",
            "redirect URI http://localhost:8081/signed-in",
            "back-channel logout URI http://localhost:8081/auth/backchannel-logout",
            "front-channel logout URI http://localhost:8081/auth/frontchannel-logout",
        ]
    );
}

/// Contract §9: where nobody remembers an end there is nothing to register, and what the provider could do is told.
#[test]
fn channel_logouts_are_told_as_they_stand() {
    let none = format!("{CONFIG}[store]\nkind = \"none\"\n");
    let told = Provider::with(&json!({})).check_with(&none).stdout;
    assert!(!told.contains("channel logout URI"), "{told}");
    for (offers, line) in [
        (
            json!({"backchannel_logout_supported": true}),
            "  ok    back-channel  announced",
        ),
        (
            json!({"backchannel_logout_supported": true, "frontchannel_logout_supported": true}),
            "  ok    back-channel  announced",
        ),
        (
            json!({"frontchannel_logout_supported": true}),
            "  note  front-channel announced",
        ),
        (
            json!({"backchannel_logout_supported": "true"}),
            "  note  back-channel  not announced",
        ),
    ] {
        let told = Provider::with(&offers).check().stdout;
        assert!(told.contains(line), "{offers}: {told}");
    }
}

/// OpenID Connect Core §11. Asked for, or not announced, there is nothing to say.
#[test]
fn a_scope_for_refresh_tokens_that_is_not_asked_for_is_told() {
    let note = "  note  scopes        `offline_access` is announced and not asked for";
    let offers = json!({"scopes_supported": ["openid", "offline_access"]});
    let ended = Provider::with(&offers).check();
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.stdout.contains(note), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("fix: add it to `scopes`"),
        "{}",
        ended.stdout
    );
    let asking = CONFIG.replace(
        "client_id = \"shop\"",
        "client_id = \"shop\"\nscopes = [\"openid\", \"offline_access\"]",
    );
    for (changes, config) in [(&offers, &*asking), (&json!({}), CONFIG)] {
        let ended = Provider::with(changes).check_with(config);
        assert_eq!(ended.code, 0, "{}", ended.stdout);
        assert!(!ended.stdout.contains(note), "{}", ended.stdout);
    }
}

/// Which one, of which route, why and what to do; one line for an upstream that several routes have; and it is no failure: an
/// API may be started later.
#[test]
fn an_upstream_that_is_not_there_is_a_warning() {
    let (listening, gone) = there_and_gone();
    let there = listening.local_addr().unwrap();
    let route = |path: &str, upstream: &str| {
        format!("[[app.route]]\npath = \"{path}\"\nupstream = \"http://{upstream}\"\n")
    };
    let config = format!(
        "{}{}{}",
        CONFIG.replace("127.0.0.1:1\"", &format!("{gone}/base\"")),
        route("/more", &format!("{gone}/other")),
        route("/there", &there.to_string())
    );
    let ended = Provider::with(&json!({})).check_with(&config);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    let told: Vec<&str> = ended
        .stdout
        .lines()
        .skip_while(|line| !line.contains(" upstream "))
        .collect();
    let [down, fix, up] = *told else {
        panic!("{}", ended.stdout);
    };
    assert!(
        down.starts_with(&format!(
            "  warn  upstream      http://{gone}/base (route `/api`): cannot connect: "
        )),
        "{down}"
    );
    assert!(
        fix.trim()
            .starts_with("fix: start the API, or correct `upstream`"),
        "{fix}"
    );
    assert_eq!(
        up,
        format!("  ok    upstream      http://{there} takes connections")
    );
}

/// The way the proxy goes, TLS and all, within `connect_timeout`: who says nothing does not hold up the command.
#[test]
fn an_upstream_that_says_nothing_to_tls_is_a_warning_in_time() {
    // Never accepted: the kernel takes the connection, and nobody shakes hands.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("https://{}", mute.local_addr().unwrap());
    let config = CONFIG.replace(
        "\"http://127.0.0.1:1\"",
        &format!("\"{upstream}\"\nconnect_timeout = \"50ms\""),
    );
    let ended = Provider::with(&json!({})).check_with(&config);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let line = format!("  warn  upstream      {upstream} (route `/api`): no connection within 50 ms\n");
    assert!(ended.stdout.contains(&line), "{}", ended.stdout);
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

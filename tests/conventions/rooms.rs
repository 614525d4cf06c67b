//! Which room may use which: the picture in `src/lib.rs` as a table.

use std::collections::BTreeSet;

use super::source::{code_only, production, read};

/// One room: a top-level module with what it may use.
struct Room {
    name: &'static str,
    /// The rooms it may name by `crate::…`.
    uses: &'static [&'static str],
    /// Whether it may name axum: the edge of HTTP only.
    axum: bool,
}

/// What everybody may use: the two impurities, values without behaviour, and what counts.
const COMMON: &[&str] = &["clock", "random", "token", "config", "metrics"];

const fn room(name: &'static str, uses: &'static [&'static str]) -> Room {
    Room {
        name,
        uses,
        axum: false,
    }
}

const fn with_axum(name: &'static str, uses: &'static [&'static str]) -> Room {
    Room {
        name,
        uses,
        axum: true,
    }
}

/// The house. An arrow more is a decision: say why in the commit, and draw it in `docs/architecture.md` where it matters.
const ROOMS: &[Room] = &[
    // Values and impurities, at the bottom: they use nobody.
    room("clock", &[]),
    room("random", &[]),
    room("token", &[]),
    room("metrics", &[]),
    // `error_path` and `post_logout_path` are held to the one checker of return targets.
    room("config", &["agent"]),
    // Bodies and refusals: what every answer is made of. A body of an upstream is the proxy's type, streamed as it is, and
    // ends with its session.
    with_axum("body", &["proxy", "renewal"]),
    room("refusal", &["body", "gate"]),
    // Cookies ⇄ tokens. Of the store it knows the epoch that is sealed into a session, nothing that answers.
    room("session", &["store"]),
    // Shared state: facts about ids. It sees no cookie and no token.
    room("store", &["session"]),
    // Speaks to the authorization server. Of the session it knows who the user is.
    room("provider", &["refusal", "session"]),
    // The one place where cookies, store and provider meet.
    room("renewal", &["provider", "refusal", "session", "store"]),
    // Who may even ask: decides before a session is looked at, so it knows none.
    room("gate", &["body", "refusal"]),
    // The endpoints.
    with_axum(
        "agent",
        &["gate", "provider", "refusal", "renewal", "session", "store"],
    ),
    // Forwards. A token reaches it inside an admitted session; the provider is out of its sight.
    room("proxy", &["body", "refusal", "session"]),
    with_axum("spa", &["body", "refusal"]),
    // Only these three combine everything: the map, and the two that start it.
    with_axum(
        "handler",
        &[
            "agent", "body", "gate", "provider", "proxy", "refusal", "renewal", "session", "spa", "store",
        ],
    ),
    room("server", &["body", "handler"]),
    // For operators: what the handler counts and the store knows, behind the same listener.
    room(
        "admin",
        &["body", "gate", "handler", "refusal", "server", "store"],
    ),
    with_axum("demo", &["handler", "server"]),
    // Of the provider it has the findings of `check --online`, of the agent the addresses to register there, of the proxy the
    // way to try an upstream.
    room(
        "cli",
        &["admin", "agent", "demo", "handler", "provider", "proxy", "server"],
    ),
];

#[test]
fn each_room_uses_only_its_neighbours() {
    let mut wrong = Vec::new();
    for path in production() {
        let Some(room) = room_of(&path) else {
            continue;
        };
        for used in rooms_named(&code_only(&read(&path))) {
            let common = COMMON.contains(&used.as_str()) && !COMMON.contains(&room.name);
            if used != room.name && !common && !room.uses.contains(&used.as_str()) {
                wrong.push(format!("{path}: `{}` uses `{used}`", room.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "an arrow that the plan of the house does not have (tests/conventions/rooms.rs):\n{}\n\
         Let the part that combines both pass the value in, or change the plan there and say why.",
        wrong.join("\n")
    );
}

#[test]
fn no_arrow_is_planned_that_nobody_needs() {
    for room in ROOMS {
        let named: BTreeSet<String> = production()
            .iter()
            .filter(|path| in_room(path, room.name))
            .flat_map(|path| rooms_named(&code_only(&read(path))))
            .collect();
        for planned in room.uses {
            assert!(
                named.contains(*planned),
                "`{}` does not use `{planned}`: take the arrow out of tests/conventions/rooms.rs",
                room.name
            );
        }
    }
}

#[test]
fn every_room_is_in_the_plan() {
    let planned: BTreeSet<&str> = ROOMS.iter().map(|room| room.name).collect();
    let built: BTreeSet<String> = read("src/lib.rs")
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pub mod ")
                .or_else(|| line.strip_prefix("mod "))
        })
        .map(|name| name.trim_end_matches(';').to_owned())
        .collect();
    let built: BTreeSet<&str> = built.iter().map(String::as_str).collect();
    assert_eq!(
        planned, built,
        "rooms of src/lib.rs and of tests/conventions/rooms.rs differ"
    );
}

#[test]
fn only_the_edge_of_http_knows_axum() {
    let mut knowing = BTreeSet::new();
    for path in production() {
        let Some(room) = room_of(&path) else {
            continue;
        };
        let named = words(&code_only(&read(&path))).any(|word| word == "axum");
        assert!(
            !named || room.axum,
            "{path} names axum: `{}` has to stay usable, and testable, without a web framework",
            room.name
        );
        if named {
            knowing.insert(room.name);
        }
    }
    for room in ROOMS.iter().filter(|room| room.axum) {
        assert!(
            knowing.contains(room.name),
            "`{}` does not need axum any more: write `room` instead of `with_axum`",
            room.name
        );
    }
}

#[test]
fn the_provider_knows_no_cookies_and_of_the_session_only_who_the_user_is() {
    for path in production().iter().filter(|path| in_room(path, "provider")) {
        let code = code_only(&read(path));
        for (at, _) in code.match_indices("crate::session::") {
            let named = named_after(&code[at + "crate::session::".len()..]);
            assert_eq!(
                named,
                ["Identity"],
                "{path}: what the provider learns about a session is an argument; only the renewal combines both"
            );
        }
        for word in words(&code) {
            assert!(
                !matches!(word, "Cookie" | "Cookies" | "COOKIE" | "SET_COOKIE" | "cookie"),
                "{path} names `{word}`: cookies are the session's"
            );
        }
    }
}

#[test]
fn the_configuration_knows_of_the_agent_only_where_a_login_may_return_to() {
    for path in production().iter().filter(|path| in_room(path, "config")) {
        let code = code_only(&read(path));
        for (at, prefix) in code.match_indices("crate::agent::") {
            let named = named_after(&code[at + prefix.len()..]);
            assert_eq!(
                named,
                ["return_to"],
                "{path}: the configuration is read without an agent"
            );
        }
    }
}

#[test]
fn keys_and_ciphers_are_touched_where_something_is_sealed_and_nowhere_else() {
    // `renewal/keep` seals what it keeps, under a key that the store never sees; `spa` hashes for its policy; a store that
    // lives elsewhere names what it keeps by keyed hashes.
    let sealers = ["src/session/", "src/renewal/keep.rs", "src/store/file/names.rs"];
    for path in production() {
        if sealers.iter().any(|sealer| path.starts_with(sealer)) {
            continue;
        }
        let code = code_only(&read(&path));
        for word in words(&code) {
            assert!(
                !matches!(word, "aes_gcm" | "hkdf" | "Aes256Gcm" | "Hkdf"),
                "{path} names `{word}`: one room encrypts, so that one room has to be read to know how"
            );
        }
    }
}

#[test]
fn no_module_climbs_past_its_own_room() {
    // `super::` beyond the top of a room reaches another one without naming it.
    for path in production() {
        let depth = module_depth(&path);
        let code = code_only(&read(&path));
        let highest = (1..10)
            .take_while(|count| code.contains(&"super::".repeat(*count)))
            .count();
        assert!(
            highest < depth || depth == 0,
            "{path} climbs {highest} times with `super::`: write `crate::…` to leave a room"
        );
    }
}

/// `src/agent.rs` and `src/agent/login.rs` → agent.
fn room_of(path: &str) -> Option<&'static Room> {
    let inside = path.strip_prefix("src/")?;
    let name = inside.split(['/', '.']).next()?;
    ROOMS.iter().find(|room| room.name == name)
}

fn in_room(path: &str, name: &str) -> bool {
    room_of(path).is_some_and(|room| room.name == name)
}

fn module_depth(path: &str) -> usize {
    match path.trim_start_matches("src/") {
        "lib.rs" | "main.rs" => 0,
        inside => inside.split('/').count(),
    }
}

/// What follows every `crate::`, groups taken apart.
fn rooms_named(code: &str) -> BTreeSet<String> {
    code.match_indices("crate::")
        .flat_map(|(at, prefix)| named_after(&code[at + prefix.len()..]))
        // Macros and re-exports of the crate's root are named after the room they come from.
        .map(|name| match name.as_str() {
            "Config" => "config".to_owned(),
            "TokenHandler" | "Environment" | "BuildError" | "Peer" => "handler".to_owned(),
            _ => name,
        })
        .collect()
}

/// `a::b` → a; `{a, b::c}` → a, b.
fn named_after(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![identifier(path).to_owned()];
    };
    let mut depth = 0;
    let mut names = Vec::new();
    let mut expected = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            _ if c.is_whitespace() => {}
            _ if expected && depth == 0 => {
                names.push(identifier(&group[at..]).to_owned());
                expected = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    &text[..end]
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

#[test]
fn groups_are_taken_apart() {
    assert_eq!(named_after("{a, b::{c, d}, e as f}; x"), ["a", "b", "e"]);
    assert_eq!(named_after("a::b;"), ["a"]);
}

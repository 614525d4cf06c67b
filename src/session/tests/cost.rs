//! What packing costs; of interest to people, not to machines.

use super::shapes;
use super::sizes::{roomy, session_with, weight, with_budget};
use super::world::{Jar, NOW, header, opened};
use crate::session::chunk;
use crate::session::content::{AccessContent, TokenContent, encoded_len};
use crate::session::keyring::Purpose;
use crate::session::pack::{AT_ANY_PRICE, Packed, WORTH_ITS_TIME};
use crate::session::seal::sealed_len;
use crate::session::{Cookies, Parts, Replaces, Session};

/// The figures of `docs/sessions.md`: what packing, and opening cookies that are not remembered, take.
/// `cargo test --release --lib -- --ignored --nocapture what_packing_and_opening_take`
#[test]
#[ignore = "measures; says something in release builds only"]
fn what_packing_and_opening_take() {
    let cookies = roomy();
    for shape in shapes::all() {
        let session = session_with(&shape);
        let fields = [
            ("text", as_text(&cookies, &session)),
            ("packed", jar_within(64 * 1024, &session)),
            ("for room", jar_within(weight(&cookies, &session) - 1, &session)),
        ];
        for (what, jar) in fields.into_iter().filter(|(_, jar)| *jar != Jar::default()) {
            let field = jar.headers()[http::header::COOKIE].to_str().unwrap().to_owned();
            let mut number = 0;
            let opening = fastest(|| {
                // Another field each time: none is remembered.
                number += 1;
                drop(opened(
                    &cookies,
                    &header(format!("n={number}; {field}").as_bytes()),
                ));
            });
            println!(
                "{:<30} {what:<9} {:>6} bytes, opened in {opening:.1} µs",
                shape.name,
                field.len()
            );
        }
        for worth in [WORTH_ITS_TIME, AT_ANY_PRICE] {
            let packing = fastest(|| {
                for token in [&shape.access, &shape.refresh, &shape.id] {
                    drop(Packed::of(token, worth));
                }
            });
            println!(
                "{:<30} packed in {packing:.0} µs where {worth} bytes are worth it",
                shape.name
            );
        }
    }
}

fn jar_within(budget: usize, session: &Session) -> Jar {
    with_budget(budget)
        .seal(session, Parts::ALL, Replaces::Everything, NOW)
        .map_or_else(|_| Jar::default(), |set| Jar::of(&set))
}

/// The cookies of a version that did not pack.
fn as_text(cookies: &Cookies, session: &Session) -> Jar {
    let mut jar = Jar::default();
    let mut put = |kind: &str, content: &dyn Fn(u8) -> String, len: usize| {
        let base = format!("__Host-Http-shop-{kind}");
        let chunks = chunk::extent(base.len(), sealed_len(len)).chunks;
        let value = content(u8::try_from(chunks).unwrap());
        for (name, piece) in chunk::split(&base, &value) {
            jar.0.insert(name.into_owned(), piece.to_owned());
        }
    };
    let token = Packed::text(session.access.token.expose());
    let access = AccessContent::of(session, &token);
    let binding = cookies.vault.bind(Purpose::Access, "__Host-Http-shop-at");
    put(
        "at",
        &|chunks| cookies.vault.seal(&binding, &access, chunks),
        encoded_len(&access),
    );
    for (kind, purpose, token) in [
        ("rt", Purpose::Refresh, session.refresh.as_ref().unwrap().expose()),
        ("id", Purpose::Id, session.id_token.as_ref().unwrap().expose()),
    ] {
        let token = Packed::text(token);
        let content = TokenContent::of(session, &token);
        let binding = cookies.vault.bind(purpose, &format!("__Host-Http-shop-{kind}"));
        put(
            kind,
            &|chunks| cookies.vault.seal(&binding, &content, chunks),
            encoded_len(&content),
        );
    }
    jar
}

/// Microseconds of the fastest of many runs: what the work takes when nobody else is at work.
fn fastest(mut work: impl FnMut()) -> f64 {
    (0..2_000)
        .map(|_| {
            let start = std::time::Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e6
        })
        .fold(f64::INFINITY, f64::min)
}

//! What tokens weigh as cookies: the table of `docs/sessions.md`, and the edges of chunks and budget.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::shapes::{self, Shape, bytes, jws};
use super::world::{
    Jar, NOW, app, assert_same, cookies_of, header, key, opened, presented, session, session_of, unreadable,
};
use crate::config::AppId;
use crate::session::chunk;
use crate::session::content::{AccessContent, TokenContent, encoded_len};
use crate::session::pack::Packed;
use crate::session::seal::sealed_len;
use crate::session::{Cookies, Opened, Parts, Replaces, Session};
use crate::token::{AccessToken, IdToken, RefreshToken};

pub(super) fn with_budget(budget: usize) -> Cookies {
    let mut app = app();
    app.session.cookie_budget = budget;
    cookies_of(&[key(1)], &app)
}

pub(super) fn roomy() -> Cookies {
    with_budget(64 * 1024)
}

pub(super) fn session_with(shape: &Shape) -> Session {
    let mut session = session();
    session.access.token = AccessToken::new(shape.access.clone());
    session.refresh = Some(RefreshToken::new(shape.refresh.clone()));
    session.id_token = Some(IdToken::new(shape.id.clone()));
    session
}

/// Bytes of `name=value; ` of at, rt and id together.
pub(super) fn weight(cookies: &Cookies, session: &Session) -> usize {
    let set = cookies
        .seal(session, Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    weight_of(&Jar::of(&set))
}

fn weight_of(jar: &Jar) -> usize {
    jar.0
        .iter()
        .map(|(name, value)| name.len() + value.len() + "=; ".len())
        .sum()
}

/// What it would be with tokens as text.
fn weight_as_text(session: &Session) -> usize {
    let of = |kind: &str, content: usize| {
        chunk::extent(format!("__Host-Http-shop-{kind}").len(), sealed_len(content)).bytes
    };
    let token = |token: &str| encoded_len(&TokenContent::of(session, &Packed::text(token)));
    of(
        "at",
        encoded_len(&AccessContent::of(
            session,
            &Packed::text(session.access.token.expose()),
        )),
    ) + of("rt", token(session.refresh.as_ref().unwrap().expose()))
        + of("id", token(session.id_token.as_ref().unwrap().expose()))
}

/// The figures of the manual are those of this code: they cannot drift.
#[test]
fn the_table_of_sizes_in_the_manual_is_what_is_measured() {
    let mut table = String::from(
        "| provider | characters: access, refresh, ID token | as text | packed | packed for room |\n| --- | --- | --- | --- | --- |\n",
    );
    for shape in shapes::all() {
        let session = session_with(&shape);
        let packed = weight(&roomy(), &session);
        let row = format!(
            "| {} | {}, {}, {} | {} | {packed} | {} |\n",
            shape.name,
            shape.access.len(),
            shape.refresh.len(),
            shape.id.len(),
            weight_as_text(&session),
            weight_for_room(&session, packed),
        );
        table.push_str(&row);
    }
    let page = include_str!("../../../docs/sessions.md");
    assert!(page.contains(&table), "docs/sessions.md should hold:\n\n{table}");
}

/// With a budget that it does not fit as it is: everything is deflated then.
fn weight_for_room(session: &Session, packed: usize) -> usize {
    let least = with_budget(packed - 1).seal(session, Parts::ALL, Replaces::Everything, NOW);
    least.map_or(packed, |set| weight_of(&Jar::of(&set)))
}

#[test]
fn the_default_budget_holds_what_it_would_not_hold_as_text() {
    let [_, keycloak, ..] = &shapes::all()[..] else {
        panic!("no shapes")
    };
    let session = session_with(keycloak);
    assert!(weight_as_text(&session) > 7 * 1024);
    assert!(weight(&with_budget(7 * 1024), &session) < 5 * 1024);
}

/// What fits only with everything deflated is deflated; what does not even then is refused. To the byte.
#[test]
fn the_budget_is_met_exactly_and_missed_by_one_byte() {
    for shape in shapes::all() {
        let session = session_with(&shape);
        let packed = weight(&roomy(), &session);
        assert_eq!(weight(&with_budget(packed), &session), packed, "{}", shape.name);
        let least = weight_for_room(&session, packed);
        assert_eq!(weight(&with_budget(least), &session), least, "{}", shape.name);
        let refused = with_budget(least - 1)
            .seal(&session, Parts::ALL, Replaces::Everything, NOW)
            .unwrap_err();
        assert_eq!(
            (refused.needed, refused.budget),
            (least, least - 1),
            "{}",
            shape.name
        );
        assert_eq!(refused.cookies.iter().sum::<usize>(), least, "{}", shape.name);
    }
}

#[test]
fn what_does_not_fit_is_told_cookie_by_cookie_with_what_to_do() {
    let refused = with_budget(7 * 1024)
        .seal(&session_of(6_000), Parts::ACCESS, Replaces::Everything, NOW)
        .unwrap_err();
    assert!(refused.cookies.iter().all(|bytes| *bytes > 8_000), "{refused:?}");
    let [at, rt, id] = refused.cookies;
    let said = refused.to_string();
    for part in [
        format!("{} bytes", refused.needed),
        format!("at {at}, rt {rt}, id {id}"),
        "`session.cookie_budget` is 7168".to_owned(),
        "raise it".to_owned(),
    ] {
        assert!(said.contains(&part), "{part} in {said}");
    }
}

/// A JWS of exactly so many characters that no deflate shortens.
fn noise(length: usize) -> String {
    let header = "eyJhbGciOiJFUzI1NiJ9";
    let payload = length - header.len() - 86 - 2;
    // Not every length is one of base64url; that of the payload is made to be.
    let payload = payload - usize::from(payload % 4 == 1);
    let random = bytes("noise", payload * 3 / 4);
    let signature = URL_SAFE_NO_PAD.encode(bytes("signature", 64));
    format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(random))
}

/// RFC 6265bis §5.6: 4095, 4096 and 4097 bytes of name and value, met by app ids of every length modulo four.
#[test]
fn a_cookie_at_the_edge_is_one_or_two_and_opens() {
    let mut seen = BTreeSet::new();
    for id in ["s", "sh", "sho", "shop", "0123456789abcdef"] {
        let mut app = app();
        app.id = AppId(id.into());
        app.session.cookie_budget = 64 * 1024;
        let cookies = cookies_of(&[key(1)], &app);
        for length in 2_820..2_960 {
            let mut session = session_of(10);
            session.access.token = AccessToken::new("~".repeat(length));
            let jar = Jar::of(
                &cookies
                    .seal(&session, Parts::ALL, Replaces::Everything, NOW)
                    .unwrap(),
            );
            let name = format!("__Host-Http-{id}-at");
            let pieces: Vec<_> = jar
                .0
                .iter()
                .filter(|(other, _)| other.starts_with(&name))
                .collect();
            let whole = name.len() + pieces.iter().map(|(_, value)| value.len()).sum::<usize>();
            assert_eq!(pieces.len(), if whole <= 4096 { 1 } else { 2 }, "{id} {whole}");
            assert!(
                pieces
                    .iter()
                    .all(|(name, value)| name.len() + value.len() <= 4096)
            );
            if (4090..4100).contains(&whole) {
                assert_same(&opened(&cookies, &jar.headers()).0, &session);
                seen.insert(whole);
            }
        }
    }
    assert!(
        [4095, 4096, 4097].iter().all(|edge| seen.contains(edge)),
        "{seen:?}"
    );
}

/// As many chunks as there can be, each count of them; each is needed, and each of another generation is foreign.
#[test]
fn sessions_of_one_to_sixteen_chunks_open_whole_or_not_at_all() {
    let cookies = roomy();
    for chunks in [1_u8, 2, 3, 4, 7, 15, 16] {
        let mut session = session_of(4);
        session.refresh = None;
        session.access.has_refresh = false;
        // Each chunk holds 3057 bytes or so; the first 250 are the header and the rest of the content.
        session.access.token = AccessToken::new(noise(usize::from(chunks) * 4_050 - 400));
        let sealed = |session: &Session| {
            Jar::of(
                &cookies
                    .seal(session, Parts::ALL, Replaces::Everything, NOW)
                    .unwrap(),
            )
        };
        let jar = sealed(&session);
        let (found, seen) = opened(&cookies, &jar.headers());
        assert_same(&found, &session);
        assert_eq!(seen, presented([chunks, 0, 1]));
        session.generation = session.generation.next();
        session.access.generation = session.generation;
        let newer = sealed(&session);
        let of_access: Vec<_> = jar.0.keys().filter(|name| name.contains("-at")).collect();
        for name in &of_access {
            let mut without = jar.clone();
            without.0.remove(*name);
            assert!(
                unreadable(&cookies, &without.headers()).is_some(),
                "{chunks} without {name}"
            );
            let mut mixed = jar.clone();
            mixed.0.insert((*name).clone(), newer.0[*name].clone());
            if chunks == 1 {
                // Whole values of two generations of one session do open together.
                assert_same(&opened(&cookies, &mixed.headers()).0, &session);
            } else {
                assert!(
                    unreadable(&cookies, &mixed.headers()).is_some(),
                    "{chunks} with a newer {name}"
                );
            }
        }
    }
}

/// 60 KB, the largest that anybody is known to send: noise fits the largest budget because it is packed, and roles fit the
/// default one.
#[test]
fn tokens_of_sixty_kilobytes_open_where_the_budget_allows() {
    let mut session = session_of(4);
    session.access.token = AccessToken::new(noise(60_000));
    let set = roomy()
        .seal(&session, Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    assert_same(&opened(&roomy(), &Jar::of(&set).headers()).0, &session);
    let roles: Vec<_> = (0..2_600)
        .map(|n| format!("\"orders-read-{}\"", n % 100))
        .collect();
    let large = jws(
        r#"{"alg":"RS256"}"#,
        &format!(r#"{{"roles":[{}]}}"#, roles.join(",")),
        256,
    );
    assert!((58_000..64_000).contains(&large.len()), "{}", large.len());
    session.access.token = AccessToken::new(large);
    let default = with_budget(7 * 1024);
    let set = default
        .seal(&session, Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    assert_same(&opened(&default, &Jar::of(&set).headers()).0, &session);
    session.access.token = AccessToken::new("~".repeat(60_000));
    assert!(
        roomy()
            .seal(&session, Parts::ALL, Replaces::Everything, NOW)
            .is_err()
    );
}

/// What may happen to the cookies of a session on the way: by another answer, another tab, or an attacker.
#[derive(Debug, Clone)]
enum Mishap {
    Lost(prop::sample::Index),
    Exchanged(prop::sample::Index, prop::sample::Index),
    Newer(prop::sample::Index),
    Doubled(prop::sample::Index, bool),
    Surplus(usize),
    Count(u8),
}

fn any_mishap() -> impl Strategy<Value = Mishap> {
    use Mishap::{Count, Doubled, Exchanged, Lost, Newer, Surplus};
    let one = any::<prop::sample::Index>;
    prop_oneof![
        one().prop_map(Lost),
        (one(), one()).prop_map(|(one, other)| Exchanged(one, other)),
        one().prop_map(Newer),
        (one(), any::<bool>()).prop_map(|(one, same)| Doubled(one, same)),
        (0_usize..16).prop_map(Surplus),
        any::<u8>().prop_map(Count),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happens to chunks: one of the sessions that were sealed, whole, or none.
    #[test]
    fn chunks_give_a_session_that_was_sealed_or_none(
        length in 200_usize..20_000,
        mishaps in prop::collection::vec(any_mishap(), 0..4),
    ) {
        let cookies = roomy();
        let mut session = session_of(4);
        session.access.token = AccessToken::new(noise(length));
        session.id_token = Some(IdToken::new(noise(length / 3 + 200)));
        let set = cookies.seal(&session, Parts::ALL, Replaces::Everything, NOW).unwrap();
        let older = Jar::of(&set);
        let mut renewed = session.clone();
        renewed.generation = session.generation.next();
        renewed.access.generation = renewed.generation;
        renewed.access.token = AccessToken::new(noise(length / 2 + 300));
        let set = cookies.seal(&renewed, Parts::ALL, Replaces::Everything, NOW).unwrap();
        let newer = Jar::of(&set);

        let mut jar = older.clone();
        let mut twice = String::new();
        for mishap in mishaps {
            let names: Vec<_> = jar.0.keys().cloned().collect();
            if names.is_empty() {
                break;
            }
            match mishap {
                Mishap::Lost(one) => drop(jar.0.remove(one.get(&names))),
                Mishap::Exchanged(one, other) => {
                    let (one, other) = (one.get(&names).clone(), other.get(&names).clone());
                    let (left, right) = (jar.0[&one].clone(), jar.0[&other].clone());
                    jar.0.insert(one, right);
                    jar.0.insert(other, left);
                }
                Mishap::Newer(one) => {
                    let name = one.get(&names);
                    if let Some(value) = newer.0.get(name) {
                        jar.0.insert(name.clone(), value.clone());
                    }
                }
                Mishap::Doubled(one, same) => {
                    let name = one.get(&names);
                    let value = if same { jar.0[name].as_str() } else { "AAAA" };
                    twice = format!("; {name}={value}");
                }
                Mishap::Surplus(number) => {
                    jar.0.entry(chunk::name("__Host-Http-shop-at", number).into_owned()).or_insert_with(|| "AAAA".into());
                }
                Mishap::Count(count) => {
                    if let Some(value) = jar.0.get_mut("__Host-Http-shop-at")
                        && let Some(mut header) = value.get(..8).and_then(|head| URL_SAFE_NO_PAD.decode(head).ok())
                    {
                        header[5] = count;
                        value.replace_range(..8, &URL_SAFE_NO_PAD.encode(header));
                    }
                }
            }
        }
        let mut field = jar.headers().get(http::header::COOKIE).map(|field| field.to_str().unwrap().to_owned()).unwrap_or_default();
        field.push_str(&twice);
        if let Opened::Session(found, _) = cookies.open(&header(field.as_bytes())) {
            let access = found.access.token.expose();
            let of = if found.access.generation == session.access.generation { &session } else { &renewed };
            prop_assert!(access == of.access.token.expose());
            prop_assert!(found.id_token.as_ref().map(IdToken::expose) == session.id_token.as_ref().map(IdToken::expose));
        }
    }
}

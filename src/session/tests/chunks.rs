//! K-05 to K-07, attacks 82 and 83: values in pieces.

use super::world::{Jar, NOW, assert_same, header, opened, presented, roomy, session_of, unreadable};
use crate::session::chunk::{self, Extent};
use crate::session::{Cookies, Parts, Replaces};

const AT: &str = "__Host-Http-shop-at";

fn large() -> (Cookies, Jar) {
    let cookies = roomy();
    let set = cookies
        .seal(&session_of(8000), Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    let jar = Jar::of(&set);
    assert_eq!(jar.0.len(), 9, "three chunks each: {:?}", jar.0.keys());
    (cookies, jar)
}

#[test]
fn a_value_in_chunks_opens_whole() {
    let (cookies, jar) = large();
    let (session, seen) = opened(&cookies, &jar.headers());
    assert_same(&session, &session_of(8000));
    assert_eq!(seen, presented([3, 3, 3]));
}

/// K-05: name and value together, at 4095, 4096 and 4097.
#[test]
fn a_cookie_is_split_where_browsers_would_drop_it() {
    let name = AT.len();
    let one = |bytes: usize| Extent {
        chunks: 1,
        bytes: bytes + "=; ".len(),
    };
    assert_eq!(chunk::extent(name, 4095 - name), one(4095));
    assert_eq!(chunk::extent(name, 4096 - name), one(4096));
    assert_eq!(chunk::extent(name, 4097 - name).chunks, 2);
}

#[test]
fn pieces_of_any_length_are_what_was_reckoned() {
    let text = "x".repeat(9000);
    for length in (1..9000).step_by(7).chain(4060..4100).chain(8140..8200) {
        let value = &text[..length];
        let pieces: Vec<_> = chunk::split(AT, value).collect();
        let bytes = pieces
            .iter()
            .map(|(name, piece)| name.len() + piece.len() + 3)
            .sum();
        assert_eq!(
            chunk::extent(AT.len(), length),
            Extent {
                chunks: pieces.len(),
                bytes
            }
        );
        assert!(
            pieces
                .iter()
                .all(|(name, piece)| name.len() + piece.len() <= 4096)
        );
        assert!(pieces.iter().all(|(_, piece)| !piece.is_empty()));
        assert_eq!(pieces.iter().map(|(_, piece)| *piece).collect::<String>(), value);
    }
}

/// K-07: without any one of its chunks there is no session, and the rest is cleared.
#[test]
fn a_missing_chunk_is_no_session() {
    let (cookies, jar) = large();
    for name in jar.0.keys() {
        let mut jar = jar.clone();
        jar.0.remove(name);
        assert_eq!(unreadable(&cookies, &jar.headers()), Some(true), "without {name}");
    }
}

#[test]
fn reordered_chunks_are_no_session() {
    let (cookies, jar) = large();
    let names = [AT.to_owned(), format!("{AT}.1"), format!("{AT}.2")];
    for (left, right) in [(0, 1), (1, 2), (0, 2)] {
        let mut jar = jar.clone();
        let (one, other) = (jar.0[&names[left]].clone(), jar.0[&names[right]].clone());
        jar.0.insert(names[left].clone(), other);
        jar.0.insert(names[right].clone(), one);
        // What stands where the header should be may by chance look like one of another key.
        assert!(unreadable(&cookies, &jar.headers()).is_some());
    }
}

/// The text is the same, cut elsewhere: pieces that do not decode for themselves are no value.
#[test]
fn chunks_cut_within_a_group_are_no_session() {
    let (cookies, jar) = large();
    for moved in [1, 2, 3, 5] {
        let mut jar = jar.clone();
        let second = jar.0[&format!("{AT}.1")].clone();
        jar.0.get_mut(AT).unwrap().push_str(&second[..moved]);
        jar.0.insert(format!("{AT}.1"), second[moved..].to_owned());
        assert_eq!(unreadable(&cookies, &jar.headers()), Some(true), "{moved}");
    }
}

#[test]
fn a_chunk_of_another_session_is_no_session() {
    let (cookies, mut jar) = large();
    let mut other = session_of(8000);
    other.id = crate::session::SessionId([8; 16]);
    let other = Jar::of(
        &cookies
            .seal(&other, Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    jar.0
        .insert(format!("{AT}.1"), other.0[&format!("{AT}.1")].clone());
    assert_eq!(unreadable(&cookies, &jar.headers()), Some(true));
}

/// The count is authenticated: what is beyond it is ignored, and cleared, also where nothing is resealed.
#[test]
fn a_surplus_chunk_is_ignored_and_cleared() {
    let (cookies, mut jar) = large();
    jar.0.insert(format!("{AT}.3"), "AAAA".into());
    jar.0.insert(format!("{AT}.5"), "whatever".into());
    let mut unsealed = jar.clone();
    let (session, seen) = opened(&cookies, &jar.headers());
    assert!(seen.has_surplus());
    assert_eq!((seen.chunks, seen.sealed), ([6, 3, 3], [3, 3, 3]));
    jar.apply(
        &cookies
            .seal(&session, Parts::ACCESS, Replaces::Presented(seen), NOW)
            .unwrap(),
    );
    assert!(cookies.clear_surplus(seen, Parts::ACCESS).is_empty());
    unsealed.apply(&cookies.clear_surplus(seen, Parts::NONE));
    assert_eq!(unsealed.0.len(), 9);
    assert_eq!(jar.0.len(), 9);
    assert_eq!(opened(&cookies, &jar.headers()).1, presented([3, 3, 3]));
}

#[test]
fn a_shorter_value_leaves_no_chunk_of_the_longer_one() {
    let (cookies, mut jar) = large();
    let (_, presented) = opened(&cookies, &jar.headers());
    let session = session_of(100);
    jar.apply(
        &cookies
            .seal(&session, Parts::ALL, Replaces::Presented(presented), NOW)
            .unwrap(),
    );
    assert_eq!(jar.0.len(), 3);
    assert_same(&opened(&cookies, &jar.headers()).0, &session);
}

/// Attack 83: these are nobody's chunks; they cost nothing and change nothing.
#[test]
fn absurd_chunk_numbers_are_not_read() {
    let (cookies, jar) = large();
    let plain = String::from_utf8(jar.headers()[http::header::COOKIE].as_bytes().to_vec()).unwrap();
    for suffix in [
        ".99999999",
        ".-1",
        ".1e9",
        ".01",
        ".0",
        ".",
        ".16",
        ".18446744073709551617",
        ".+1",
        ". 1",
        ".1.1",
        "s",
        "-1",
        "-chunks",
        ".\u{ff11}",
    ] {
        let headers = header(format!("{plain}; {AT}{suffix}=AAAA").as_bytes());
        assert_eq!(opened(&cookies, &headers).1, presented([3, 3, 3]), "{suffix}");
        assert_eq!(cookies.clear(&headers).len(), 9, "{suffix}");
    }
}

/// A header may claim any count; nothing is looked for beyond what was ever set.
#[test]
fn absurd_chunk_counts_do_not_open() {
    let (cookies, jar) = large();
    for count in [0, 1, 2, 4, 15, 16, 17, 255_u8] {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let mut jar = jar.clone();
        let value = jar.0.get_mut(AT).unwrap();
        let mut header = URL_SAFE_NO_PAD.decode(&value[..8]).unwrap();
        header[5] = count;
        value.replace_range(..8, &URL_SAFE_NO_PAD.encode(header));
        assert_eq!(unreadable(&cookies, &jar.headers()), Some(true), "{count}");
    }
}

#[test]
fn clearing_names_every_chunk_seen() {
    let (cookies, mut jar) = large();
    jar.0.insert(format!("{AT}.9"), "AAAA".into());
    let set = cookies.clear(&jar.headers());
    jar.apply(&set);
    assert_eq!(jar, Jar::default());
    // The plain names always.
    assert_eq!(cookies.clear(&http::HeaderMap::new()).len(), 3);
}

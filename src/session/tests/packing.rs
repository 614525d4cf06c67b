//! Packed tokens: lossless, bounded, shorter, and never an oracle (attacks 85, 86, 95).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::shapes::{self, bytes, jws, text};
use super::world::{Jar, NOW, assert_same, opened, roomy, session};
use crate::session::pack::{AT_ANY_PRICE, DICTIONARY, MAX_TOKEN, Packed, STEP, WORTH_ITS_TIME, unpack};
use crate::session::{Parts, Replaces};
use crate::token::{AccessToken, IdToken, RefreshToken};

const TEXT: u8 = 0;
const PARTS: u8 = 1;
const DEFLATED: u8 = 2;

/// Packs both ways, checks that both come back, and says which forms were chosen.
fn forms(token: &str) -> [u8; 2] {
    [WORTH_ITS_TIME, AT_ANY_PRICE].map(|worth| {
        let packed = Packed::of(token, worth);
        assert!(
            unpack(packed.bytes()).as_deref() == Some(token),
            "{token} does not come back"
        );
        assert!(packed.bytes().len() <= token.len() + 1, "{token} grew");
        packed.bytes()[0]
    })
}

fn jwt(claims: usize) -> String {
    let roles: Vec<_> = (0..claims).map(|n| format!("\"orders-{n}-read\"")).collect();
    jws(
        r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#,
        &format!(
            r#"{{"iss":"https://login.example.com","sub":"alice","roles":[{}]}}"#,
            roles.join(",")
        ),
        256,
    )
}

#[test]
fn tokens_of_every_provider_come_back_byte_for_byte() {
    for shape in shapes::all() {
        for token in [&shape.access, &shape.refresh, &shape.id] {
            forms(token);
        }
    }
}

#[test]
fn a_large_jwt_is_deflated_and_a_small_one_only_where_there_is_no_room() {
    assert_eq!(forms(&jwt(100)), [DEFLATED, DEFLATED]);
    assert_eq!(forms(&jwt(2)), [PARTS, DEFLATED]);
    let (plain, packed) = (jwt(100), Packed::of(&jwt(100), WORTH_ITS_TIME));
    assert!(
        packed.bytes().len() * 4 < plain.len(),
        "{} of {}",
        packed.bytes().len(),
        plain.len()
    );
}

/// RFC 7516 §7.1: five parts, the second empty with `dir`.
#[test]
fn a_jwe_is_kept_as_its_bytes() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    let noise = URL_SAFE_NO_PAD.encode(bytes("ciphertext", 600));
    assert_eq!(
        forms(&format!(
            "{header}..AAAAAAAAAAAAAAAA.{noise}.AAAAAAAAAAAAAAAAAAAAAA"
        )),
        [PARTS, PARTS]
    );
}

/// Claims that nothing compresses, an empty signature, parts that are no JSON.
#[test]
fn what_deflate_does_not_shorten_is_kept_as_bytes() {
    let random = jws(
        r#"{"alg":"ES256"}"#,
        &format!("{{\"x\":\"{}\"}}", text("random", 40)),
        64,
    );
    assert_eq!(forms(&random)[0], PARTS);
    let unsigned = jws(
        r#"{"alg":"none"}"#,
        &format!("{{\"x\":[{}1]}}", "1,".repeat(500)),
        0,
    );
    assert_eq!(forms(&unsigned), [DEFLATED, DEFLATED]);
    let no_json = URL_SAFE_NO_PAD.encode([b'1'; 900]);
    assert_eq!(forms(&format!("{no_json}.{no_json}.{no_json}")), [PARTS, PARTS]);
}

/// Whatever decodes to the same bytes must not come back as another text: the API compares bytes, and so do hashes.
#[test]
fn what_does_not_encode_again_byte_for_byte_stays_text() {
    let token = jwt(100);
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    // The last character of a part of 256 bytes holds two bits that count for nothing.
    let stray = format!("{}{}", &signature[..signature.len() - 1], 'B');
    assert!(!signature.ends_with('B'));
    for other in [
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.{stray}"),
        format!(
            "{header}.{payload}.{}",
            signature.replace('-', "+").replace('_', "/")
        ),
        format!("{header}.{payload}. {signature}"),
        format!("{header}.{payload}.{signature}\n"),
        format!(" {token}"),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{token}.{token}"),
        format!(".{token}"),
        format!("{header}.{payload}.ünïcode"),
        payload.to_owned(),
        "opaque".to_owned(),
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "....".to_owned(),
        "A.A.A".to_owned(),
    ] {
        assert_eq!(forms(&other), [TEXT, TEXT], "{other}");
    }
}

#[test]
fn a_token_beyond_the_limit_stays_text() {
    let of = |length: usize| {
        let token = jws(
            r#"{"alg":"none"}"#,
            &format!("{{\"x\":\"{}\"}}", "1".repeat(length)),
            32,
        );
        (token.len(), forms(&token)[0])
    };
    let (longest, _) = of(49_000);
    let length = 49_000 + (MAX_TOKEN - longest) / 4 * 3;
    assert!(of(length).0 > MAX_TOKEN - 4);
    assert_eq!(of(length).1, DEFLATED);
    assert_eq!(of(length + 6).1, TEXT);
}

/// The dictionary is part of the format: an edit would make every deflated cookie unreadable.
#[test]
fn the_dictionary_is_what_it_was() {
    assert_eq!(
        URL_SAFE_NO_PAD.encode(Sha256::digest(DICTIONARY)),
        "w3pp6Te4RLzdw3XPxD83WXnnSrnlT9m5hAXBcY4eiJ4"
    );
}

/// A deflated token put together by hand, with the lengths it claims.
fn deflated(lengths: [usize; 4], stream: &[u8], signature: &[u8]) -> Vec<u8> {
    let mut packed = vec![DEFLATED];
    for length in lengths {
        packed.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
    }
    packed.extend_from_slice(stream);
    packed.extend_from_slice(signature);
    packed.resize(packed.len().next_multiple_of(STEP), 0);
    packed
}

#[test]
fn a_stream_yields_exactly_what_its_lengths_say() {
    let json = br#"{"a":1}{"b":2}"#;
    let stream = compress_to_vec(json, 9);
    let honest = deflated([7, 7, 3, stream.len()], &stream, b"sig");
    assert_eq!(unpack(&honest).as_deref(), Some("eyJhIjoxfQ.eyJiIjoyfQ.c2ln"));
    for lengths in [
        [7, 8, 3, stream.len()],
        [7, 6, 3, stream.len()],
        [0, 0, 3, stream.len()],
        [65_535, 65_535, 3, stream.len()],
        [7, 7, 3, stream.len() - 1],
        [7, 7, 2, stream.len()],
        [7, 7, 65_535, stream.len()],
        [7, 7, 3, 65_535],
    ] {
        assert_eq!(unpack(&deflated(lengths, &stream, b"sig")), None, "{lengths:?}");
    }
    // Bytes behind the end of the stream, whoever they belong to.
    let longer = [&stream[..], b"x"].concat();
    assert_eq!(unpack(&deflated([7, 7, 3, longer.len()], &longer, b"sig")), None);
    let padded = [&honest[..], &[0; STEP]].concat();
    assert_eq!(unpack(&padded), None, "more zeros than needed");
    assert_eq!(unpack(&honest[..honest.len() - 1]), None, "fewer");
    let mut dirty = honest.clone();
    *dirty.last_mut().unwrap() = 1;
    assert_eq!(unpack(&dirty), None, "padding that says something");
}

/// Attack 86: ten megabytes of zeros in ten kilobytes; nothing beyond the claimed length is ever written.
#[test]
fn a_decompression_bomb_is_no_token() {
    let bomb = compress_to_vec(&vec![b'{'; 10_000_000], 9);
    assert!(bomb.len() < 12_000);
    for (header, payload) in [(1, 1), (24_000, 24_000), (30_000, 30_000), (65_535, 65_535)] {
        assert_eq!(
            unpack(&deflated([header, payload, 0, bomb.len()], &bomb, b"")),
            None
        );
    }
    // References to before the dictionary, and to nothing.
    let backwards = [0x03, 0x00];
    assert_eq!(unpack(&deflated([1, 1, 0, 2], &backwards, b"")), None);
}

/// The longest text that comes out of anything is as long as the longest token that went in.
#[test]
fn no_lengths_make_more_than_the_longest_token() {
    let zeros = compress_to_vec(&vec![0; 49_200], 9);
    let of =
        |header: usize, payload: usize| unpack(&deflated([header, payload, 0, zeros.len()], &zeros, b""));
    assert_eq!(of(100, 49_100), None);
    let zeros = compress_to_vec(&vec![0; 49_100], 9);
    let text = unpack(&deflated([100, 49_000, 0, zeros.len()], &zeros, b"")).unwrap();
    assert!(text.len() <= MAX_TOKEN);
    let mut parts = vec![PARTS, 3];
    for _ in 0..3 {
        parts.extend_from_slice(&20_000_u16.to_be_bytes());
    }
    parts.resize(parts.len() + 60_000, 7);
    assert_eq!(unpack(&parts), None);
}

#[test]
fn broken_packing_is_no_token() {
    for token in [jwt(100), jwt(2), "opaque".to_owned()] {
        let packed = Packed::of(&token, WORTH_ITS_TIME);
        let packed = packed.bytes();
        for length in 0..packed.len() {
            // A text has no length of its own: its cookie's content has.
            assert!(
                packed[0] == TEXT || unpack(&packed[..length]).is_none(),
                "{length}"
            );
        }
        for form in 3..=255 {
            assert_eq!(unpack(&[&[form], &packed[1..]].concat()), None);
        }
        assert_eq!(unpack(&[packed, b"\xff"].concat()), None);
    }
    assert_eq!(unpack(&[]), None);
    assert_eq!(unpack(&[TEXT, 0xff]), None);
    for count in [0, 1, 2, 4, 6, 255] {
        assert_eq!(
            unpack(&[PARTS, count, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            None,
            "{count}"
        );
    }
}

/// Attack 95: of two guesses at a claim the right one compresses better. With lengths in steps, hardly a cookie shows it.
#[test]
fn the_length_of_a_cookie_hardly_tells_a_right_guess_from_a_wrong_one() {
    let length = |guess: &str, more: usize| {
        let claims = format!(
            r#"{{"iss":"https://login.example.com","email":"alice.archer@example.com","roles":[{}],"x":"{}","team":"{guess}"}}"#,
            (0..250)
                .map(|n| format!("\"r{n}\""))
                .collect::<Vec<_>>()
                .join(","),
            text("more", more),
        );
        let packed = Packed::of(&jws(r#"{"alg":"RS256"}"#, &claims, 256), WORTH_ITS_TIME);
        assert_eq!(packed.bytes()[0], DEFLATED);
        packed.bytes().len()
    };
    let mut told = 0;
    for more in 0..STEP {
        let (right, wrong) = (
            length("alice.archer@example.com", more),
            length("alice.barker@example.com", more),
        );
        assert_eq!((right % STEP, wrong % STEP), (0, 0));
        told += usize::from(right != wrong);
    }
    assert!(told * 4 < STEP, "{told} of {STEP}");
}

#[test]
fn a_session_of_jwts_opens_as_it_was() {
    let cookies = roomy();
    for shape in shapes::all() {
        let mut session = session();
        session.access.token = AccessToken::new(shape.access);
        session.refresh = Some(RefreshToken::new(shape.refresh));
        session.id_token = Some(IdToken::new(shape.id));
        let set = cookies
            .seal(&session, Parts::ALL, Replaces::Everything, NOW)
            .unwrap();
        assert_same(&opened(&cookies, &Jar::of(&set).headers()).0, &session);
    }
}

/// Texts that come close to what is packed.
fn any_token() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400).prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes)),
        "[A-Za-z0-9_-]{0,200}",
        "\\{\"[a-z]{1,8}\":\"[a-z ]{0,300}\"\\}".prop_map(|json| URL_SAFE_NO_PAD.encode(json)),
        (0_usize..60).prop_map(
            |n| URL_SAFE_NO_PAD.encode(format!("{{\"roles\":[{}0]}}", "\"orders\",".repeat(n * 10)))
        ),
        "[A-Za-z0-9_+/=.-]{0,40}",
        "\\PC{0,20}",
    ];
    prop::collection::vec(part, 0..7).prop_map(|parts| parts.join("."))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_token_comes_back_byte_for_byte(token in any_token()) {
        forms(&token);
    }

    #[test]
    fn any_bytes_unpack_to_a_bounded_text_or_to_none(
        form in 0_u8..4,
        lengths in any::<[u16; 4]>(),
        rest in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let mut packed = vec![form];
        for length in lengths {
            packed.extend_from_slice(&(length % 600).to_be_bytes());
        }
        packed.extend_from_slice(&rest);
        if let Some(text) = unpack(&packed) {
            prop_assert!(text.len() <= MAX_TOKEN);
        }
    }

    #[test]
    fn a_changed_byte_of_a_packed_token_never_panics(at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut packed = Packed::of(&jwt(100), WORTH_ITS_TIME).bytes().to_vec();
        let at = at.index(packed.len());
        packed[at] = with;
        if let Some(text) = unpack(&packed) {
            prop_assert!(text.len() <= MAX_TOKEN);
        }
    }
}

//! Cookie keys: what reads, and what is said about everything that people paste instead (attack 94, F7).

use super::{GOOD, SECRET, World};

/// The problem with a key: `code`, and its message and cause.
fn problem_with(content: &[u8]) -> Option<(String, String)> {
    let world = World::new();
    world.file("cookie.key", content);
    let problems = world.parse(GOOD).err()?;
    let problem = problems.iter().next().unwrap();
    let words = format!("{}; {}", problem.message(), problem.cause().unwrap_or_default());
    Some((problem.code().to_string(), words))
}

#[test]
fn base64_and_hex_are_read() {
    for text in [
        "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ=",
        "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ",
        "-FzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oP_VQ=",
        "-FzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oP_VQ",
        "+FzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oP/VQ=",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
    ] {
        for end in ["", "\n", "\r\n"] {
            let problem = problem_with(format!("{text}{end}").as_bytes());
            assert_eq!(problem, None, "{text}");
        }
    }
}

#[test]
fn what_was_pasted_instead_is_named() {
    for (content, words) in [
        ("\"oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ=\"", "quote marks"),
        (
            "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrQ==",
            "decode to 31 bytes",
        ),
        // 32 bytes and a line break, encoded together.
        (
            "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQK",
            "a line break was encoded",
        ),
        (
            "b0Z6U0JkU1BicVhROFZDRUdaek5MWVZoS1NhUjlxc2Z2VmhKdTJvUHJWUT0K",
            "encoded twice",
        ),
        ("this is my very long passphrase!!", "white space"),
        ("correct-horse-battery-staple-32!", "a passphrase"),
        (
            "0x9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "begins with `0x`",
        ),
        ("hex:9f86d081884c7d65", "name of its encoding"),
        ("9f86d081884c7d65", "16 characters that decode to 12 bytes"),
    ] {
        let (code, said) =
            problem_with(content.as_bytes()).unwrap_or_else(|| panic!("{content} was accepted"));
        assert_eq!(code, "CR-C014", "{content}");
        assert!(said.contains(words), "{content}: {said}");
        assert!(!said.contains(content), "the key is repeated: {said}");
    }
    let (code, said) = problem_with(&[0x9f; 32]).unwrap();
    assert_eq!(code, "CR-C013");
    assert!(said.contains("raw bytes"), "{said}");
}

/// Whoever reads the internet has these.
#[test]
fn known_and_trivial_keys_are_refused() {
    for text in [
        "4e4636356d65563e4c73233847503e3b21436e6f7629724950526f4b5e2e4e50",
        "4E4636356D65563E4C73233847503E3B21436E6F7629724950526F4B5E2E4E50",
        "NF65meV>Ls#8GP>;!Cnov)rIPRoK^.NP",
        "TkY2NW1lVj5McyM4R1A+OyFDbm92KXJJUFJvS14uTlA=",
        "MLFs4TT99kOOq8h3UAVRtYoCTDYXiRcZ",
        "TUxGczRUVDk5a09PcThoM1VBVlJ0WW9DVERZWGlSY1o=",
        "changeme",
        "CHANGEMEchangemeCHANGEMEchangeme",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ] {
        let (code, said) = problem_with(text.as_bytes()).unwrap_or_else(|| panic!("{text} was accepted"));
        assert_eq!(code, "CR-C015", "{text}: {said}");
    }
}

#[test]
fn the_client_secret_is_no_key() {
    let world = World::new();
    let secret = "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ=";
    world.file("client-secret", secret);
    assert_ne!(secret, SECRET);
    assert_eq!(world.problems(GOOD), ["CR-C015 keys.cookie[0]"]);
}

/// Equal is what the bytes are, however they are written.
#[test]
fn equal_keys_are_refused_in_every_form() {
    let world = World::new();
    world.file("other.key", "oFzSBdSPbqXQ8VCEGZzNLYVhKSaR9qsfvVhJu2oPrVQ");
    world.file(
        "hex.key",
        "a05cd205d48f6ea5d0f15084199ccd2d85612926 91f6ab1fbd5849bb6a0fad54".replace(' ', ""),
    );
    let text = GOOD.replace(
        "[\"file:cookie.key\"]",
        "[\"file:cookie.key\", \"file:other.key\", \"file:hex.key\"]",
    );
    assert_eq!(
        world.problems(&text),
        ["CR-C016 keys.cookie[1]", "CR-C016 keys.cookie[2]"]
    );
}

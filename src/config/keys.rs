//! `[keys]`: the cookie keys. 32 bytes each, as base64 or hex; the first seals, all open (M-01, M-03, attack 94).
//!
//! What is pasted here by mistake is named: quotes, a passphrase, the client secret, a key whose line break was
//! encoded with it. A key that somebody else knows is refused.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::CookieKey;
use super::check::Check;
use super::problem::Code;
use super::schema::{Key, Kind};
use super::secret;
use super::table::{Field, Table};

pub(super) const KEYS: &[Key] = &[Key::new("cookie", Kind::Secrets)];

/// The keys, and the text each was read from.
pub(super) struct Keys<'a> {
    pub(super) ring: Option<Vec<CookieKey>>,
    texts: Vec<(Field<'a>, Zeroizing<String>)>,
}

/// Reads `[keys]`.
pub(super) fn read<'a>(root: &Table<'a>, check: &mut Check<'_>) -> Keys<'a> {
    let mut texts = Vec::new();
    let Some(table) = root.table("keys") else {
        if root.field("keys").is_none() {
            root.missing("keys", EXAMPLE, check);
        }
        return Keys { ring: None, texts };
    };
    let Some(field) = table.field("cookie") else {
        table.missing("cookie", EXAMPLE, check);
        return Keys { ring: None, texts };
    };
    if !field.is_list() {
        return Keys { ring: None, texts };
    }
    let elements = field.elements();
    if elements.is_empty() {
        check
            .wrong(Code::KEY_FORM, &field, "at least one cookie key is needed")
            .with_fix("cloakroom keys generate --out FILE, then name it here: `\"file:FILE\"`");
        return Keys { ring: None, texts };
    }
    let mut ring: Vec<Option<CookieKey>> = Vec::new();
    for element in elements {
        let key = secret::read(&element, check).and_then(|text| {
            let key = key(&element, &text, check);
            texts.push((element.clone(), text));
            key
        });
        if let Some(key) = &key
            && ring.iter().flatten().any(|other| *other.0 == *key.0)
        {
            check
                .wrong(Code::KEY_TWICE, &element, "this cookie key is listed twice")
                .with_fix("remove it, or generate another: cloakroom keys generate");
        }
        ring.push(key);
    }
    Keys {
        ring: ring.into_iter().collect(),
        texts,
    }
}

impl Keys<'_> {
    /// Whether one of the keys was read from this text.
    pub(super) fn are_read_from(&self, text: &str) -> bool {
        self.texts.iter().any(|(_, key)| **key == *text)
    }

    /// Reports a client secret that serves as a cookie key: whoever knows the one could open every session.
    pub(super) fn refuse_client_secrets(&self, check: &mut Check<'_>) {
        for (field, text) in &self.texts {
            if check.client_secrets.iter().any(|secret| **secret == **text) {
                // What its form is wrong about is no news any more.
                check
                    .problems
                    .retain(|problem| problem.code != Code::KEY_FORM || problem.path != field.path);
                check
                    .wrong(
                        Code::KEY_WEAK,
                        field,
                        "this is the client secret, not a cookie key",
                    )
                    .with_cause("the provider knows it, so it could open every session")
                    .with_fix(GENERATE);
            }
        }
    }
}

fn key(field: &Field<'_>, text: &str, check: &mut Check<'_>) -> Option<CookieKey> {
    // Published keys are looked for in the text as well: most of them are passphrases.
    if is_published(text.as_bytes()) {
        refuse_weak(field, "this key is published: everyone has it", check);
        return None;
    }
    let bytes = match decode(text) {
        Ok(bytes) => bytes,
        Err(Pasted { cause, fix }) => {
            check
                .wrong(
                    Code::KEY_FORM,
                    field,
                    "a cookie key is 32 bytes, as base64 or as 64 hex digits",
                )
                .with_cause(cause)
                .with_fix(fix);
            return None;
        }
    };
    let weak = if is_published(&bytes[..]) {
        Some("this key is published: everyone has it")
    } else if bytes.iter().all(|byte| *byte == 0) {
        Some("this key is all zero")
    } else if bytes
        .windows(2)
        .all(|pair| matches!(pair, [one, two] if one == two))
    {
        Some("this key is one byte repeated")
    } else if bytes
        .windows(2)
        .all(|pair| matches!(pair, [one, two] if one.wrapping_add(1) == *two))
    {
        Some("this key counts upwards")
    } else {
        None
    };
    if let Some(weak) = weak {
        refuse_weak(field, weak, check);
        return None;
    }
    Some(CookieKey(Arc::new(bytes)))
}

fn refuse_weak(field: &Field<'_>, message: &str, check: &mut Check<'_>) {
    check
        .wrong(Code::KEY_WEAK, field, message)
        .with_cause("whoever has the key opens every session and makes new ones")
        .with_fix(GENERATE);
}

/// What was probably pasted instead of a key, and what to do about it; never any of it.
struct Pasted {
    cause: String,
    fix: &'static str,
}

impl From<String> for Pasted {
    fn from(cause: String) -> Self {
        Self { cause, fix: GENERATE }
    }
}

impl From<&str> for Pasted {
    fn from(cause: &str) -> Self {
        Self::from(cause.to_owned())
    }
}

/// The 32 bytes, or what was probably pasted instead.
fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, Pasted> {
    if text.len() == 64
        && let Some(bytes) = from_hex(text)
    {
        return Ok(bytes);
    }
    let Some(decoded) = from_base64(text) else {
        return Err(guess(text));
    };
    if let Ok(bytes) = <[u8; 32]>::try_from(decoded.as_slice()) {
        return Ok(Zeroizing::new(bytes));
    }
    Err(miscounted(text, &decoded))
}

/// What reads as base64 and is not 32 bytes.
fn miscounted(text: &str, decoded: &[u8]) -> Pasted {
    let inner = std::str::from_utf8(decoded).unwrap_or_default();
    if matches!(decoded, [.., b'\n']) && decoded.len() == 33 {
        return Pasted {
            cause: "it decodes to 33 bytes: a line break was encoded with the key".to_owned(),
            fix: "encode the 32 bytes alone, or make a new key: cloakroom keys generate --out FILE",
        };
    }
    if decode_once(inner.trim_end()) {
        return Pasted {
            cause: "it was encoded twice".to_owned(),
            fix: "decode it once",
        };
    }
    if text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("it is {} hex digits, where 64 belong", text.len()).into();
    }
    let lost = match decoded.len() {
        31 | 33 => ": a character was lost or doubled when it was copied",
        _ => ": a passphrase, or a part of a key",
    };
    format!(
        "{} characters that decode to {} bytes{lost}",
        text.len(),
        decoded.len()
    )
    .into()
}

/// Whether `text` is the form of a key.
fn decode_once(text: &str) -> bool {
    text.len() >= 43 && decode(text).is_ok()
}

/// Either alphabet, with padding or without it.
fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, ANY_PADDING).decode(text).ok())
        .map(Zeroizing::new)
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// What a text that is neither base64 nor hex probably is; without repeating any of it.
fn guess(text: &str) -> Pasted {
    let length = text.chars().count();
    let unquoted = text.trim_matches(['"', '\'']);
    if unquoted.len() < text.len() {
        Pasted {
            cause: "it contains quote marks".to_owned(),
            fix: if decode_once(unquoted) {
                "take the quote marks off: the file or variable holds the key and nothing else"
            } else {
                GENERATE
            },
        }
    } else if text.contains(char::is_whitespace) {
        Pasted {
            cause: "it contains white space".to_owned(),
            fix: if decode_once(text.trim()) {
                "take the white space off: the file or variable holds the key and nothing else"
            } else {
                GENERATE
            },
        }
    } else if text.starts_with("0x") {
        Pasted {
            cause: "it begins with `0x`".to_owned(),
            fix: "write the hex digits alone",
        }
    } else if text.starts_with("base64:") || text.starts_with("hex:") {
        Pasted {
            cause: "it begins with the name of its encoding".to_owned(),
            fix: "write the key alone: base64 and hex are told apart by themselves",
        }
    } else if length == 32 {
        "it is 32 characters of text: a passphrase, not 32 random bytes".into()
    } else {
        format!("it is {length} characters that are neither base64 nor hex: a passphrase?").into()
    }
}

/// Whether everybody can know it: as text (most are passphrases), as the bytes that a published text encodes, or because it
/// begins as placeholders do.
fn is_published(key: &[u8]) -> bool {
    let text = std::str::from_utf8(key).unwrap_or_default().to_ascii_lowercase();
    PUBLISHED.iter().any(|published| {
        published.eq_ignore_ascii_case(&text)
            || from_hex(published)
                .filter(|_| published.len() == 64)
                .is_some_and(|bytes| bytes[..] == *key)
            || from_base64(published).is_some_and(|bytes| bytes[..] == *key)
    }) || KNOWN_WORDS.iter().any(|word| text.starts_with(word))
}

pub(super) const GENERATE: &str = "cloakroom keys generate --out FILE";
const EXAMPLE: &str =
    "`[keys]` with `cookie = [\"file:keys/cookie.key\"]` (cloakroom keys generate --out keys/cookie.key)";

/// Keys that stand in documentation, demos and standards, as they stand there.
const PUBLISHED: &[&str] = &[
    // The Curity token handler's examples, the first also as the text that it encodes.
    "4e4636356d65563e4c73233847503e3b21436e6f7629724950526f4b5e2e4e50",
    "NF65meV>Ls#8GP>;!Cnov)rIPRoK^.NP",
    "MLFs4TT99kOOq8h3UAVRtYoCTDYXiRcZ",
    // oauth2-proxy's examples, copied into countless deployments.
    "OQINaROshtE9TcZkNAm-5Zs2Pv3xaWytBmc5W7sPX7w=",
    // AES-256 in NIST SP 800-38A, appendix F, and in the GCM specification's test cases.
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
];

/// How placeholders begin, in lower case.
const KNOWN_WORDS: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "insecure",
];

/// Padding is neither demanded nor refused: `openssl rand -base64 32` writes it, URLs do not.
const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

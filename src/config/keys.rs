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
    /// Reports a client secret that serves as a cookie key: whoever knows the one could open every session.
    pub(super) fn refuse_client_secrets(&self, check: &mut Check<'_>) {
        for (field, text) in &self.texts {
            if check.client_secrets.iter().any(|secret| **secret == **text) {
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
        Err(cause) => {
            check
                .wrong(
                    Code::KEY_FORM,
                    field,
                    "a cookie key is 32 bytes, as base64 or as 64 hex digits",
                )
                .with_cause(cause)
                .with_fix(GENERATE);
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

/// The 32 bytes, or what was probably pasted instead.
fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, String> {
    if text.len() == 64
        && let Some(bytes) = from_hex(text)
    {
        return Ok(bytes);
    }
    let decoded = [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, ANY_PADDING).decode(text).ok())
        .map(Zeroizing::new);
    let Some(decoded) = decoded else {
        return Err(guess(text));
    };
    if let Ok(bytes) = <[u8; 32]>::try_from(decoded.as_slice()) {
        return Ok(Zeroizing::new(bytes));
    }
    let inner = std::str::from_utf8(&decoded).unwrap_or_default();
    Err(
        if matches!(decoded.as_slice(), [.., b'\n']) && decoded.len() == 33 {
            "it decodes to 33 bytes: a line break was encoded with the key".to_owned()
        } else if decode_once(inner.trim_end()) {
            "it was encoded twice".to_owned()
        } else {
            format!("{} characters that decode to {} bytes", text.len(), decoded.len())
        },
    )
}

/// Whether `text` is the form of a key.
fn decode_once(text: &str) -> bool {
    text.len() >= 43 && decode(text).is_ok()
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
fn guess(text: &str) -> String {
    let length = text.chars().count();
    if text.starts_with(['"', '\'']) || text.ends_with(['"', '\'']) {
        "it contains quote marks".to_owned()
    } else if text.starts_with("-----BEGIN") {
        "it is a PEM file".to_owned()
    } else if text.contains(['\n', '\r']) {
        "it holds a line break".to_owned()
    } else if text.contains(char::is_whitespace) {
        "it contains white space".to_owned()
    } else if text.starts_with("0x") {
        "it begins with `0x`".to_owned()
    } else if text.starts_with("base64:") || text.starts_with("hex:") {
        "it begins with the name of its encoding, which is not written".to_owned()
    } else if length == 32 {
        "it is 32 characters of text: a passphrase, not 32 random bytes".to_owned()
    } else {
        format!("it is {length} characters that are neither base64 nor hex")
    }
}

fn is_published(key: &[u8]) -> bool {
    let text = std::str::from_utf8(key).unwrap_or_default().to_ascii_lowercase();
    PUBLISHED
        .iter()
        .any(|published| published.eq_ignore_ascii_case(&text))
        || KNOWN_WORDS.iter().any(|word| text.starts_with(word))
}

const GENERATE: &str = "cloakroom keys generate --out FILE";
const EXAMPLE: &str =
    "`[keys]` with `cookie = [\"file:keys/cookie.key\"]` (cloakroom keys generate --out keys/cookie.key)";

/// Keys that stand in documentation and demos, as they stand there and as the text they encode: the Curity token
/// handler's examples, twice.
const PUBLISHED: &[&str] = &[
    "4e4636356d65563e4c73233847503e3b21436e6f7629724950526f4b5e2e4e50",
    "NF65meV>Ls#8GP>;!Cnov)rIPRoK^.NP",
    "MLFs4TT99kOOq8h3UAVRtYoCTDYXiRcZ",
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

//! References to secrets (M-05, attack 203): `env:NAME`, `file:path`, `systemd:NAME`.
//!
//! 1. A secret is never written into the file: what is no reference is refused as a literal, and never shown.
//! 2. A file that others may read or that its group may write is refused: mode wider than 0640.
//! 3. A file loses exactly one trailing line break (`\n` or `\r\n`), nothing else; a variable loses nothing.
//! 4. An empty secret, one with control characters and one that begins with a byte order mark are refused: an editor
//!    put that there, and the provider would only say `invalid_client`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::check::Check;
use super::keys;
use super::problem::Code;
use super::schema::nearest;
use super::table::Field;

/// Where a secret is.
enum Reference<'a> {
    Env(&'a str),
    File(&'a str),
    Systemd(&'a str),
}

/// Follows the reference in `field`; the text of the secret, without its line break.
pub(super) fn read(field: &Field<'_>, check: &mut Check<'_>) -> Option<Zeroizing<String>> {
    let text = field.text()?;
    let Some(reference) = reference(text) else {
        refuse_literal(field, text, check);
        return None;
    };
    let secret = match reference {
        Reference::Env(name) => from_variable(field, name, check)?,
        Reference::File(path) => {
            let path = check.base_dir.join(path);
            from_file(field, &path, check)?
        }
        Reference::Systemd(name) => from_systemd(field, name, check)?,
    };
    check.secrets.push(secret.clone());
    if let Some(what) = cannot_be_a_secret(&secret) {
        let fix = if field.path.starts_with("keys.") {
            keys::GENERATE
        } else {
            "write the secret anew, for example with `printf %s \"$SECRET\" > file`"
        };
        check
            .wrong(Code::SECRET_FORM, field, format!("the secret {what}"))
            .with_cause("a secret is one line, and it would be used exactly as it is")
            .with_fix(fix);
        return None;
    }
    Some(secret)
}

/// Whether `text` is a reference that may be shown. Behind `env:` people have written the secret itself: what does not
/// look like the name of a variable is kept back.
pub(super) fn is_presentable(text: &str) -> bool {
    match reference(text) {
        Some(Reference::Env(name)) => looks_like_a_name(name),
        Some(Reference::File(_) | Reference::Systemd(_)) => true,
        None => false,
    }
}

fn reference(text: &str) -> Option<Reference<'_>> {
    let (scheme, rest) = text.split_once(':')?;
    match scheme {
        "env" if is_variable_name(rest) => Some(Reference::Env(rest)),
        "file" if !rest.is_empty() && !rest.contains(char::is_control) => Some(Reference::File(rest)),
        "systemd" if is_credential_name(rest) => Some(Reference::Systemd(rest)),
        _ => None,
    }
}

fn refuse_literal(field: &Field<'_>, text: &str, check: &mut Check<'_>) {
    if !text.is_empty() {
        check.secrets.push(Zeroizing::new(text.to_owned()));
    }
    let (message, cause) = if text.is_empty() {
        ("an empty text is no reference to a secret", None)
    } else if text.starts_with("env:") || text.starts_with("systemd:") {
        (
            "the name after the colon cannot be one",
            Some("names consist of letters, digits and `_`"),
        )
    } else {
        (
            "a literal secret is refused",
            Some("a secret in the configuration ends up in repositories, backups and support mails"),
        )
    };
    let problem = check.wrong(Code::LITERAL_SECRET, field, message);
    if let Some(cause) = cause {
        problem.with_cause(cause);
    }
    problem.with_fix(
        "put the secret elsewhere and refer to it: `\"env:NAME\"`, `\"file:path\"` or `\"systemd:NAME\"`",
    );
}

fn from_variable(field: &Field<'_>, name: &str, check: &mut Check<'_>) -> Option<Zeroizing<String>> {
    match check.variables.value(name) {
        Ok(value) => Some(Zeroizing::new(value.to_owned())),
        Err(why) if looks_like_a_name(name) => {
            let near = nearest(name, check.variables.names()).map(str::to_owned);
            let fix = near.map_or_else(
                || format!("set `{name}` for this process"),
                |near| format!("set it; did you mean `env:{near}`?"),
            );
            check
                .wrong(
                    Code::SECRET_UNREADABLE,
                    field,
                    format!("the environment variable `{name}` {why}"),
                )
                .with_fix(fix);
            None
        }
        Err(why) => {
            check.secrets.push(Zeroizing::new(name.to_owned()));
            check
                .wrong(
                    Code::SECRET_UNREADABLE,
                    field,
                    format!("the environment variable that is named here {why}"),
                )
                .with_cause("behind `env:` stands the name of a variable, never the secret itself")
                .with_fix("set that variable, or name another: `\"env:CLIENT_SECRET\"`");
            None
        }
    }
}

/// systemd's `LoadCredential=` and its kind put files into `$CREDENTIALS_DIRECTORY`.
fn from_systemd(field: &Field<'_>, name: &str, check: &mut Check<'_>) -> Option<Zeroizing<String>> {
    match check.variables.value("CREDENTIALS_DIRECTORY") {
        Ok(folder) => from_file(field, &Path::new(folder).join(name), check),
        Err(why) => {
            check
                .wrong(
                    Code::SECRET_UNREADABLE,
                    field,
                    format!("the environment variable `CREDENTIALS_DIRECTORY` {why}"),
                )
                .with_cause("systemd sets it for a service that has credentials")
                .with_fix(format!("add `LoadCredential={name}:…` to the unit"));
            None
        }
    }
}

fn from_file(field: &Field<'_>, path: &Path, check: &mut Check<'_>) -> Option<Zeroizing<String>> {
    match content(path) {
        Ok(content) => Some(content),
        Err(Unreadable { code, message, fix }) => {
            check.wrong(code, field, message).with_fix(fix);
            None
        }
    }
}

/// Why a secret's file gave nothing.
struct Unreadable {
    code: Code,
    message: String,
    fix: String,
}

impl Unreadable {
    fn new(message: String) -> Self {
        Self {
            code: Code::SECRET_UNREADABLE,
            message,
            fix:
                "name a file that this user can read; relative paths start at the folder of the configuration"
                    .to_owned(),
        }
    }
}

fn content(path: &Path) -> Result<Zeroizing<String>, Unreadable> {
    let shown = path.display();
    let cannot = |error: std::io::Error| Unreadable::new(format!("cannot read `{shown}`: {error}"));
    // Looked at before it is opened: opening a named pipe would wait for its writer.
    let is_file = |metadata: &std::fs::Metadata| {
        if metadata.is_file() {
            Ok(())
        } else {
            Err(Unreadable::new(if metadata.is_dir() {
                format!("`{shown}` is a folder, not a file")
            } else {
                format!("`{shown}` is not a file")
            }))
        }
    };
    is_file(&std::fs::metadata(path).map_err(cannot)?)?;
    let file = File::open(path).map_err(cannot)?;
    // And again on what was opened, so that what was judged is what is read.
    let metadata = file.metadata().map_err(cannot)?;
    is_file(&metadata)?;
    refuse_wide_mode(path, &metadata)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let read = file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if read as u64 > LIMIT {
        return Err(Unreadable::new(format!("`{shown}` is larger than any secret")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Unreadable {
        fix: "for a cookie key: `cloakroom keys generate --out FILE` writes the text form".to_owned(),
        ..Unreadable::new(format!("`{shown}` holds raw bytes, not text"))
    })?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(unix)]
fn refuse_wide_mode(path: &Path, metadata: &std::fs::Metadata) -> Result<(), Unreadable> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode() & 0o777;
    if mode & !0o640 == 0 {
        return Ok(());
    }
    let shown = path.display();
    Err(Unreadable {
        code: Code::FILE_MODE,
        message: format!("`{shown}` has mode {mode:04o}, wider than 0640"),
        fix: format!("chmod 0600 {shown}"),
    })
}

#[cfg(not(unix))]
fn refuse_wide_mode(_path: &Path, _metadata: &std::fs::Metadata) -> Result<(), Unreadable> {
    Ok(())
}

fn cannot_be_a_secret(secret: &str) -> Option<&'static str> {
    if secret.is_empty() {
        Some("is empty")
    } else if secret.starts_with('\u{feff}') {
        Some("begins with a byte order mark")
    } else if secret.starts_with("-----BEGIN") {
        Some("is a PEM file: a certificate or a private key")
    } else if secret.trim_end_matches(['\n', '\r']).contains(['\n', '\r']) {
        Some("has several lines")
    } else if secret.ends_with(['\n', '\r']) {
        Some("still ends in a line break after the one that is taken off")
    } else if secret.contains(char::is_control) {
        Some("holds a control character")
    } else {
        None
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// As variables are named by convention; a secret in its place has other letters.
fn looks_like_a_name(name: &str) -> bool {
    name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_credential_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// A path that the configuration names, seen from its folder.
pub(super) fn beside(check: &Check<'_>, path: &str) -> PathBuf {
    check.base_dir.join(path)
}

/// No secret is larger.
const LIMIT: u64 = 64 * 1024;

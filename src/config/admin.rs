//! `[admin]`: a listener for operators and their machines. Absent, there is none.

use std::net::SocketAddr;

use secrecy::{ExposeSecret as _, SecretString};

use super::Admin;
use super::check::Check;
use super::keys::Keys;
use super::problem::Code;
use super::schema::{Key, Kind};
use super::secret;
use super::server::read_listen;
use super::table::{Field, Table, quoted};

pub(super) const KEYS: &[Key] = &[
    Key::new("listen", Kind::Text),
    Key::new("token", Kind::Secret),
    Key::new("insecure_http", Kind::Flag),
    Key::later("tls"),
];

/// Reads `[admin]`, which may be absent.
#[expect(
    clippy::option_option,
    reason = "outside: whether it is right; inside: whether it is there"
)]
pub(super) fn read(
    root: &Table<'_>,
    public: Option<SocketAddr>,
    check: &mut Check<'_>,
) -> Option<Option<Admin>> {
    if root.field("admin").is_none() {
        return Some(None);
    }
    let table = root.table("admin")?;
    let insecure = table.flag("insecure_http", false)?;
    let listen = table.required("listen", EXAMPLE, check, |field, check| {
        let listen = read_listen(field, check)?;
        refuse_unprotected(field, listen, insecure, check)?;
        refuse_the_public_one(field, listen, public, check)?;
        Some(listen)
    });
    let token = table.optional("token", check, read_token);
    Some(Some(Admin {
        listen: listen?,
        insecure_http: insecure,
        token: token?,
    }))
}

/// Off loopback, tokens and names of users would cross the network in clear.
fn refuse_unprotected(
    field: &Field<'_>,
    listen: SocketAddr,
    insecure: bool,
    check: &mut Check<'_>,
) -> Option<()> {
    if listen.ip().is_loopback() || insecure {
        return Some(());
    }
    check
        .wrong(
            Code::PLAIN_HTTP,
            field,
            format!(
                "plain http on {} needs `insecure_http = true`",
                quoted(&listen.to_string())
            ),
        )
        .with_cause("whoever is on the network reads its token and the names of users, and revokes sessions")
        .with_fix(
            "listen on loopback (`\"127.0.0.1:9080\"`), or add `insecure_http = true` where the network is yours alone",
        );
    None
}

/// One port answers browsers or operators, never both (attack 185).
fn refuse_the_public_one(
    field: &Field<'_>,
    listen: SocketAddr,
    public: Option<SocketAddr>,
    check: &mut Check<'_>,
) -> Option<()> {
    // Port 0 is any that is free.
    if listen.port() == 0 || public != Some(listen) {
        return Some(());
    }
    check
        .wrong(
            Code::LISTEN,
            field,
            format!(
                "{} is what `server.listen` listens on",
                quoted(&listen.to_string())
            ),
        )
        .with_cause("one listener answers browsers, the other one operators; neither may be reached through the other")
        .with_fix("write another port");
    None
}

fn read_token(field: &Field<'_>, check: &mut Check<'_>) -> Option<SecretString> {
    let token = secret::read(field, check)?;
    // RFC 6750 §2.1: what may stand behind `Bearer`.
    let sendable = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if !token.bytes().all(sendable) {
        check
            .wrong(
                Code::ADMIN_TOKEN,
                field,
                "this token cannot be sent as a bearer token",
            )
            .with_cause("letters, digits and `-._~+/=` can (RFC 6750 §2.1)")
            .with_fix(TOKEN);
        return None;
    }
    if token.len() < SHORT {
        check
            .warning(
                Code::ADMIN_TOKEN,
                &field.path,
                field.place(),
                format!("this token has {} characters", token.len()),
            )
            .with_cause("whoever guesses it ends every session")
            .with_fix(TOKEN);
    }
    Some(SecretString::from(token.to_string()))
}

/// A cookie key never leaves this process; a token is sent with each request.
pub(super) fn refuse_a_cookie_key(
    root: &Table<'_>,
    admin: Option<&Admin>,
    keys: &Keys<'_>,
    check: &mut Check<'_>,
) {
    let token = admin.and_then(|admin| admin.token.as_ref());
    let field = root.table("admin").and_then(|table| table.field("token"));
    let (Some(token), Some(field)) = (token, field) else {
        return;
    };
    if keys.are_read_from(token.expose_secret()) {
        check
            .wrong(Code::ADMIN_TOKEN, &field, "this is a cookie key, not a token")
            .with_cause(
                "a token travels with each request, and whoever reads this one could open every session",
            )
            .with_fix(TOKEN);
    }
}

impl Admin {
    /// Whether `presented` is the token, in constant time.
    pub(crate) fn is_token(&self, presented: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        self.token
            .as_ref()
            .is_some_and(|token| bool::from(token.expose_secret().as_bytes().ct_eq(presented.as_bytes())))
    }
}

/// As many characters as 128 random bits take in base64.
const SHORT: usize = 22;
const EXAMPLE: &str = "`listen = \"127.0.0.1:9080\"`";
const TOKEN: &str = "take 32 random bytes: cloakroom keys generate --out FILE, and `token = \"file:FILE\"`";

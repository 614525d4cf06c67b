//! `[app.provider]`: the authorization server and our registration there.

use std::ops::RangeInclusive;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use url::Url;

use super::check::Check;
use super::landing::Ground;
use super::origin::is_loopback_host;
use super::path::is_under;
use super::problem::Code;
use super::schema::{Harmless, Key, Kind};
use super::table::{Field, Table, quoted};
use super::{ClientAuth, Origin, Provider, duration, logout, secret};

pub(super) const KEYS: &[Key] = &[
    Key::new("issuer", Kind::Text),
    Key::new("client_id", Kind::Text),
    Key::new("client_secret", Kind::Secret),
    Key::new("client_auth", Kind::Text),
    Key::new("scopes", Kind::Texts),
    Key::new("redirect_uri", Kind::Text),
    Key::new("post_logout_redirect_uri", Kind::Text),
    Key::new("ca_file", Kind::Text),
    Key::new("id_token_alg", Kind::Text),
    Key::new("audience", Kind::Text),
    Key::new("resource", Kind::TextOrTexts),
    Key::new("acr_values", Kind::Texts),
    Key::new("allowed_acr_values", Kind::Texts),
    Key::new("max_age", Kind::Duration),
    Key::new("require_iss", Kind::Flag),
    Key::new("userinfo", Kind::Text),
    Key::new("default_expires_in", Kind::Duration),
    Key::new("logout_mode", Kind::Text),
    Key::new("logout_hint", Kind::Text),
    Key::new("logout_token_typ", Kind::Text),
    Key::new("third_party_login", Kind::Flag),
    Key::later("preset"),
    Key::later_but("profile", Harmless::Text("none")),
    Key::later_but("par", Harmless::Text("auto")),
    Key::later_but("jar", Harmless::Off),
    Key::later_but("response_mode", Harmless::Text("query")),
    Key::later_but("dpop", Harmless::Off),
    Key::later("signing_key"),
    Key::later("signing_alg"),
    Key::later("client_cert"),
    Key::later("client_key"),
    Key::later("authorization_details"),
];

/// Reads `[app.provider]`. `public` are the routes that ask for no session: a redirect URI may lie there.
pub(super) fn read(
    table: &Table<'_>,
    app: &Ground<'_>,
    public: &[&str],
    check: &mut Check<'_>,
) -> Option<Provider> {
    let issuer = table.required(
        "issuer",
        "`issuer = \"https://login.example.com\"`",
        check,
        issuer,
    );
    let client_id = table.required("client_id", "`client_id = \"shop\"`", check, visible);
    let client_secret = table.required(
        "client_secret",
        "`client_secret = \"file:keys/client-secret\"`",
        check,
        client_secret,
    );
    let client_auth = table.or("client_auth", ClientAuth::Basic, check, |field, check| {
        field.choice(check, CLIENT_AUTH, CLIENT_AUTH_LATER)
    });
    let scopes = scopes(table, check);
    let redirect_uri = uri(table, "redirect_uri", "/callback", app, public, check);
    let post_logout_redirect_uri = uri(
        table,
        "post_logout_redirect_uri",
        "/logged-out",
        app,
        public,
        check,
    );
    let ca_pem = table.optional("ca_file", check, ca_file);
    let id_token_alg = table.or("id_token_alg", Algorithm::RS256, check, id_token_alg);
    let audience = table.optional("audience", check, visible);
    let resource = resources(table, check);
    let acr_values = table.each("acr_values", check, word);
    let allowed_acr_values = table.each("allowed_acr_values", check, word);
    let max_age = table.optional("max_age", check, |field, check| {
        duration::read(field, &MAX_AGES, check)
    });
    let userinfo_at_login = table.or("userinfo", false, check, |field, check| {
        field.choice(check, &[("on_demand", false), ("at_login", true)], &[])
    });
    let default_expires_in = table.or("default_expires_in", DEFAULT_EXPIRES_IN, check, |field, check| {
        duration::read(field, &EXPIRES_IN, check)
    });
    let (logout_mode, logout_hint, logout_token_typ) = logout::read(table, check);
    Some(Provider {
        issuer: issuer?,
        client_id: client_id?,
        client_secret: client_secret?,
        client_auth: client_auth?,
        scopes: scopes?,
        redirect_uri: redirect_uri?,
        post_logout_redirect_uri: post_logout_redirect_uri?,
        ca_pem: ca_pem?,
        id_token_alg: id_token_alg?,
        audience: audience?,
        resource: resource?,
        acr_values: acr_values?,
        allowed_acr_values: allowed_acr_values?,
        max_age: max_age?,
        require_iss: table.flag("require_iss", false)?,
        userinfo_at_login: userinfo_at_login?,
        default_expires_in: Some(default_expires_in?),
        logout_mode: logout_mode?,
        logout_hint: logout_hint?,
        logout_token_typ: logout_token_typ?,
        third_party_login: table.flag("third_party_login", false)?,
    })
}

/// RFC 8414 §2: a URL of scheme `https` without query and fragment. Kept byte for byte: it is compared so (D-01).
fn issuer(field: &Field<'_>, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    let cause = match Url::parse(text) {
        _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            "it holds white space or a character outside ASCII"
        }
        Err(_) => "it is not a URL",
        Ok(url) if !matches!(url.scheme(), "https" | "http") || !text.contains("://") => {
            "it does not begin with `https://`"
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            "an issuer has neither query nor fragment (RFC 8414 §2)"
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "an issuer carries no user name or password"
        }
        Ok(url) if url.path().ends_with("/.well-known/openid-configuration") => {
            "this is the address of the metadata: the issuer is what stands before `/.well-known`"
        }
        Ok(url) if url.scheme() == "http" && !url.host_str().is_some_and(is_loopback_host) => {
            check
                .wrong(
                    Code::PLAIN_HTTP,
                    field,
                    "`http` is for issuers on loopback names only",
                )
                .with_cause(
                    "whoever sits on the way would choose the provider's keys and read the client secret",
                )
                .with_fix("write the provider's `https` address");
            return None;
        }
        Ok(_) => return Some(text.into()),
    };
    check
        .wrong(Code::ISSUER, field, format!("{} is not an issuer", quoted(text)))
        .with_cause(cause)
        .with_fix("copy `issuer` from the provider's metadata, every character of it");
    None
}

fn client_secret(field: &Field<'_>, check: &mut Check<'_>) -> Option<SecretString> {
    let secret = secret::read(field, check)?;
    let value = SecretString::from(secret.as_str().to_owned());
    check.client_secrets.push(secret);
    Some(value)
}

/// RFC 6749 appendix A.1: visible characters and spaces.
fn visible(field: &Field<'_>, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    if !text.trim().is_empty() && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Some(text.into());
    }
    check
        .wrong(Code::TEXT, field, "only visible ASCII characters can stand here")
        .with_cause("RFC 6749, appendix A.1")
        .with_fix("copy it from the registration at the provider");
    None
}

/// A word of a space-separated list.
fn word(field: &Field<'_>, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.into());
    }
    check
        .wrong(Code::TEXT, field, format!("{} is not one word", quoted(text)))
        .with_cause("the values are sent as a list separated by spaces")
        .with_fix("make it two elements, or remove the space");
    None
}

fn scopes(table: &Table<'_>, check: &mut Check<'_>) -> Option<Vec<Box<str>>> {
    let Some(field) = table.field("scopes") else {
        return Some(vec![OPENID.into()]);
    };
    let scopes = table.each("scopes", check, scope)?;
    if scopes.iter().any(|scope| **scope == *OPENID) {
        return Some(scopes);
    }
    check
        .wrong(Code::SCOPES, &field, "`scopes` lacks `openid`")
        .with_cause("without it the provider issues no ID token, and nobody would know who signed in")
        .with_fix("write `scopes = [\"openid\", …]`");
    None
}

/// RFC 6749 §3.3.
fn scope(field: &Field<'_>, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    let well_formed = !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    if well_formed {
        return Some(text.into());
    }
    let problem = check.wrong(Code::SCOPES, field, format!("{} is not one scope", quoted(text)));
    if text.contains(' ') {
        problem.with_fix("write each scope as an element of its own: `[\"openid\", \"profile\"]`");
    } else {
        problem.with_cause("RFC 6749 §3.3: visible ASCII characters but `\"` and `\\`");
    }
    None
}

/// A URI registered at the provider, sent byte for byte. `{origin}` and `{agent_path}` stand for the app's own.
fn uri(
    table: &Table<'_>,
    key: &str,
    endpoint: &str,
    app: &Ground<'_>,
    public: &[&str],
    check: &mut Check<'_>,
) -> Option<Box<str>> {
    let own = |template: &str| -> Option<String> {
        Some(
            template
                .replace("{origin}", app.origin?.as_str())
                .replace("{agent_path}", app.agent_path?),
        )
    };
    let Some(field) = table.field(key) else {
        return own(&format!("{{origin}}{{agent_path}}{endpoint}")).map(Into::into);
    };
    let text = own(field.text()?)?;
    let Some(cause) = uri_fault(&text, endpoint, app, public) else {
        return Some(text.into());
    };
    check
        .wrong(
            Code::REDIRECT_URI,
            &field,
            format!("{} cannot be `{key}`", quoted(&text)),
        )
        .with_cause(cause)
        .with_fix(format!(
            "remove it for the default, `{{origin}}{{agent_path}}{endpoint}`, or name a page of the SPA"
        ));
    None
}

fn uri_fault(text: &str, endpoint: &str, app: &Ground<'_>, public: &[&str]) -> Option<String> {
    let fault = |text: &str| Some(text.to_owned());
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
        return fault("it holds white space, a backslash or a character outside ASCII");
    }
    if text.contains(['{', '}']) {
        return fault("only `{origin}` and `{agent_path}` are replaced");
    }
    let Ok(url) = Url::parse(text) else {
        return fault("it is not an absolute URL");
    };
    if text.contains('#') {
        return fault("a redirect URI has no fragment (RFC 6749 §3.1.2)");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return fault("it carries a user name or password");
    }
    let at = url.origin().ascii_serialization();
    let is = |origin: &Origin| origin.as_str() == at;
    let own = app.origin.is_some_and(is);
    if !own && !app.allowed.iter().any(is) {
        return fault("its origin is neither the app's `origin` nor one of `allowed_origins`");
    }
    if own && app.agent_path.is_some_and(|agent| is_under(url.path(), agent)) {
        let expected = format!("{}{endpoint}", app.agent_path.unwrap_or_default());
        return (url.path() != expected).then(|| format!("the agent answers at `{expected}` only"));
    }
    let longest = app
        .routes
        .iter()
        .filter(|route| own && is_under(url.path(), route))
        .max_by_key(|route| route.len());
    match longest {
        Some(route) if !public.contains(&&**route) => fault(
            "it lies under a route that asks for a session: the answer of the provider would be refused",
        ),
        _ => None,
    }
}

fn ca_file(field: &Field<'_>, check: &mut Check<'_>) -> Option<Vec<u8>> {
    let text = field.text()?;
    let cause = match std::fs::read(secret::beside(check, text)) {
        Ok(pem) if String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") => return Some(pem),
        Ok(_) => "it holds no `-----BEGIN CERTIFICATE-----`".to_owned(),
        Err(error) => error.to_string(),
    };
    check
        .wrong(
            Code::NAMED_FILE,
            field,
            format!("{} is not a file of PEM certificates", quoted(text)),
        )
        .with_cause(cause)
        .with_fix("relative paths start at the folder of the configuration file");
    None
}

/// T-05: one algorithm, asymmetric. `none` and HMAC with the client secret are not among them.
fn id_token_alg(field: &Field<'_>, check: &mut Check<'_>) -> Option<Algorithm> {
    let text = field.text()?;
    if let Some((_, algorithm)) = ALGORITHMS.iter().find(|(name, _)| *name == text) {
        return Some(*algorithm);
    }
    let cause = if text.eq_ignore_ascii_case("none") {
        "an unsigned ID token says nothing: anyone can write one"
    } else if text.starts_with("HS") {
        "with HMAC whoever holds the client secret could write ID tokens"
    } else {
        "it is not a supported signature algorithm"
    };
    let names: Vec<_> = ALGORITHMS.iter().map(|(name, _)| *name).collect();
    check
        .wrong(
            Code::ID_TOKEN_ALG,
            field,
            format!("ID tokens signed with {} are refused", quoted(text)),
        )
        .with_cause(cause)
        .with_fix(format!("register one of {} at the provider", names.join(", ")));
    None
}

/// RFC 8707 §2: absolute URIs without fragment.
fn resources(table: &Table<'_>, check: &mut Check<'_>) -> Option<Vec<Box<str>>> {
    let Some(field) = table.field("resource") else {
        return Some(Vec::new());
    };
    if field.is_list() {
        table.each("resource", check, resource)
    } else {
        resource(&field, check).map(|one| vec![one])
    }
}

fn resource(field: &Field<'_>, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    if Url::parse(text).is_ok() && !text.contains('#') && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.into());
    }
    check
        .wrong(
            Code::TEXT,
            field,
            format!("{} is not an absolute URI without fragment", quoted(text)),
        )
        .with_cause("RFC 8707 §2")
        .with_fix("write it as `\"https://api.example.com\"`");
    None
}

/// As the configuration writes it.
pub(super) fn algorithm_name(algorithm: Algorithm) -> &'static str {
    ALGORITHMS
        .iter()
        .find(|(_, known)| *known == algorithm)
        .map_or("none", |(name, _)| name)
}

const OPENID: &str = "openid";

const CLIENT_AUTH: &[(&str, ClientAuth)] = &[
    ("client_secret_basic", ClientAuth::Basic),
    ("client_secret_post", ClientAuth::Post),
];

const CLIENT_AUTH_LATER: &[&str] = &[
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
];

const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// Zero is a value of its own: sign in anew each time (OpenID Connect Core §3.1.2.1).
const MAX_AGES: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(400 * 86_400);

const DEFAULT_EXPIRES_IN: Duration = Duration::from_secs(60 * 60);
const EXPIRES_IN: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(400 * 86_400);

//! Every key of a checked configuration with its value, table by table, in the order of the manual: what `config show` shows
//! and what a reload compares.
//!
//! Each struct is taken apart by name: a key that is new does not compile until somebody has said here how it is shown, and
//! then it is shown and compared.

use secrecy::ExposeSecret as _;
use toml::Value;
use zeroize::Zeroizing;

use super::{
    Admin, App, CookieKey, Provider, RedisUrl, Route, Server, Session, SpaFiles, StoreKind, duration,
    provider, size,
};

/// The keys of one table.
pub(super) type Entries = Vec<(&'static str, Entry)>;

/// What a key holds.
#[derive(PartialEq)]
pub(super) enum Entry {
    /// Nothing, and nothing stands in for it.
    Unset,
    /// A value that everybody may see.
    Plain(Value),
    /// A secret: compared, never shown.
    Secret(Zeroizing<Vec<u8>>),
    /// The cookie keys, in their order: compared, and named by their ids.
    Keys(Vec<Ring>),
    /// What a file holds: compared; what is shown is its name.
    File(Option<Vec<u8>>),
    /// An address that may hold credentials: compared; what is shown of it is the rest.
    Url(RedisUrl),
    /// A permission that the file gives; what it permits is in another value.
    Written,
}

/// One cookie key of the ring.
pub(super) struct Ring(CookieKey);

impl PartialEq for Ring {
    fn eq(&self, other: &Self) -> bool {
        *self.0.0 == *other.0.0
    }
}

impl Ring {
    /// As the clear part of every sealed value has it, in hex.
    pub(super) fn id(&self) -> String {
        self.0.id()
    }
}

pub(super) fn of_server(server: &Server) -> Entries {
    let Server {
        listen,
        trusted_proxies,
        max_header_bytes,
    } = server;
    vec![
        ("listen", text(listen)),
        ("trusted_proxies", texts(trusted_proxies)),
        ("max_header_bytes", bytes(*max_header_bytes as u64)),
    ]
}

/// Unset, all of it, where there is no such listener.
pub(super) fn of_admin(admin: Option<&Admin>) -> Entries {
    let Some(Admin {
        listen,
        insecure_http: _,
        token,
    }) = admin
    else {
        return ["listen", "token", "insecure_http"]
            .map(|key| (key, Entry::Unset))
            .into();
    };
    vec![
        ("listen", text(listen)),
        (
            "token",
            maybe(token.as_ref(), |token| {
                Entry::Secret(Zeroizing::new(token.expose_secret().as_bytes().to_vec()))
            }),
        ),
        ("insecure_http", Entry::Written),
    ]
}

pub(super) fn of_keys(keys: &[CookieKey]) -> Entries {
    let ring = keys.iter().cloned().map(Ring).collect();
    vec![("cookie", Entry::Keys(ring))]
}

pub(super) fn of_store(kind: &StoreKind) -> Entries {
    let (word, file, redis) = match kind {
        StoreKind::Memory { file } => ("memory", file.as_deref(), None),
        StoreKind::Redis(redis) => ("redis", None, Some(redis)),
        StoreKind::None => ("none", None, None),
    };
    vec![
        ("kind", text(word)),
        ("file", maybe(file, |file| text(&file.display()))),
        ("url", maybe(redis, |redis| Entry::Url(redis.url.clone()))),
        ("insecure", maybe(redis, |_| Entry::Written)),
        ("prefix", maybe(redis, |redis| text(&redis.prefix))),
        ("grace", maybe(redis, |redis| time(redis.grace))),
    ]
}

/// What is no table of its own.
pub(super) fn of_app(app: &App) -> Entries {
    let App {
        id,
        origin,
        spa_origin,
        agent_path,
        allowed_origins,
        error_path,
        post_logout_path,
        spa,
        provider: _,
        session: _,
        routes: _,
    } = app;
    vec![
        ("id", text(id.as_str())),
        ("origin", text(origin)),
        ("spa_origin", text(spa_origin)),
        ("agent_path", text(agent_path)),
        ("allowed_origins", texts(allowed_origins)),
        ("error_path", text(error_path)),
        ("post_logout_path", text(post_logout_path)),
        (
            "spa",
            match spa {
                Some(SpaFiles::Dir(dir)) => {
                    let dir = Value::from(dir.display().to_string());
                    Entry::Plain(toml::Table::from_iter([("dir".to_owned(), dir)]).into())
                }
                // No file can say the latter.
                None | Some(SpaFiles::Bundled) => Entry::Unset,
            },
        ),
    ]
}

pub(super) fn of_provider(provider: &Provider) -> Entries {
    let Provider {
        issuer,
        client_id,
        client_secret,
        client_auth,
        scopes,
        redirect_uri,
        post_logout_redirect_uri,
        ca_pem,
        id_token_alg,
        audience,
        resource,
        acr_values,
        allowed_acr_values,
        max_age,
        require_iss,
        userinfo_at_login,
        default_expires_in,
        logout_mode,
        logout_hint,
        logout_token_typ,
        third_party_login,
    } = provider;
    let secret = client_secret.expose_secret().as_bytes();
    vec![
        ("issuer", text(issuer)),
        ("client_id", text(client_id)),
        ("client_secret", Entry::Secret(Zeroizing::new(secret.to_vec()))),
        ("client_auth", text(client_auth.as_str())),
        ("scopes", texts(scopes)),
        ("redirect_uri", text(redirect_uri)),
        ("post_logout_redirect_uri", text(post_logout_redirect_uri)),
        ("ca_file", Entry::File(ca_pem.clone())),
        ("id_token_alg", text(provider::algorithm_name(*id_token_alg))),
        ("audience", maybe(audience.as_ref(), text)),
        ("resource", texts(resource)),
        ("acr_values", texts(acr_values)),
        ("allowed_acr_values", texts(allowed_acr_values)),
        ("max_age", maybe(*max_age, time)),
        ("require_iss", flag(*require_iss)),
        ("userinfo", either(*userinfo_at_login, "at_login", "on_demand")),
        ("default_expires_in", maybe(*default_expires_in, time)),
        ("logout_mode", text(logout_mode.as_str())),
        ("logout_hint", text(logout_hint.as_str())),
        ("logout_token_typ", text(logout_token_typ.as_str())),
        ("third_party_login", flag(*third_party_login)),
    ]
}

pub(super) fn of_session(session: &Session) -> Entries {
    let Session {
        idle_timeout,
        absolute_timeout,
        refresh,
        persistent,
        cookie_budget,
        claims,
        mode,
    } = session;
    vec![
        ("idle_timeout", time(*idle_timeout)),
        ("absolute_timeout", time(*absolute_timeout)),
        ("refresh", text(refresh.as_str())),
        ("persistent", flag(*persistent)),
        ("cookie_budget", bytes(*cookie_budget as u64)),
        ("claims", maybe(claims.as_deref(), texts)),
        ("mode", text(mode.as_str())),
    ]
}

pub(super) fn of_route(route: &Route) -> Entries {
    let Route {
        path,
        upstream,
        methods,
        strip_path,
        session,
        token,
        csrf,
        drop_cookies,
        drop_headers,
        pass_encoded_slash,
        timeout,
        stream_idle_timeout,
        connect_timeout,
        max_body,
    } = route;
    vec![
        ("path", text(path)),
        ("upstream", text(upstream)),
        ("insecure_http", Entry::Written),
        ("methods", maybe(methods.as_deref(), texts)),
        ("strip_path", flag(*strip_path)),
        ("session", text(session.as_str())),
        ("token", text(token.as_str())),
        ("csrf", text(csrf.as_str())),
        ("drop_cookies", flag(*drop_cookies)),
        ("drop_headers", texts(drop_headers)),
        ("encoded_slash", either(*pass_encoded_slash, "pass", "refuse")),
        ("timeout", time(*timeout)),
        ("stream_idle_timeout", time(*stream_idle_timeout)),
        ("connect_timeout", time(*connect_timeout)),
        ("max_body", bytes(*max_body)),
    ]
}

fn text(value: &(impl ToString + ?Sized)) -> Entry {
    Entry::Plain(value.to_string().into())
}

fn texts<T: ToString>(values: &[T]) -> Entry {
    let all = values.iter().map(|value| Value::from(value.to_string()));
    Entry::Plain(Value::Array(all.collect()))
}

fn flag(value: bool) -> Entry {
    Entry::Plain(value.into())
}

fn either(value: bool, yes: &str, no: &str) -> Entry {
    text(if value { yes } else { no })
}

fn time(value: std::time::Duration) -> Entry {
    text(&duration::write(value))
}

fn bytes(value: u64) -> Entry {
    text(&size::write(value))
}

fn maybe<T>(value: Option<T>, entry: impl FnOnce(T) -> Entry) -> Entry {
    value.map_or(Entry::Unset, entry)
}

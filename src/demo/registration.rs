//! How the demo's parts know each other: the client registered at the provider, and the configuration that a person
//! would write into `config.toml` for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;
use zeroize::Zeroizing;

use super::ports::Taken;
use super::provider::Client;
use crate::config::{
    App, AppId, ClientAuth, Config, CookieKey, CsrfRule, LogoutHint, LogoutMode, Origin, Provider,
    RefreshMode, Route, Server, Session, SessionNeed, SpaFiles, StoreKind, TokenKind, Upstream,
};
use crate::random::Random;

/// The client, with a new secret, for both of the SPA's origins.
pub(super) fn client(spa: u16, random: &dyn Random) -> Client {
    let at = |path: &str| {
        ORIGINS
            .map(|(_, host)| format!("http://{host}:{spa}{AGENT_PATH}/{path}"))
            .to_vec()
    };
    Client {
        id: "cloakroom-demo",
        secret: SecretString::from(random.token()),
        redirect_uris: at("callback"),
        post_logout_redirect_uris: at("logged-out"),
    }
}

/// The whole configuration; `None` would be a mistake in this file.
pub(super) fn config(
    spa: &Taken,
    api: &Taken,
    provider: &Taken,
    client: &Client,
    random: &dyn Random,
) -> Option<Config> {
    let issuer = format!("http://127.0.0.1:{}", provider.number);
    let upstream = Upstream::from_url(&Url::parse(&format!("http://127.0.0.1:{}", api.number)).ok()?)?;
    let mut apps = Vec::new();
    for (id, host) in ORIGINS {
        let origin = Origin::parse(&format!("http://{host}:{}", spa.number))?;
        apps.push(Arc::new(App {
            id: AppId(id.into()),
            spa_origin: origin.clone(),
            agent_path: AGENT_PATH.into(),
            allowed_origins: Vec::new(),
            error_path: "/".into(),
            post_logout_path: "/".into(),
            spa: Some(SpaFiles::Bundled),
            provider: registration(&issuer, client, &origin),
            session: session(),
            routes: ["/api/echo", "/api/orders"]
                .map(|path| Arc::new(route(path, &upstream)))
                .to_vec(),
            origin,
        }));
    }
    Some(Config {
        server: Server {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, spa.number)),
            trusted_proxies: Vec::new(),
            max_header_bytes: 32 * 1024,
        },
        keys: vec![CookieKey(Arc::new(Zeroizing::new(random.bytes())))],
        store: StoreKind::Memory,
        apps,
    })
}

fn registration(issuer: &str, client: &Client, origin: &Origin) -> Provider {
    Provider {
        issuer: issuer.into(),
        client_id: client.id.into(),
        client_secret: client.secret.clone(),
        client_auth: ClientAuth::Basic,
        scopes: ["openid", "profile", "email"].map(Into::into).to_vec(),
        redirect_uri: format!("{origin}{AGENT_PATH}/callback").into(),
        post_logout_redirect_uri: format!("{origin}{AGENT_PATH}/logged-out").into(),
        ca_pem: None,
        id_token_alg: super::provider::ALGORITHM,
        audience: None,
        resource: Vec::new(),
        acr_values: Vec::new(),
        allowed_acr_values: Vec::new(),
        max_age: None,
        require_iss: true,
        userinfo_at_login: false,
        default_expires_in: None,
        logout_mode: LogoutMode::Oidc,
        logout_hint: LogoutHint::IdToken,
        third_party_login: false,
    }
}

fn session() -> Session {
    Session {
        idle_timeout: Duration::from_secs(30 * 60),
        absolute_timeout: Duration::from_secs(12 * 60 * 60),
        refresh: RefreshMode::Inline,
        persistent: false,
        cookie_budget: 7 * 1024,
        claims: None,
    }
}

fn route(path: &str, upstream: &Upstream) -> Route {
    Route {
        path: path.into(),
        upstream: upstream.clone(),
        methods: None,
        strip_path: false,
        session: SessionNeed::Required,
        token: TokenKind::Access,
        csrf: CsrfRule::Header,
        drop_cookies: false,
        drop_headers: Vec::new(),
        pass_encoded_slash: false,
        timeout: Duration::from_secs(30),
        stream_idle_timeout: Duration::from_secs(60),
        connect_timeout: Duration::from_secs(5),
        max_body: 10 * 1024 * 1024,
    }
}

/// App id and host name of the SPA's two origins; the first is the one to open.
const ORIGINS: [(&str, &str); 2] = [("demo", "localhost"), ("demo-ip", "127.0.0.1")];
const AGENT_PATH: &str = "/oauth-agent";

//! An app to ask about, for the tests of this and neighbouring modules.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{App, AppId, ClientAuth, LogoutHint, LogoutMode, Origin, Provider, RefreshMode, Session};

/// An app at `https://shop.example.com` whose SPA also lives at `https://www.example.com`.
pub(crate) fn app() -> App {
    let origin = Origin::parse("https://shop.example.com").unwrap();
    App {
        id: AppId(Arc::from("shop")),
        spa_origin: origin.clone(),
        allowed_origins: vec![Origin::parse("https://www.example.com").unwrap()],
        origin,
        agent_path: "/oauth-agent".into(),
        error_path: "/".into(),
        post_logout_path: "/".into(),
        spa: None,
        provider: Provider {
            issuer: "https://login.example.com".into(),
            client_id: "shop".into(),
            client_secret: "hush".to_owned().into(),
            client_auth: ClientAuth::Basic,
            scopes: vec!["openid".into()],
            redirect_uri: "https://shop.example.com/oauth-agent/callback".into(),
            post_logout_redirect_uri: "https://shop.example.com/oauth-agent/logged-out".into(),
            ca_pem: None,
            id_token_alg: jsonwebtoken::Algorithm::RS256,
            audience: None,
            resource: Vec::new(),
            acr_values: Vec::new(),
            allowed_acr_values: Vec::new(),
            max_age: None,
            require_iss: false,
            userinfo_at_login: false,
            default_expires_in: None,
            logout_mode: LogoutMode::Local,
            logout_hint: LogoutHint::IdToken,
            third_party_login: false,
        },
        session: Session {
            idle_timeout: Duration::from_secs(1800),
            absolute_timeout: Duration::from_secs(43_200),
            refresh: RefreshMode::Inline,
            persistent: false,
            cookie_budget: 7 * 1024,
            claims: None,
        },
        routes: Vec::new(),
    }
}

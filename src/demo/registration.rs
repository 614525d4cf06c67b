//! How the demo's parts know each other: the client registered at the provider, and the configuration that a person
//! would write into `config.toml` for it.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::ports::Taken;
use super::provider::Client;
use crate::config::{Config, Problems, SpaFiles, Variables};
use crate::random::Random;

/// The client, with a new secret, for both of the SPA's origins.
pub(super) fn client(spa: u16, random: &dyn Random) -> Client {
    let at = |path: &str| {
        HOSTS
            .map(|(_, host)| format!("{}{AGENT_PATH}/{path}", origin(host, spa)))
            .to_vec()
    };
    Client {
        id: "cloakroom-demo",
        secret: SecretString::from(random.token()),
        redirect_uris: at("callback"),
        post_logout_redirect_uris: at("logged-out"),
        // One for both: they have one client and one store.
        backchannel_logout_uri: format!("{}{AGENT_PATH}/backchannel-logout", origin(HOSTS[0].1, spa)),
    }
}

/// The whole configuration, with a new cookie key.
///
/// # Errors
/// A mistake in this file.
pub(super) fn config(
    spa: &Taken,
    api: &Taken,
    provider: &Taken,
    client: &Client,
    random: &dyn Random,
) -> Result<Config, Problems> {
    let apps = HOSTS.map(|(id, host)| {
        format!(
            r#"
[[app]]
id = "{id}"
origin = "{origin}"
agent_path = "{AGENT_PATH}"
[app.provider]
issuer = "http://127.0.0.1:{provider}"
client_id = "{client}"
client_secret = "env:CLIENT_SECRET"
scopes = ["openid", "profile", "email"]
id_token_alg = "ES256"
require_iss = true
[[app.route]]
path = "/api/echo"
upstream = "http://127.0.0.1:{api}"
[[app.route]]
path = "/api/orders"
upstream = "http://127.0.0.1:{api}"
[[app.route]]
path = "/api/stage"
upstream = "http://127.0.0.1:{api}"
session = "none"
[[app.route]]
path = "/api/stage/expire"
upstream = "http://127.0.0.1:{api}"
"#,
            origin = origin(host, spa.number),
            provider = provider.number,
            client = client.id,
            api = api.number,
        )
    });
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:{spa}"
[keys]
cookie = ["env:COOKIE_KEY"]
{apps}"#,
        spa = spa.number,
        apps = apps.concat(),
    );
    let variables = Variables::from_iter([
        ("CLIENT_SECRET", client.secret.expose_secret()),
        ("COOKIE_KEY", &STANDARD.encode(random.bytes::<32>())),
    ]);
    let mut config = Config::parse(&text, "the demo's own configuration", Path::new(""), &variables)?;
    for app in &mut config.apps {
        // Its files are in this binary, which no configuration can name.
        Arc::make_mut(app).spa = Some(SpaFiles::Bundled);
    }
    Ok(config)
}

/// The SPA's origins.
pub(super) fn origins(spa: u16) -> [String; 2] {
    HOSTS.map(|(_, host)| origin(host, spa))
}

/// As browsers write it: without the default port.
fn origin(host: &str, port: u16) -> String {
    match port {
        80 => format!("http://{host}"),
        port => format!("http://{host}:{port}"),
    }
}

/// App id and host name of the SPA's two origins; the first is the one to open.
const HOSTS: [(&str, &str); 2] = [("demo", "localhost"), ("demo-ip", "127.0.0.1")];
const AGENT_PATH: &str = "/oauth-agent";

#[cfg(test)]
mod tests;

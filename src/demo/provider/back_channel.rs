//! Back-channel logout (OpenID Connect Back-Channel Logout §2.5): whoever signs out here is signed out of every app of the
//! client, in every browser window of the two origins.

use std::time::Duration;

use serde_json::json;
use url::form_urlencoded::Serializer;

use super::DemoProvider;

impl DemoProvider {
    /// Sends the client a logout token for each of these sessions, behind the answer's back: nobody's logout waits for it.
    pub(super) fn tell_client(&self, ended: impl IntoIterator<Item = String>) {
        for sid in ended {
            let Some(token) = self.logout_token(&sid) else {
                continue;
            };
            let address = self.client.backchannel_logout_uri.clone();
            tokio::spawn(async move {
                if let Err(error) = send(&address, &token).await {
                    tracing::warn!(error = %error.without_url(), "the demo's client was not told of a logout");
                }
            });
        }
    }

    /// §2.4.
    fn logout_token(&self, sid: &str) -> Option<String> {
        let now = self.now().as_secs();
        let claims = json!({
            "iss": self.issuer, "aud": self.client.id, "iat": now, "exp": now + LOGOUT_TOKEN_SECONDS,
            "jti": self.random.token(), "sid": sid,
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        self.key.sign("logout+jwt", &claims).ok()
    }
}

async fn send(address: &str, token: &str) -> Result<(), reqwest::Error> {
    // The client is on loopback, by http: nothing has to be trusted for that.
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([])
        .timeout(PATIENCE)
        .build()?;
    let form = Serializer::new(String::new())
        .append_pair("logout_token", token)
        .finish();
    client
        .post(address)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await?
        .error_for_status()?;
    Ok(())
}

const LOGOUT_TOKEN_SECONDS: u64 = 120;
const PATIENCE: Duration = Duration::from_secs(5);

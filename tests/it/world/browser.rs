//! A browser: one jar, one page of the app open, fetches as script makes them and navigations as people make them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::jar::{From, Jar};
use super::provider::Provider;

/// One browser. Clones share the jar, as tabs do.
#[derive(Clone)]
pub struct Browser {
    origin: String,
    client: reqwest::Client,
    jar: Arc<Mutex<Jar>>,
    /// The process that is asked, where it is not the one that `origin` leads to.
    process: Option<SocketAddr>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The only field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).into_iter();
        let first = all.next()?.to_str().ok();
        assert!(all.next().is_none(), "{name} stands there twice");
        first
    }

    /// The code of a refusal; header and body must agree (contract §6).
    pub fn code(&self) -> Option<String> {
        let code = self.header("token-handler-error")?.to_owned();
        if !self.body.is_empty() {
            assert_eq!(self.json()["error_code"], code.as_str(), "{self:?}");
        }
        Some(code)
    }

    pub fn location(&self) -> &str {
        self.header("location").expect("no Location")
    }

    /// A parameter of the `Location`.
    pub fn location_parameter(&self, name: &str) -> Option<String> {
        let base = Url::parse("http://relative.invalid").unwrap();
        let url = base.join(self.location()).unwrap();
        url.query_pairs()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Every `Set-Cookie` field.
    pub fn set_cookies(&self) -> Vec<String> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .map(|field| field.to_str().unwrap().to_owned())
            .collect()
    }
}

/// A request that is being put together.
pub struct Request<'a> {
    browser: &'a Browser,
    method: Method,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    from: From,
}

impl Browser {
    /// `origin` is the app's; its host resolves to loopback here, as in every browser.
    pub fn new(origin: &str) -> Self {
        let url = Url::parse(origin).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], url.port().unwrap()));
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .resolve(url.host_str().unwrap(), address)
            .build()
            .unwrap();
        Self {
            origin: origin.to_owned(),
            client,
            jar: Arc::default(),
            process: None,
        }
    }

    /// Somebody else's browser behind the same connections, as a proxy has them.
    pub fn stranger(&self) -> Self {
        Self {
            jar: Arc::default(),
            ..self.clone()
        }
    }

    /// The same browser, jar and all, where a load balancer leads its requests to another process.
    pub fn by_way_of(&self, process: SocketAddr) -> Self {
        Self {
            process: Some(process),
            ..self.clone()
        }
    }

    /// A `fetch` by script of the app's own page, with the custom header.
    pub fn fetch(&self, method: Method, path: &str) -> Request<'_> {
        let request = Request::new(self, method.clone(), path, From::SameSite)
            .header("token-handler-version", "1")
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty");
        if method == Method::GET || method == Method::HEAD {
            request
        } else {
            request.header("origin", &self.origin)
        }
    }

    /// A request of somebody who is no browser: nothing but what the test adds.
    pub fn bare(&self, method: Method, path: &str) -> Request<'_> {
        Request::new(self, method, path, From::SameSite)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.fetch(Method::GET, path).send().await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.fetch(Method::POST, path).json(body).send().await
    }

    /// A navigation typed or clicked on the app's own page.
    pub fn visit(&self, path: &str) -> Request<'_> {
        Request::new(self, Method::GET, path, From::SameSite)
            .header("accept", "text/html,application/xhtml+xml")
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
    }

    /// A navigation that another site caused, as a provider's redirect does.
    pub fn arrive(&self, path: &str) -> Request<'_> {
        Request::new(self, Method::GET, path, From::CrossSiteNavigation)
            .header("accept", "text/html,application/xhtml+xml")
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
    }

    /// `POST login/start`, and nothing more: where the provider is.
    pub async fn start_login(&self, body: &Value) -> String {
        let started = self.post("/oauth-agent/login/start", body).await;
        assert_eq!(started.status, 200, "{started:?}");
        started.json()["authorization_url"].as_str().unwrap().to_owned()
    }

    /// Comes back from the provider to `url`.
    pub async fn come_back(&self, url: &str) -> Reply {
        let path = url
            .strip_prefix(&self.origin)
            .unwrap_or_else(|| panic!("{url} is not on {}", self.origin));
        self.arrive(path).send().await
    }

    /// The whole login, as alice; the callback's answer.
    pub async fn sign_in(&self, provider: &Provider) -> Reply {
        let back = provider.approve(&self.start_login(&serde_json::json!({})).await);
        let landed = self.come_back(&back).await;
        assert_eq!(landed.status, 303, "{landed:?}");
        assert!(landed.location_parameter("login_error").is_none(), "{landed:?}");
        landed
    }

    /// `GET session`.
    pub async fn session(&self) -> Value {
        let reply = self.get("/oauth-agent/session").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    pub async fn is_signed_in(&self) -> bool {
        self.session().await["is_logged_in"].as_bool().unwrap()
    }

    /// The jar, for looking and for tampering.
    pub fn jar(&self) -> std::sync::MutexGuard<'_, Jar> {
        self.jar.lock().unwrap()
    }

    /// Another browser whose jar begins as a copy of this one's: a thief's, or a backup's.
    pub fn copy(&self) -> Self {
        Self {
            jar: Arc::new(Mutex::new(self.jar().clone())),
            ..self.clone()
        }
    }
}

impl<'a> Request<'a> {
    fn new(browser: &'a Browser, method: Method, path: &str, from: From) -> Self {
        Self {
            browser,
            method,
            path: path.to_owned(),
            headers: BTreeMap::new(),
            body: Vec::new(),
            from,
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Leaves a field out that would be sent otherwise.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    pub async fn send(self) -> Reply {
        self.try_send().await.unwrap()
    }

    /// An error where the process at the other end is gone.
    pub async fn try_send(self) -> Result<Reply, reqwest::Error> {
        let url = format!("{}{}", self.browser.origin, self.path);
        let path = Url::parse(&url).unwrap().path().to_owned();
        let mut request = match self.browser.process {
            None => self.browser.client.request(self.method, &url),
            Some(process) => {
                let host = self.browser.origin.trim_start_matches("http://");
                let url = format!("http://{process}{}", self.path);
                self.browser.client.request(self.method, url).header("host", host)
            }
        };
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if let Some(cookies) = self.browser.jar().header(&path, self.from) {
            request = request.header("cookie", cookies);
        }
        let response = request.body(self.body).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        for field in headers.get_all("set-cookie") {
            self.browser.jar().take(field.to_str().unwrap());
        }
        let body = response.bytes().await?.to_vec();
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}

/// A parameter of an authorization request or of a callback.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

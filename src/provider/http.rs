//! The one client of the back channel.
//!
//! 1. No redirects: an answer comes from the address that metadata (or the operator) named, or it is refused (D-04).
//! 2. https, or http towards a loopback name where the issuer is one itself; metadata of a public issuer cannot point
//!    us at a service on our own machine (attack 175).
//! 3. Three seconds to connect, ten for the whole, one mebibyte for a body: read piece by piece and cut (attack 181).
//! 4. `localhost` and `*.localhost` are loopback, without asking anybody (RFC 6761 §6.3): many a system resolver does not
//!    know them.
//! 5. No proxy from the environment: the way of the tokens is not decided by a variable.
//! 6. Not reached, too slow, 5xx, 408, 429: [`ProviderError::Unavailable`]. Anything else that does not check out:
//!    [`ProviderError::Invalid`].
//!
//! Trusts the system's certificate store plus `ca_file`. There is no switch to skip verification (D-03).

use std::error::Error;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use crate::config::{self, is_loopback_host};

use super::ProviderError;

/// The client of one provider.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    loopback: bool,
    max_body: usize,
}

/// How long and how much. Only tests use others than the default.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Until the connection stands.
    pub(super) connect: Duration,
    /// Until the last byte of the answer.
    pub(super) total: Duration,
    /// Bytes of a body.
    pub(super) max_body: usize,
    /// Between a failed fetch and the next one; before the second attempt of a revocation.
    pub(super) pause: Duration,
    /// For a newer version of a document whose older one still serves.
    pub(super) patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            total: Duration::from_secs(10),
            max_body: 1024 * 1024,
            pause: Duration::from_secs(1),
            patience: Duration::from_secs(2),
        }
    }
}

impl Http {
    /// Sets up TLS; contacts nobody.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] when `ca_file` holds no certificate, or when there is nothing at all to trust.
    pub(super) fn new(config: &config::Provider, limits: Limits) -> Result<Self, ProviderError> {
        let loopback =
            Url::parse(&config.issuer).is_ok_and(|issuer| issuer.host_str().is_some_and(is_loopback_host));
        let roots = match &config.ca_pem {
            None => Vec::new(),
            Some(pem) => reqwest::Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|roots| !roots.is_empty())
                .ok_or_else(|| invalid("ca_file: holds no certificate"))?,
        };
        let builder = || {
            reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .connect_timeout(limits.connect)
                .timeout(limits.total)
                .pool_idle_timeout(POOL_IDLE)
                .dns_resolver(LoopbackNames)
        };
        let client = match builder().tls_certs_merge(roots).build() {
            // A container without a certificate store can still talk to a provider on its own loopback: then
            // nothing is trusted, and https fails closed.
            Err(_) if loopback && config.ca_pem.is_none() => builder().tls_certs_only([]).build(),
            built => built,
        };
        Ok(Self {
            client: client.map_err(|error| invalid(format!("TLS cannot be set up: {}", describe(&error))))?,
            loopback,
            max_body: limits.max_body,
        })
    }

    /// Whether `url` may be spoken to: rule 2, and neither credentials nor a fragment in it.
    pub(super) fn permits(&self, url: &Url) -> bool {
        let scheme = match url.scheme() {
            "https" => true,
            "http" => self.loopback && url.host_str().is_some_and(is_loopback_host),
            _ => false,
        };
        scheme
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    }

    /// Sends a request and reads the whole answer. What comes back is 2xx, or 4xx but 408 and 429.
    ///
    /// # Errors
    /// Rule 6.
    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ProviderError> {
        let request =
            reqwest::Request::try_from(request).map_err(|_| invalid("the endpoint is not a usable URL"))?;
        if !self.permits(request.url()) {
            return Err(invalid("the endpoint is neither https nor on loopback"));
        }
        let mut answer = self.client.execute(request).await.map_err(classify)?;
        let status = answer.status();
        let later = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        );
        if status.is_server_error() || later {
            return Err(ProviderError::Unavailable(
                format!("it answered {}", status.as_u16()).into(),
            ));
        }
        if !status.is_success() && !status.is_client_error() {
            return Err(invalid(format!("it answered {}", status.as_u16())));
        }
        let body = self.read(&mut answer).await?;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        Ok(response)
    }

    /// Gets a JSON document: the body of a 200.
    ///
    /// # Errors
    /// As [`Self::send`]; any other status is [`ProviderError::Invalid`].
    pub(super) async fn get(&self, url: &Url) -> Result<Vec<u8>, ProviderError> {
        let request = Request::get(url.as_str())
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|_| invalid("the endpoint is not a usable URL"))?;
        let response = self.send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(invalid(format!("it answered {}", response.status().as_u16())));
        }
        Ok(response.into_body())
    }

    async fn read(&self, answer: &mut reqwest::Response) -> Result<Vec<u8>, ProviderError> {
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(classify)? {
            if piece.len() > self.max_body.saturating_sub(body.len()) {
                return Err(invalid(format!("it answered more than {} bytes", self.max_body)));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

/// Resolves loopback names itself and asks the system about all others. Addresses never come here.
#[derive(Debug)]
struct LoopbackNames;

impl Resolve for LoopbackNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = if is_loopback_host(name.as_str()) {
                vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]
            } else {
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect()
            };
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn classify(error: reqwest::Error) -> ProviderError {
    let error = error.without_url();
    let broken = error.is_builder()
        || causes(&error).any(|cause| {
            cause
                .downcast_ref::<hyper::Error>()
                .is_some_and(hyper::Error::is_parse)
        });
    if broken {
        invalid(format!("not HTTP: {}", describe(&error)))
    } else {
        ProviderError::Unavailable(describe(&error).into())
    }
}

/// The error with its causes: `error sending request: client error (Connect): invalid peer certificate: Expired`. It
/// names no URL, header or body.
fn describe(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    for cause in causes(error) {
        // Writing to a `String` cannot fail.
        let _ = write!(text, ": {cause}");
    }
    text
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

fn invalid(text: impl Into<std::borrow::Cow<'static, str>>) -> ProviderError {
    ProviderError::Invalid(text.into())
}

const USER_AGENT: &str = concat!("cloakroom/", env!("CARGO_PKG_VERSION"));

/// Shorter than the five seconds after which many servers close an idle connection: a refresh token must not be sent
/// into a connection that is just being closed, for then nobody knows whether it was used.
const POOL_IDLE: Duration = Duration::from_secs(4);

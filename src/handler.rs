//! The map: checked configuration → parts → one function from request to answer.

use std::net::IpAddr;
use std::sync::Arc;

use http::{Request, Response};

use crate::body::{RequestBody, ResponseBody};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::random::{OsRandom, Random};
use crate::store::Store;

/// The whole of Cloakroom behind one function. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TokenHandler {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {}

/// The impurities and shared state a [`TokenHandler`] is given; tests pass their own.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Shared state; `None` = what `[store]` says.
    pub store: Option<Arc<dyn Store>>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            store: None,
        }
    }
}

/// A checked configuration that still cannot be served (a `ca_file` without a certificate, say).
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(pub String);

impl TokenHandler {
    /// Builds every app: derives keys, prepares routes, contacts nobody.
    ///
    /// # Errors
    /// [`BuildError`] when TLS towards a provider or an upstream cannot be set up.
    pub fn new(_config: &Config, _environment: Environment) -> Result<Self, BuildError> {
        todo!()
    }

    /// Answers one request. `peer` is the address of whoever is at the other end of the connection.
    pub async fn handle(&self, _request: Request<RequestBody>, _peer: IpAddr) -> Response<ResponseBody> {
        let _ = &self.inner;
        todo!()
    }
}

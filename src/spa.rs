//! The SPA's files (contract §11): history fallback, CSP with a nonce, caching.

use std::sync::Arc;

use http::{HeaderMap, Method, Response};

use crate::body::ResponseBody;
use crate::config::{App, SpaFiles};
use crate::random::Random;
use crate::refusal::{Code, Refusal};

/// Serves the SPA of one app.
#[derive(Debug)]
pub struct Spa {}

impl Spa {
    /// Touches no file yet.
    pub fn new(_files: &SpaFiles, _app: &App, _random: Arc<dyn Random>) -> Self {
        Self {}
    }

    /// Answers a request for `path` (canonical, without query), which is no agent endpoint and no route.
    ///
    /// # Errors
    /// `route_not_found`; `method_not_allowed` for a file asked with another method than GET and HEAD.
    pub async fn serve(
        &self,
        _method: &Method,
        _path: &str,
        _headers: &HeaderMap,
    ) -> Result<Response<ResponseBody>, Refusal> {
        Err(Refusal::new(Code::RouteNotFound))
    }
}

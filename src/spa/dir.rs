//! Files from a directory, looked at anew for each request: a new build is served without a restart.

use std::io;
use std::path::PathBuf;

use axum::body::Body;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

use super::Found;
use super::path::FilePath;
use crate::body::ResponseBody;
use crate::refusal::{Code, Refusal};

/// A directory with a built SPA.
#[derive(Debug)]
pub(super) struct Dir {
    root: PathBuf,
}

impl Dir {
    pub(super) const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// # Errors
    /// `internal` where the directory, or a file in it that is there, cannot be read.
    pub(super) async fn find(
        &self,
        file: &FilePath,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Option<Found>, Refusal> {
        let (root, asked) = (self.root.clone(), self.root.join(file.as_str()));
        let Some(real) = tokio::task::spawn_blocking(move || locate(&root, &asked))
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| unreadable(&error))?
        else {
            return Ok(None);
        };
        if file.is_page() {
            let html = tokio::fs::read(real).await.map_err(|error| unreadable(&error))?;
            return Ok(Some(Found::Page(html)));
        }
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method.clone();
        for name in PASSED {
            if let Some(value) = headers.get(&name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        let Ok(response) = ServeFile::new(real).oneshot(request).await;
        match response.status() {
            // Gone since it was looked for.
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_server_error() => {
                Err(Refusal::new(Code::Internal).because("a file of the SPA could not be read"))
            }
            _ => Ok(Some(Found::Asset(named_charset(
                response.map(|body| ResponseBody::Any(Body::new(body))),
            )))),
        }
    }
}

/// The real place of `asked`, if it is a file below `root` once every symlink has been followed. `root` itself may be a
/// symlink: that is how releases are switched.
fn locate(root: &std::path::Path, asked: &std::path::Path) -> io::Result<Option<PathBuf>> {
    let root = root.canonicalize()?;
    // Whatever keeps a path from being resolved (no such name, a file used as a folder, a loop, no permission), there is
    // no file to serve at it.
    let Ok(real) = asked.canonicalize() else {
        return Ok(None);
    };
    Ok((real.starts_with(root) && real.is_file()).then_some(real))
}

fn unreadable(error: &io::Error) -> Refusal {
    // Its kind only: paths of the machine stay here.
    Refusal::new(Code::Internal).because(format!(
        "the directory of the SPA cannot be read: {}",
        error.kind()
    ))
}

/// Text is UTF-8 here, and says so.
fn named_charset(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    let text = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|mime| mime.to_str().ok())
        .filter(|mime| mime.starts_with("text/") && !mime.contains(';'));
    if let Some(Ok(named)) = text.map(|mime| HeaderValue::from_str(&format!("{mime}; charset=utf-8"))) {
        response.headers_mut().insert(header::CONTENT_TYPE, named);
    }
    response
}

/// What a file's answer depends on; nothing else of the request reaches the file service.
const PASSED: [HeaderName; 6] = [
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::RANGE,
];

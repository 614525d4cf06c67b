//! `/livez`, `/readyz`, `/metrics`: what a machine asks every few seconds. None of them depends on the provider: while it is
//! down, sessions that are open go on, and taking the service out of its place would end that.

use http::{Response, StatusCode};

use super::{Admin, answer};
use crate::body::ResponseBody;
use crate::metrics;
use crate::store::Health;

/// 200 while the process runs.
pub(super) fn livez() -> Response<ResponseBody> {
    answer::text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")
}

/// 200 where requests may be sent; 503 from the signal to stop on, and while the store cannot be reached.
pub(super) fn readyz(admin: &Admin) -> Response<ResponseBody> {
    let (status, says) = if admin.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if store_is_up(admin) {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be reached\n")
    };
    answer::text(status, "text/plain; charset=utf-8", says)
}

/// Everything that is counted.
pub(super) fn metrics(admin: &Admin) -> Response<ResponseBody> {
    let text = admin
        .0
        .handler
        .meters()
        .text(store_is_up(admin), admin.is_draining());
    answer::text(StatusCode::OK, metrics::CONTENT_TYPE, text)
}

fn store_is_up(admin: &Admin) -> bool {
    admin.0.handler.store().health() == Health::Up
}

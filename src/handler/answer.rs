//! The way out: the one place where refusals are rendered and logged, and what every answer carries.

use http::{HeaderValue, Response};

use super::{Ask, Place};
use crate::body::ResponseBody;
use crate::gate::harden::Answer;
use crate::gate::{cors, harden};
use crate::metrics::Source;
use crate::refusal::{Fault, Refusal};

/// The one place where a refusal becomes an answer, and a line in the log. The line never holds a query, a cookie or a
/// token.
pub(super) fn refuse(ask: &Ask, place: Option<&Place<'_>>, refusal: Refusal) -> Response<ResponseBody> {
    log(ask, place, &refusal);
    if let Some(place) = place {
        place.app.meters.refused(refusal.code.as_str());
    }
    let response = refusal.render(ask.id, &ask.method);
    finish(ask, place, Answer::Ours, &[], response)
}

fn log(ask: &Ask, place: Option<&Place<'_>>, refusal: &Refusal) {
    let (request_id, code, status) = (ask.id, refusal.code.as_str(), refusal.code.status().as_u16());
    let (app, route) = place.map_or(("", ""), |place| (place.app.app.id.as_str(), place.name));
    let reason = refusal
        .log
        .as_deref()
        .or(refusal.detail.as_deref())
        .unwrap_or_default();
    match refusal.code.fault() {
        Fault::Client => tracing::info!(event = "refused", %request_id, code, status, app, route, reason),
        Fault::Provider | Fault::Upstream => {
            tracing::warn!(event = "refused", %request_id, code, status, app, route, reason);
        }
        Fault::Us => tracing::error!(event = "refused", %request_id, code, status, app, route, reason),
    }
}

/// What every answer carries.
pub(super) fn finish(
    ask: &Ask,
    place: Option<&Place<'_>>,
    answer: Answer,
    exposed: &[HeaderValue],
    mut response: Response<ResponseBody>,
) -> Response<ResponseBody> {
    if let Some(place) = place {
        let source = match answer {
            Answer::Ours => Source::Cloakroom,
            Answer::Page => Source::Spa,
            Answer::Upstream => Source::Upstream,
        };
        place.app.meters.answer(source, response.status());
    }
    let headers = response.headers_mut();
    if let Some(place) = place {
        cors::apply(&place.app.app, place.reader.as_ref(), exposed, headers);
    }
    harden::apply(answer, place.map(|place| &*place.app.app), ask.id, headers);
    response
}

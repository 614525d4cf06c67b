//! A request whose session has been decided about, on to its upstream; and once more where a renewal overtook it.

use std::pin::pin;

use http::{Request, Response, StatusCode};
use http_body::Body as _;

use super::runtime::RouteRuntime;
use super::{Ask, Inner, Place};
use crate::body::{RequestBody, ResponseBody};
use crate::config::TokenKind;
use crate::proxy::{self, Forward, Rewritten};
use crate::refusal::{Code, Refusal};
use crate::renewal::Admitted;

impl Inner {
    /// The upstream's answer, with the headers a browser may see.
    pub(super) async fn onward(
        &self,
        ask: &Ask,
        place: &Place<'_>,
        route: &RouteRuntime,
        admitted: Option<&Admitted>,
        path: Option<&str>,
        request: Request<RequestBody>,
    ) -> Result<(Response<ResponseBody>, Rewritten), Refusal> {
        let (head, body) = request.into_parts();
        let repeatable = body.is_end_stream() && proxy::is_idempotent(&head.method);
        let mut token = match route.route.token {
            TokenKind::Access => admitted.map(|admitted| &admitted.session.access.token),
            TokenKind::None => None,
        };
        let send = async |body, token: Option<_>| {
            let forward = Forward {
                head: &head,
                body,
                path,
                token,
                identity: self.identity(ask, place.app, &head.headers),
            };
            within_its_session(place, route, admitted, forward).await
        };
        let mut response = send(body, token).await?;
        // Some providers take the old access token back when they give a new one: a call that was under way meanwhile is
        // refused for a token that was good when it began. Only what can be repeated without harm is.
        let newer;
        if response.status() == StatusCode::UNAUTHORIZED
            && repeatable
            && token.is_some()
            && let Some(admitted) = admitted
        {
            newer = place.app.sessions.renewed_meanwhile(&admitted.session).await;
            if let Some(newer) = &newer {
                token = Some(&newer.access.token);
                response = send(RequestBody::Empty, token).await?;
            }
        }
        let rewritten = proxy::rewrite(response.headers_mut(), route.route.session, token);
        if rewritten.dropped_cookies > 0 || rewritten.leaked {
            tracing::warn!(
                event = "upstream_header_dropped",
                request_id = %ask.id,
                route = place.name,
                cookies = rewritten.dropped_cookies,
                token = rewritten.leaked,
                "the upstream sent a cookie of our form or a header with the token"
            );
        }
        Ok((response, rewritten))
    }
}

/// Forwards, for as long as the session lasts: an upload is cut here, the answer wherever it is read (contract §9).
async fn within_its_session(
    place: &Place<'_>,
    route: &RouteRuntime,
    admitted: Option<&Admitted>,
    forward: Forward<'_>,
) -> Result<Response<ResponseBody>, Refusal> {
    let watch = || admitted.map(|admitted| place.app.sessions.watch(&admitted.session));
    let uploads = !forward.body.is_end_stream();
    let mut forwarding = pin!(route.passage.forward(forward));
    let response = match uploads.then(watch).flatten() {
        Some(watch) => tokio::select! {
            biased;
            forwarded = &mut forwarding => forwarded?,
            () = watch.over() => {
                let refusal = Refusal::new(Code::SessionRevoked);
                return Err(refusal.because("the session ended during the upload").closing());
            }
        },
        None => forwarding.await?,
    };
    Ok(match watch() {
        Some(watch) => response.map(|body| body.ending_with(watch)),
        None => response,
    })
}

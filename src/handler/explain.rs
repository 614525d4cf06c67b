//! What would become of one request, and why: each decision in its order, and nothing is sent.
//!
//! The decisions are those of the gate, the agent's gate and the proxy, by the same functions in the same order; what is
//! written here is how they are told. `tests` hold every verdict against what [`TokenHandler::handle`] answers.
//!
//! No secret is told: of cookies whether they open, of tokens that one is attached.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName, header};

use super::agent::{Passed, agent_gate};
use super::runtime::{RouteRuntime, Target};
use super::{Ask, Found, Inner, Match, Part, Place, TokenHandler, api, cors};
use crate::agent::Protection;
use crate::clock::Clock;
use crate::config::{App, CsrfRule, SessionNeed, TokenKind};
use crate::refusal::{Code, Refusal};
use crate::renewal::Foreseen;

mod fix;
mod outgoing;
mod words;

use words::{
    conditions, listed, proofs, step_of_finding, step_of_gate, token_line, told_session, upstream_of,
};

/// The decisions about one request, and how they end.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// In their order; the last one is the one that refused, where one did.
    pub(crate) steps: Vec<Step>,
    /// How it ends.
    pub(crate) verdict: Verdict,
}

/// One decision.
#[derive(Debug)]
pub(crate) struct Step {
    /// What was decided about.
    pub(crate) name: &'static str,
    /// What was found.
    pub(crate) lines: Vec<String>,
    /// It ends here.
    pub(crate) refused: bool,
}

/// How a request ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes upstream.
    Forwarded(String),
    /// It is answered here.
    Answered(String),
    /// It is refused.
    Refused {
        /// Of the answer.
        status: u16,
        /// The stable code.
        code: &'static str,
        /// What would help.
        fix: Option<String>,
    },
}

impl TokenHandler {
    /// Tells what would become of a request with this head and no body.
    pub(crate) async fn explain(&self, parts: Parts, peer: IpAddr) -> Explanation {
        let current = self.view.current();
        let ask = Ask {
            id: current.ids.next(),
            method: parts.method.clone(),
            peer,
            part: Part::Whole,
        };
        let mut told = Told {
            steps: Vec::new(),
            clock: &*self.lasting.clock,
        };
        let verdict = match current.explain(&ask, &parts, &mut told).await {
            Ok(verdict) => verdict,
            Err(refused) => told.refuse(refused, &parts.headers),
        };
        Explanation {
            steps: told.steps,
            verdict,
        }
    }
}

/// A refusal, and the decision that it comes from.
struct Refused<'p> {
    step: &'static str,
    refusal: Box<Refusal>,
    place: Option<&'p App>,
    /// Where it would go if this were in order.
    onward: Option<String>,
}

/// What has been told so far.
struct Told<'c> {
    steps: Vec<Step>,
    clock: &'c dyn Clock,
}

impl Told<'_> {
    fn step(&mut self, name: &'static str, lines: impl IntoIterator<Item = impl Into<String>>) {
        self.steps.push(Step {
            name,
            lines: lines.into_iter().map(Into::into).collect(),
            refused: false,
        });
    }

    fn refuse(&mut self, refused: Refused<'_>, headers: &HeaderMap) -> Verdict {
        let Refused {
            step,
            refusal,
            place,
            onward,
        } = refused;
        let why = refusal.log.as_deref().or(refusal.detail.as_deref());
        let why = why.unwrap_or(refusal.code.detail()).to_owned();
        let fix = fix::fix(&refusal, step, place, headers, onward.as_deref());
        let mut lines = vec![why];
        if let Some(allow) = &refusal.allow {
            lines.push(format!("allowed: {}", String::from_utf8_lossy(allow.as_bytes())));
        }
        match self.steps.last_mut().filter(|last| last.name == step) {
            Some(last) => {
                last.refused = true;
                last.lines.extend(lines);
            }
            None => self.steps.push(Step {
                name: step,
                lines,
                refused: true,
            }),
        }
        Verdict::Refused {
            status: refusal.code.status().as_u16(),
            code: refusal.code.as_str(),
            fix,
        }
    }
}

impl Inner {
    async fn explain<'s>(
        &'s self,
        ask: &Ask,
        parts: &Parts,
        told: &mut Told<'_>,
    ) -> Result<Verdict, Refused<'s>> {
        let Found { site, path, target } = self.find(ask, parts).map_err(|refusal| {
            let step = step_of_finding(&refusal);
            if step == "app" {
                told.step("app", [self.hosts_line()]);
            }
            Refused {
                step,
                refusal: Box::new(refusal),
                place: None,
                onward: None,
            }
        })?;
        let place = Place {
            app: site.app_of(target),
            reader: cors::reader(&site.app_of(target).app, &parts.headers),
            name: target.map_or("", |found| found.target.name()),
        };
        let app = &*place.app.app;
        let asked = parts.uri.path();
        if path.as_str() == asked {
            told.step("path", [format!("{asked} is canonical")]);
        } else {
            told.step("path", [format!("{asked} is read as {}", path.as_str())]);
        }
        told.step(
            "app",
            [
                format!("`{}` at {}", app.id.as_str(), app.origin),
                self.hosts_line(),
                words::spa_line(place.app.spa.is_some()).to_owned(),
            ],
        );
        match target {
            Some(Match {
                target: Target::Agent(_),
                length,
            }) => {
                let below = path.as_str().get(length + 1..).unwrap_or_default();
                explain_agent(ask, &place, below, parts, told)
            }
            Some(Match {
                target: Target::Route(_, route),
                ..
            }) => {
                let canonical = (path.as_str() != asked).then_some(path.as_str());
                self.explain_route(ask, &place, route, canonical, parts, told)
            }
            None => {
                told.step("route", ["none: the rest is the SPA's"]);
                let refused = |refusal| Refused {
                    step: "route",
                    refusal: Box::new(refusal),
                    place: Some(&place.app.app),
                    onward: None,
                };
                let Some(spa) = &place.app.spa else {
                    return Err(refused(Refusal::new(Code::RouteNotFound)));
                };
                let answer = spa
                    .serve(&ask.method, path.as_str(), &parts.headers)
                    .await
                    .map_err(refused)?;
                let kind = answer.headers().get(header::CONTENT_TYPE);
                let kind = kind.map_or("no body".into(), |kind| String::from_utf8_lossy(kind.as_bytes()));
                let status = answer.status().as_u16();
                Ok(Verdict::Answered(format!(
                    "{status} with a file of the SPA, {kind}"
                )))
            }
        }
    }

    /// The hosts that this service answers for.
    fn hosts_line(&self) -> String {
        words::hosts(self.apps.iter().map(|app| app.app.origin.authority()))
    }

    fn explain_route<'p>(
        &self,
        ask: &Ask,
        place: &Place<'p>,
        route: &RouteRuntime,
        canonical: Option<&str>,
        parts: &Parts,
        told: &mut Told<'_>,
    ) -> Result<Verdict, Refused<'p>> {
        let app = &*place.app.app;
        let configured = &*route.route;
        let headers = &parts.headers;
        let refused = |step, refusal| Refused {
            step,
            refusal: Box::new(refusal),
            place: Some(app),
            onward: None,
        };
        let upstream = upstream_of(route);
        told.step("route", [format!("`{}` to {upstream}", configured.path)]);
        let preflight = cors::is_preflight(&ask.method, headers);
        match api::route_gate(ask, place, route, headers) {
            Ok(Some(answer)) => return Ok(answered_preflight(&answer, told)),
            Ok(None) => {}
            Err(refusal) => return Err(refused(step_of_gate(&refusal, preflight), refusal)),
        }
        told.step("method", [format!("{} is allowed", ask.method)]);
        if configured.session == SessionNeed::None {
            told.step("csrf", ["not asked: the route is public"]);
            told.step("session", ["no cookie is opened: the route is public"]);
        } else {
            let rule = (configured.csrf == CsrfRule::FetchMetadata).then_some("csrf = \"fetch_metadata\"");
            told.step(
                "csrf",
                proofs(app, headers).into_iter().chain(rule.map(str::to_owned)),
            );
        }
        let identity = || self.identity(ask, place.app, headers);
        let preview = |token| route.passage.preview(parts, canonical, token, &identity());
        let onward = || outgoing::read(&preview(None).ok()?, &upstream, headers).map(|out| out.target);
        let mut outlook = None;
        if configured.session != SessionNeed::None {
            match place.app.sessions.foresee(headers) {
                Foreseen::Absent => {
                    told.step("session", ["no session cookie came along"]);
                    if configured.session == SessionNeed::Required {
                        return Err(Refused {
                            onward: onward(),
                            ..refused("session", Refusal::new(Code::SessionMissing))
                        });
                    }
                }
                Foreseen::Unreadable(refusal) => {
                    told.step("session", conditions(place, headers));
                    return Err(refused("session", refusal));
                }
                Foreseen::Session(found) => {
                    told.step("session", told_session(place, headers, &found, told.clock));
                    if let Some(refusal) = found.refusal.clone() {
                        return Err(refused("session", refusal));
                    }
                    outlook = Some(found);
                }
            }
        }
        api::guard(route, headers).map_err(|refusal| refused("body", refusal))?;
        let token = outlook
            .as_ref()
            .filter(|_| configured.token == TokenKind::Access)
            .map(|outlook| &outlook.session.access.token);
        told.step("token", [token_line(configured.token, outlook.as_deref())]);
        let head = preview(token).map_err(|refusal| refused("headers", refusal))?;
        let Some(out) = outgoing::read(&head, &upstream, headers) else {
            return Err(refused("headers", Refusal::new(Code::InvalidRequest)));
        };
        told.step("removed", listed(out.removed));
        told.step("added", listed(out.added));
        Ok(Verdict::Forwarded(format!("{} {}", ask.method, out.target)))
    }
}

fn explain_agent<'p>(
    ask: &Ask,
    place: &Place<'p>,
    below: &str,
    parts: &Parts,
    told: &mut Told<'_>,
) -> Result<Verdict, Refused<'p>> {
    let app = &*place.app.app;
    let headers = &parts.headers;
    told.step("agent", [format!("below `{}`: `{below}`", app.agent_path)]);
    let preflight = cors::is_preflight(&ask.method, headers);
    let endpoint = match agent_gate(ask, place, below, headers) {
        Ok(Passed::On(endpoint)) => endpoint,
        Ok(Passed::Answered(answer)) => return Ok(answered_preflight(&answer, told)),
        Err(refusal) => {
            return Err(Refused {
                step: match refusal.code {
                    Code::RouteNotFound => "agent",
                    _ => step_of_gate(&refusal, preflight),
                },
                refusal: Box::new(refusal),
                place: Some(app),
                onward: None,
            });
        }
    };
    told.step("method", [format!("{} is allowed", ask.method)]);
    match endpoint.protection() {
        Protection::Call => told.step("csrf", proofs(app, headers)),
        Protection::Login => told.step("csrf", ["a navigation that may start a login"]),
        Protection::Navigation => told.step(
            "csrf",
            ["not asked: a navigation that proves itself, or changes nothing"],
        ),
        Protection::Channel => told.step("csrf", ["not asked: the provider speaks, not the app"]),
    }
    if headers.contains_key(header::COOKIE) {
        match place.app.sessions.foresee(headers) {
            Foreseen::Session(found) => {
                told.step("session", told_session(place, headers, &found, told.clock));
            }
            Foreseen::Absent => told.step("session", ["no session cookie came along"]),
            Foreseen::Unreadable(_) => told.step("session", conditions(place, headers)),
        }
    }
    Ok(Verdict::Answered(format!(
        "by the agent, endpoint `{}`: nothing of it goes to an upstream",
        endpoint.path()
    )))
}

fn answered_preflight<B>(answer: &http::Response<B>, told: &mut Told<'_>) -> Verdict {
    let lines = answer
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control-"))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    told.step("preflight", lines);
    Verdict::Answered(format!(
        "{}: the origin may ask; a preflight is never forwarded",
        answer.status().as_u16()
    ))
}

const TOKEN_HANDLER_VERSION: HeaderName = HeaderName::from_static("token-handler-version");

#[cfg(test)]
mod tests;

//! Parameters as they arrive: a query, a form or a JSON object. Read, not yet judged.
//!
//! 1. A body has at most 64 KiB (413). An empty one needs no type; `application/json` must be an object of texts,
//!    whole numbers or nulls (= not there); `application/x-www-form-urlencoded` is a form; anything else is 400.
//! 2. Nothing is merged: a name that stands twice stays twice, so that whoever asks can refuse it (RFC 6749 §3.1, C-02).
//!    The same holds for members of a JSON object, which most readers silently drop.
//! 3. An empty value counts as not there (RFC 6749 §3.1).

use std::collections::HashSet;
use std::fmt;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::refusal::{Code, Refusal};

#[cfg(test)]
mod tests;

/// Names and values in the order they came. `Debug` shows names only: values may be codes and states.
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
    /// A member of a JSON object that is neither text, whole number nor null.
    odd: Option<String>,
}

impl Parameters {
    /// From the query of a navigation.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        Self::of_form(query.unwrap_or_default().as_bytes())
    }

    /// Every pair, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of `name`; `None` where it is not there, empty, or there more than once.
    pub(super) fn once(&self, name: &str) -> Option<&str> {
        let mut values = self.iter().filter(|(given, _)| *given == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// A name that stands more than once.
    pub(super) fn repeated(&self) -> Option<&str> {
        let mut seen = HashSet::new();
        self.iter().map(|(name, _)| name).find(|name| !seen.insert(*name))
    }

    /// A name whose value is of no kind that a parameter can have.
    pub(super) fn odd(&self) -> Option<&str> {
        self.odd.as_deref()
    }

    fn of_form(bytes: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(bytes).into_owned().collect();
        Self { pairs, odd: None }
    }

    fn of_json(bytes: &[u8]) -> Result<Self, Refusal> {
        let Members(members) = serde_json::from_slice(bytes)
            .map_err(|_| Refusal::new(Code::InvalidRequest).saying("The body must be a JSON object."))?;
        let mut read = Self::of_form(b"");
        for (name, value) in members {
            let text = match value {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text,
                serde_json::Value::Number(number) if number.is_u64() => number.to_string(),
                _ => {
                    read.odd.get_or_insert_with(|| name.clone());
                    String::new()
                }
            };
            read.pairs.push((name, text));
        }
        Ok(read)
    }

    fn parse(headers: &HeaderMap, body: &Bytes) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self::of_form(b""));
        }
        match media_type(headers).as_deref() {
            Some("application/json") => Self::of_json(body),
            Some(FORM) => Ok(Self::of_form(body)),
            _ => Err(Refusal::new(Code::InvalidRequest)
                .saying("The body must be application/json or application/x-www-form-urlencoded.")),
        }
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl<S: Sync> FromRequest<S> for Parameters {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let body = read_body(body).await?;
        Self::parse(&parts.headers, &body)
    }
}

/// Names `name` to whoever sent it: shortened, and without what a terminal or a log would act on.
pub(super) fn shown(name: &str) -> String {
    name.chars()
        .take(64)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Whether the body says that it is a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers).as_deref() == Some(FORM)
}

async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    let too_large = || Refusal {
        close: true,
        ..Refusal::new(Code::PayloadTooLarge)
    };
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Refusal {
            close: true,
            ..Refusal::new(Code::InvalidRequest).saying("The body did not arrive whole.")
        }),
    }
}

/// The one media type of the body, without its parameters; two fields are none.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    let essence = field.to_str().ok()?.split(';').next()?.trim();
    Some(essence.to_ascii_lowercase())
}

/// The members of a JSON object in order, repeated ones included.
struct Members(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

const MAX_BODY: usize = 64 * 1024;

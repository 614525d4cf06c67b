//! What goes upstream, compared with what came: the very bytes that the proxy would send, read back.

use http::{HeaderMap, HeaderName};

/// What is different between a request and what would be sent for it.
pub(super) struct Outgoing {
    /// Where it would go.
    pub(super) target: String,
    /// Names of fields that do not go along; of cookies, theirs.
    pub(super) removed: Vec<String>,
    /// Fields that are ours. No secret is in them.
    pub(super) added: Vec<String>,
}

/// Reads a written head; `None` where it does not read.
pub(super) fn read(head: &[u8], upstream: &str, came: &HeaderMap) -> Option<Outgoing> {
    let mut fields = [httparse::EMPTY_HEADER; 160];
    let mut request = httparse::Request::new(&mut fields);
    request.parse(head).ok().filter(httparse::Status::is_complete)?;
    let target = format!("{upstream}{}", request.path?);
    let sent: Vec<(&str, &[u8])> = request
        .headers
        .iter()
        .map(|field| (field.name, field.value))
        .collect();
    let mut removed: Vec<String> = came
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| !matches!(*name, "cookie" | "host") && sent.iter().all(|(sent, _)| sent != name))
        .map(str::to_owned)
        .collect();
    let of_all =
        |headers: &mut dyn Iterator<Item = &[u8]>| -> Vec<String> { headers.flat_map(names).collect() };
    let cookies = of_all(&mut came.get_all("cookie").iter().map(http::HeaderValue::as_bytes));
    let kept = of_all(
        &mut sent
            .iter()
            .filter(|(name, _)| *name == "cookie")
            .map(|(_, value)| *value),
    );
    let gone = cookies.into_iter().filter(|name| !kept.contains(name));
    removed.extend(gone.map(|name| format!("cookie {name}")));
    let added = sent
        .iter()
        .filter(|(name, value)| {
            *name != "cookie" && came.get_all(*name).iter().all(|came| came.as_bytes() != *value)
        })
        .map(|(name, value)| match *name {
            "authorization" => "authorization: Bearer ***".to_owned(),
            // Another one each time.
            "x-request-id" => "x-request-id: the id of the request".to_owned(),
            "via" => "via: a name of this process".to_owned(),
            name => format!("{name}: {}", String::from_utf8_lossy(value)),
        })
        .collect();
    Some(Outgoing {
        target,
        removed,
        added,
    })
}

/// The names of the cookies in one field.
fn names(field: &[u8]) -> impl Iterator<Item = String> {
    field.split(|byte| *byte == b';').filter_map(|pair| {
        let name = pair.split(|byte| *byte == b'=').next()?.trim_ascii();
        (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
    })
}

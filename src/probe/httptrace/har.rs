//! Requests and answers as browsers' tools keep them: HAR 1.2.

use std::time::Duration;

use hyper::header::{CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE};
use serde_json::{Value, json};

use super::fields;
use super::report::Leg;
use super::request::{Ask, MASK};
use crate::units::{Timestamp, ms};
use crate::wire::text::printable;

/// What HAR tells beyond a [`Leg`].
pub(super) struct Told<'a> {
    pub(super) ask: &'a Ask,
    pub(super) at: Timestamp,
    pub(super) reason: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) shows_secrets: bool,
}

/// The whole file.
pub(super) fn file(entries: &[Value]) -> Value {
    json!({"log": {
        "version": "1.2",
        "creator": {"name": "waddleperf", "version": env!("CARGO_PKG_VERSION")},
        "pages": [],
        "entries": entries,
    }})
}

/// One request and its answer.
pub(super) fn entry(leg: &Leg, told: &Told<'_>) -> Value {
    let phases = &leg.phases;
    let part = |span: Option<Duration>| span.map_or(-1.0, ms::of);
    // Here TLS is a part of connecting.
    let connect = match (phases.connect, phases.tls) {
        (Some(connect), tls) => Some(connect + tls.unwrap_or_default()),
        (None, tls) => tls,
    };
    let known: Duration = phases.parts().iter().filter_map(|(_, span)| *span).sum();
    let blocked = phases.total.saturating_sub(known);
    let version = format!("HTTP/{}", leg.http);
    let query: Vec<Value> =
        told.ask.url.query_pairs().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let sizes = &leg.sizes;
    let content = sizes.decoded_bytes.unwrap_or(sizes.body_bytes);
    let mut request = json!({
        "method": leg.method,
        "url": leg.url,
        "httpVersion": version,
        "cookies": sent(&told.ask.headers, told.shows_secrets),
        "headers": fields::all(&told.ask.headers, told.shows_secrets),
        "queryString": query,
        "headersSize": sizes.request_head_bytes,
        "bodySize": sizes.request_body_bytes,
    });
    if let Some(body) = &told.ask.body {
        let text = if told.shows_secrets { printable(body) } else { MASK.to_owned() };
        let kind = fields::text(&told.ask.headers, CONTENT_TYPE).unwrap_or_default();
        // Either `text` or `params`.
        request["postData"] = json!({"mimeType": kind, "text": text});
    }
    json!({
        "startedDateTime": told.at.to_string(),
        "time": ms::of(phases.total),
        "request": request,
        "response": {
            "status": leg.status,
            "statusText": printable(told.reason.as_bytes()),
            "httpVersion": version,
            "cookies": set(told.headers, told.shows_secrets),
            "headers": fields::all(told.headers, told.shows_secrets),
            "content": {
                "size": content,
                "compression": i64::try_from(content).unwrap_or(0) - i64::try_from(sizes.body_bytes).unwrap_or(0),
                "mimeType": fields::text(told.headers, CONTENT_TYPE).unwrap_or_default(),
            },
            "redirectURL": leg.redirect.as_ref().map_or("", |redirect| redirect.url.as_str()),
            "headersSize": sizes.head_bytes,
            "bodySize": sizes.body_bytes,
        },
        "cache": {},
        "timings": {
            "blocked": ms::of(blocked),
            "dns": part(phases.dns),
            "connect": part(connect),
            "ssl": part(phases.tls),
            "send": phases.request.map_or(0.0, ms::of),
            "wait": phases.first_byte.map_or(0.0, ms::of),
            "receive": phases.transfer.map_or(0.0, ms::of),
        },
        "serverIPAddress": leg.remote.ip().to_string(),
        "connection": leg.local.map(|local| local.port().to_string()).unwrap_or_default(),
    })
}

/// A cookie; its value is a secret.
fn cookie(pair: &str, shows_secrets: bool) -> Option<Value> {
    let (name, value) = pair.trim().split_once('=')?;
    let value = if shows_secrets { printable(value.as_bytes()) } else { MASK.to_owned() };
    Some(json!({"name": printable(name.as_bytes()), "value": value}))
}

/// Cookies that were sent (RFC 6265 §4.2).
fn sent(headers: &HeaderMap, shows_secrets: bool) -> Vec<Value> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| cookie(pair, shows_secrets)).collect()
}

/// Cookies that an answer sets (RFC 6265 §4.1).
fn set(headers: &HeaderMap, shows_secrets: bool) -> Vec<Value> {
    let lines = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let read = |line: &str| {
        let mut parts = line.split(';');
        let mut cookie = cookie(parts.next()?, shows_secrets)?;
        for part in parts.map(str::trim) {
            match part.split_once('=') {
                Some((key, value)) if key.eq_ignore_ascii_case("path") => {
                    cookie["path"] = printable(value.as_bytes()).into()
                }
                Some((key, value)) if key.eq_ignore_ascii_case("domain") => {
                    cookie["domain"] = printable(value.as_bytes()).into();
                }
                None if part.eq_ignore_ascii_case("secure") => cookie["secure"] = true.into(),
                None if part.eq_ignore_ascii_case("httponly") => cookie["httpOnly"] = true.into(),
                _ => {}
            }
        }
        Some(cookie)
    };
    lines.filter_map(read).collect()
}

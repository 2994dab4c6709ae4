//! The first request, from the options and the files that they name.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderValue};

use super::request::{Ask, Line, url};
use super::{HttpTrace, Payload};
use crate::failure::{Class, Failure};
use crate::probe::{Ctx, input};
use crate::sys::secret::Secret;

/// Octets of a file that is a request's body, and of one with headers.
const MOST_DATA: u64 = 64 << 20;
const MOST_LINES: u64 = 64 << 10;

impl HttpTrace {
    /// The first request.
    ///
    /// # Errors
    /// Class `usage` for what cannot be asked, and those of the files.
    pub(super) async fn ask(&self, ctx: &Ctx) -> Result<Ask, Failure> {
        let wrong = |flag: &str, why: String| Class::Usage.because(format_args!("{flag} {why}"));
        let target = url(self.target.as_str()).map_err(|why| wrong("TARGET", why))?;
        let method = self.method().map_err(|why| wrong("--request", why))?;
        let agent = self.user_agent.as_deref().unwrap_or(concat!("waddleperf/", env!("CARGO_PKG_VERSION")));
        let agent = HeaderValue::from_str(agent)
            .map_err(|_| wrong("--user-agent", "holds what no header can".to_owned()))?;
        let mut ask = Ask::new(target, method, self.body(ctx).await?, &agent);
        // -I chooses HEAD as a redirect would; only -X insists.
        ask.is_method_fixed = self.request.is_some();
        if self.compressed {
            ask.accept_compressed();
        }
        if let Some(file) = &self.user_file {
            let secret = Secret::File(file.clone());
            let read = tokio::task::spawn_blocking(move || secret.read()).await;
            let user = read.map_err(|_| Class::Internal.because("reading a file panicked"))??;
            let value = format!("Basic {}", STANDARD.encode(user.as_str()));
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| wrong("--user-file", "holds what no header can".to_owned()))?;
            value.set_sensitive(true);
            ask.headers.insert(AUTHORIZATION, value);
        }
        let mut lines = Vec::new();
        for line in &self.header {
            let text = match line.file() {
                Some(file) => lines_of(ctx, file).await?,
                None => line.as_str().to_owned(),
            };
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                lines.push(Line::parse(line).map_err(|why| wrong("--header", why))?);
            }
        }
        ask.add(&lines);
        Ok(ask)
    }

    async fn body(&self, ctx: &Ctx) -> Result<Option<Bytes>, Failure> {
        if let Some(payload) = &self.body_binary {
            return octets(ctx, payload).await.map(|octets| Some(octets.into()));
        }
        if self.body.is_empty() {
            return Ok(None);
        }
        let mut whole = Vec::new();
        for (n, payload) in self.body.iter().enumerate() {
            if n > 0 {
                whole.push(b'&');
            }
            let mut octets = octets(ctx, payload).await?;
            if payload.file().is_some() {
                octets.retain(|octet| !matches!(octet, b'\r' | b'\n' | 0));
            }
            whole.extend(octets);
        }
        Ok(Some(whole.into()))
    }
}

async fn lines_of(ctx: &Ctx, file: &Path) -> Result<String, Failure> {
    let octets = input::whole(ctx, "--header", file, MOST_LINES).await?;
    String::from_utf8(octets).map_err(|_| Class::Usage.because("--header: the file is no text"))
}

async fn octets(ctx: &Ctx, payload: &Payload) -> Result<Vec<u8>, Failure> {
    match payload.file() {
        Some(file) => input::whole(ctx, "--body", file, MOST_DATA).await,
        None => Ok(payload.as_str().as_bytes().to_vec()),
    }
}

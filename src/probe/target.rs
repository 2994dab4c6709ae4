//! Who is measured: a host name, an address or a URL, as the user wrote it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::Fault;

/// A host name, an address (`%iface` allowed) or, for some probes, a URL. Empty where a file leaves it open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Target(String);

impl Target {
    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses what is more than a host: a URL, or a port, which has an option of its own.
    ///
    /// # Errors
    /// What to write instead.
    pub fn check_host(&self) -> Result<(), Fault> {
        let text = self.0.as_str();
        let wrong = |why: fmt::Arguments<'_>| Err(Fault::of("target", why));
        if let Some((_, rest)) = text.split_once("://") {
            let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
            return wrong(format_args!("`{text}` is a URL: name the host alone, `{host}`"));
        }
        // More than one colon is an IPv6 address.
        let number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        match text
            .rsplit_once(':')
            .filter(|(host, digits)| number(digits) && (!host.contains(':') || host.ends_with(']')))
        {
            Some((host, digits)) => wrong(format_args!(
                "`{text}` is a host with a port: name the host alone, `{host}`, and set the port to {digits}"
            )),
            None => Ok(()),
        }
    }

    /// Whether it was left open, to be filled in by who runs the probe.
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Target {
    fn from(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

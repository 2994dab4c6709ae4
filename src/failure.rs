//! Why something could not be measured, and what follows from it: exit code, HTTP status, retry.
//!
//! A bad network is a result; being unable to look is a [`Failure`]. This is the only place that maps a
//! class to an exit code or a status (design §5).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A measurement that could not be made: its class, and one line that says what was tried and why it failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// What kind of obstacle it was.
    pub class: Class,
    /// What was tried, then why it failed; lower case, one line, no secrets.
    pub detail: String,
}

/// The kinds of obstacle. The first group lies at the far side or on the way there, the rest at this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The name has no usable address.
    Resolve,
    /// No route, or a router said that the host cannot be reached.
    Unreachable,
    /// The far side said no: RST, ICMP port unreachable.
    Refused,
    /// Nothing came back in time.
    Timeout,
    /// The TLS handshake failed.
    Tls,
    /// The far side does not accept the credentials.
    Auth,
    /// The far side speaks something else than expected.
    Protocol,
    /// Asked wrongly on the command line or in the API.
    Usage,
    /// Asked wrongly in a file.
    Config,
    /// This process may not do that.
    Permission,
    /// This machine or build cannot do that.
    Unsupported,
    /// A fault of ours, or of this machine.
    Internal,
    /// Interrupted before there was anything to report.
    Cancelled,
}

/// One row of design §5 for each class.
struct Row {
    exit: u8,
    status: u16,
    retry: bool,
    far: bool,
}

impl Class {
    const fn row(self) -> Row {
        let (exit, status, retry, far) = match self {
            Self::Resolve | Self::Unreachable | Self::Refused | Self::Tls | Self::Protocol => {
                (1, 502, true, true)
            }
            Self::Timeout => (1, 504, true, true),
            Self::Auth => (1, 502, false, true),
            Self::Usage => (2, 422, false, false),
            Self::Config => (2, 500, false, false),
            Self::Permission | Self::Internal => (3, 500, false, false),
            Self::Unsupported => (3, 501, false, false),
            Self::Cancelled => (130, 499, false, false),
        };
        Row { exit, status, retry, far }
    }

    /// The exit code of a process that ends with this failure. (SIGTERM makes a cancelled run 143.)
    pub const fn exit_code(self) -> u8 {
        self.row().exit
    }

    /// The HTTP status of an RFC 9457 problem with this failure.
    pub const fn http_status(self) -> u16 {
        self.row().status
    }

    /// Whether asking again later can help.
    pub const fn retry(self) -> bool {
        self.row().retry
    }

    /// Whether the obstacle lies at the far side or on the way there: such a round is bad, others are void.
    pub const fn is_far_side(self) -> bool {
        self.row().far
    }

    /// The class's word, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Auth => "auth",
            Self::Protocol => "protocol",
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Permission => "permission",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
            Self::Cancelled => "cancelled",
        }
    }

    /// A failure of this class. `detail` says what was tried, then why it failed.
    pub fn because(self, detail: impl fmt::Display) -> Failure {
        Failure { class: self, detail: detail.to_string() }
    }
}

/// What is asked wrongly, by a file or by flags: which key, and what is wrong with it and what it may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} {why}")]
pub struct Fault {
    /// The key, from the section or the options on: `target[2].interval`.
    pub path: String,
    /// What is said of the key, behind its name: `1s is too short, 10s at least`.
    pub why: String,
}

impl Fault {
    /// What is wrong with the key at `path`.
    pub fn of(path: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { path: path.into(), why: why.to_string() }
    }

    /// The same, seen from where `outer` is a key.
    pub fn within(self, outer: &str) -> Self {
        Self { path: format!("{outer}.{}", self.path), ..self }
    }

    /// The key's own name.
    pub fn key(&self) -> &str {
        let last = self.path.rsplit('.').next().unwrap_or_default();
        last.split('[').next().unwrap_or_default()
    }

    /// The failure where the key stands in a `section`.
    pub fn of_section(self, section: &str) -> Failure {
        Class::Config.because(self.within(section))
    }

    /// The failure where the key was a flag (what is measured has none).
    pub fn of_flag(&self) -> Failure {
        let flag = match self.key() {
            "target" => "TARGET".to_owned(),
            key => format!("--{}", key.replace('_', "-")),
        };
        Class::Usage.because(format_args!("{flag} {}", self.why))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Failure {
    /// The failure behind an operating-system error while doing `what` (`bind udp 0.0.0.0:2000`).
    pub fn from_io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let class = match error.kind() {
            Kind::PermissionDenied => Class::Permission,
            Kind::ConnectionRefused | Kind::ConnectionReset => Class::Refused,
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => Class::Unreachable,
            Kind::TimedOut => Class::Timeout,
            Kind::Unsupported => Class::Unsupported,
            Kind::InvalidInput => Class::Usage,
            _ => Class::Internal,
        };
        class.because(format_args!("{what}: {}", reason(error)))
    }
}

/// The operating system's words without Rust's "(os error 98)", lower case.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_the_design() {
        for (class, exit, retry) in [
            (Class::Resolve, 1, true),
            (Class::Unreachable, 1, true),
            (Class::Refused, 1, true),
            (Class::Timeout, 1, true),
            (Class::Tls, 1, true),
            (Class::Auth, 1, false),
            (Class::Protocol, 1, true),
            (Class::Usage, 2, false),
            (Class::Config, 2, false),
            (Class::Permission, 3, false),
            (Class::Unsupported, 3, false),
            (Class::Internal, 3, false),
            (Class::Cancelled, 130, false),
        ] {
            assert_eq!((class.exit_code(), class.retry()), (exit, retry), "{class}");
            assert_eq!(serde_json::to_value(class).expect("a word"), class.name());
            assert_eq!(class.is_far_side(), exit == 1, "{class}");
        }
    }

    #[test]
    fn a_system_error_names_what_was_tried() {
        let error = std::io::Error::from_raw_os_error(98);
        let failure = Failure::from_io("bind udp 0.0.0.0:2000", &error);
        assert_eq!(failure.to_string(), "bind udp 0.0.0.0:2000: address already in use");
    }
}

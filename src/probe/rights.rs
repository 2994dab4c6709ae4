//! What is said of a right that this process lacks, and how it is had: in one place, for every probe.

use std::fmt::Display;

use crate::failure::{Class, Failure};

/// A right that not every process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// ICMP echo: a datagram socket for it, or a raw one.
    Echo,
    /// Raw and packet sockets.
    Raw,
}

impl Right {
    /// What gives it.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Echo => {
                "a group of this user within sysctl net.ipv4.ping_group_range (such as \"0 2147483647\"), or CAP_NET_RAW \
                 (root has it, and a program by `setcap cap_net_raw=p`)"
            }
            Self::Raw => "CAP_NET_RAW (root has it, and a program by `setcap cap_net_raw=p`)",
        }
    }
}

/// The failure of `what`, which needs `right`; `instead` says what does without it.
pub(crate) fn lacking(what: impl Display, right: Right, instead: &str) -> Failure {
    Class::Permission.because(format_args!("{what} needs {}; {instead}", right.remedy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_right_its_remedy_and_the_way_without() {
        let failure = lacking("ping", Right::Echo, "--mode tcp needs neither");
        assert_eq!(failure.class, Class::Permission);
        assert_eq!(
            failure.detail,
            "ping needs a group of this user within sysctl net.ipv4.ping_group_range (such as \"0 2147483647\"), or \
             CAP_NET_RAW (root has it, and a program by `setcap cap_net_raw=p`); --mode tcp needs neither"
        );
    }
}

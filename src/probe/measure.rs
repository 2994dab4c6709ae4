//! What each kind of probe does, and the one list of kinds with what follows from it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Ctx, Scalar, Scalars, Target, Traffic};
use crate::failure::{Class, Failure, Fault};
use crate::stats::Sketch;

/// Targets that are measured one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// Those that a file names; `-` is standard input.
    File(PathBuf),
    /// These.
    Names(Vec<Target>),
}

/// A kind of probe: its options, which are all that one measurement needs.
pub trait Measure {
    /// What it finds.
    type Report: Findings;

    /// Whether somebody else (the API, a job) may ask for it: never what runs local programs or cannot run.
    const REMOTE: bool = true;

    /// The host or URL that is measured; empty where a probe has none.
    fn target(&self) -> &Target;

    /// The same, to be filled in where it was left open.
    fn target_mut(&mut self) -> &mut Target;

    /// Whom it measures, in a person's words.
    fn subject(&self) -> String {
        self.target().to_string()
    }

    /// Whether a person wants a line for each packet, unless he says otherwise.
    fn tells_packets(&self) -> bool {
        true
    }

    /// Refuses what cannot be measured, before anything is sent.
    ///
    /// # Errors
    /// The option and what it may be.
    fn check(&self) -> Result<(), Fault>;

    /// What one run sends and receives at most.
    fn traffic(&self) -> Traffic;

    /// The headline numbers that its report will have, none of them measured.
    fn unmeasured(&self) -> Vec<Scalar>;

    /// The least time between two runs of a watch.
    fn pace(&self) -> Duration {
        Duration::ZERO
    }

    /// Where the summary of its text stands.
    fn place(&self) -> Place {
        Place::Below
    }

    /// Whether its text is to be another program's: that is then all that is printed.
    fn is_foreign(&self) -> bool {
        false
    }

    /// Whether the lines while it runs are that program's, too: then they are printed with it.
    fn is_streamed(&self) -> bool {
        false
    }

    /// The file that is to take what would be printed.
    fn logfile(&self) -> Option<&Path> {
        None
    }

    /// Raises the number of packets to `packets`, where it counts packets and they fit into `time`.
    fn raise_packets(&mut self, packets: u64, time: Duration) {
        let _ = (packets, time);
    }

    /// The files that it reads: a key, a list of targets, a database.
    fn inputs(&self) -> Vec<&Path> {
        Vec::new()
    }

    /// Takes out the list of targets, where each is to have a run of its own; its target is open then.
    fn take_list(&mut self) -> Option<List> {
        None
    }

    /// Whether `report` covers all that was asked: a run that was complete when the wish to end came is not partial.
    fn is_whole(&self, report: &Self::Report) -> bool {
        let _ = report;
        false
    }

    /// Whether something broke the run off, which `report` names: it is partial, whoever wanted it to end.
    fn is_broken(&self, report: &Self::Report) -> bool {
        let _ = report;
        false
    }

    /// The exit code of a process that measured only this, thresholds apart (design §5).
    fn exit_code(&self, report: &Self::Report) -> u8 {
        u8::from(!report.replied())
    }

    /// Whether it does one thing after the other, so that one thread is enough: the runtime of a process that only measures this
    /// has no workers.
    fn is_sequential(&self) -> bool {
        false
    }

    /// Whether it writes to stdout itself: then what is printed goes to stderr.
    fn takes_stdout(&self) -> bool {
        false
    }

    /// Measures once, after [`Measure::check`].
    fn run(&self, ctx: &Ctx) -> impl Future<Output = Found<Self::Report>> + Send;
}

/// Where the summary of a run stands, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Below the lines of its packets, after an empty line.
    Below,
    /// So on stderr: stdout has the lines alone.
    Stderr,
    /// On stdout alone: there are no lines.
    Alone,
}

/// What a report tells beyond its headline numbers.
pub trait Findings: Scalars {
    /// Whether anything at all came back. A report without a reply is a result, and bad (exit 1).
    fn replied(&self) -> bool;

    /// The packets behind it; `None` where it counts none.
    fn packets(&self) -> Option<Packets> {
        None
    }

    /// What it found of each of several targets, in their order; empty of one, and where they are not told apart.
    fn parts(&self) -> Vec<Part> {
        Vec::new()
    }
}

/// What a report tells of one of several targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The target, as it was given.
    pub target: String,
    /// What it resolved to.
    pub address: Option<IpAddr>,
    /// Why it could not be measured.
    pub failure: Option<Class>,
    /// The headline numbers that the whole report has, of this target; null what only the whole tells.
    pub scalars: Vec<Scalar>,
}

/// The packets of a run, or of many: what is added up over a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Packets {
    /// Packets sent whose fate is known.
    pub sent: u64,
    /// Of those, lost on the round trip.
    pub lost: u64,
    /// All round-trip times in seconds.
    pub rtt: Sketch,
}

/// What a run brought home: the address it spoke to, if there was one, and the report or why there is none.
pub struct Found<R> {
    /// What the target resolved to.
    pub address: Option<IpAddr>,
    /// The report, or the failure.
    pub result: Result<R, Failure>,
}

impl<R> Found<R> {
    /// Nobody was spoken to.
    pub const fn nothing(failure: Failure) -> Self {
        Self { address: None, result: Err(failure) }
    }

    pub(super) fn into<S: From<R>>(self) -> Found<S> {
        Found { address: self.address, result: self.result.map(S::from) }
    }
}

/// Writes down what follows from the list of kinds: [`Probe`](super::Probe), [`Report`](super::Report),
/// [`KINDS`](super::KINDS), and a way to do the same with whichever kind it is. A kind is named like its folder,
/// which holds its options under the kind's name, and `Report`.
macro_rules! kinds {
    ($d:tt
     commands { $($(#[$about:meta])* $command:ident in $folder:ident;)* }
     others { $($(#[$told:meta])* $other:ident in $place:ident;)* }) => {
        /// Everything that one measurement needs. The tag `kind` is also the subcommand, the applet, the metric
        /// label and the man page.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "lowercase")]
        pub enum Probe {
            $($(#[$about])* $command($folder::$command),)*
            $($(#[$told])* $other($place::$other),)*
        }

        /// What a probe found, whatever the network did. Tagged with the probe's kind.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "lowercase")]
        pub enum Report {
            $($(#[$about])* $command(Box<$folder::Report>),)*
            $($(#[$told])* $other(Box<$place::Report>),)*
        }

        /// Every kind that can be asked for.
        pub const KINDS: &[Kind] = &[$(Kind::of::<$folder::$command>(),)*];

        impl Probe {
            /// The exit code of a process that found only `report`.
            pub(super) fn exit_code(&self, report: &Report) -> u8 {
                match (self, report) {
                    $((Self::$command(probe), Report::$command(report)) => probe.exit_code(report),)*
                    $((Self::$other(probe), Report::$other(report)) => probe.exit_code(report),)*
                    _ => u8::from(!report.replied()),
                }
            }

            /// The kind's one word.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$command(_) => stringify!($folder),)*
                    $(Self::$other(_) => stringify!($place),)*
                }
            }
        }

        $(
            impl From<$folder::$command> for Probe {
                fn from(probe: $folder::$command) -> Self {
                    Self::$command(probe)
                }
            }
            impl From<$folder::Report> for Report {
                fn from(report: $folder::Report) -> Self {
                    Self::$command(Box::new(report))
                }
            }
        )*
        $(
            impl From<$place::$other> for Probe {
                fn from(probe: $place::$other) -> Self {
                    Self::$other(probe)
                }
            }
            impl From<$place::Report> for Report {
                fn from(report: $place::Report) -> Self {
                    Self::$other(Box::new(report))
                }
            }
        )*

        /// Evaluates an expression with the options of a probe, whatever its kind.
        macro_rules! each_probe {
            ($d value:expr, $d probe:ident => $d body:expr) => {
                match $d value {
                    $($crate::probe::Probe::$command($d probe) => $d body,)*
                    $($crate::probe::Probe::$other($d probe) => $d body,)*
                }
            };
        }

        /// Evaluates an expression with a report, whatever its kind.
        macro_rules! each_report {
            ($d value:expr, $d report:ident => $d body:expr) => {
                match $d value {
                    $($crate::probe::Report::$command($d report) => $d body,)*
                    $($crate::probe::Report::$other($d report) => $d body,)*
                }
            };
        }
        pub(crate) use each_report;
    };
}
pub(super) use kinds;

//! What every probe takes besides its own options.

use std::env;
use std::io::{self, IsTerminal};

use clap::Args;

use crate::autoperf::threshold::Threshold;
use crate::cli::label::Label;
use crate::failure::{Class, Failure};
use crate::probe::Probe;
use crate::report::text::Style;

/// See the module.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct Common {
    /// Print the record as one line of JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print the record as CSV: a header, then a row of base units, or one for each of ping's targets.
    #[arg(long)]
    csv: bool,
    /// Print only the summary.
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Begin each line with its time, in seconds since 1970.
    #[arg(short = 'D', long)]
    pub(super) timestamps: bool,
    /// Measure again and again, and draw it on a terminal, until told to stop.
    #[arg(long)]
    pub(super) watch: bool,
    /// Keep the record in the store (the file's store.save makes this the rule).
    #[arg(long, overrides_with = "no_save")]
    save: bool,
    /// Keep nothing, whatever store.save says.
    #[arg(long, overrides_with = "save")]
    no_save: bool,
    /// Label the record; once for each label.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) label: Vec<Label>,
    /// End with 1 when this is so, such as `loss_ratio > 1%` or `rtt_p95 > 100ms`; once for each threshold.
    #[arg(long, value_name = "THRESHOLD")]
    pub(super) fail_on: Vec<Threshold>,
}

/// How a record is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
    Csv,
}

/// How one of several records is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) format: Format,
    /// The summary alone.
    pub(super) is_quiet: bool,
    /// It is the first of all.
    pub(super) is_first: bool,
}

impl Common {
    pub(super) const fn form(&self, is_first: bool) -> Form {
        Form { format: self.format(), is_quiet: self.quiet, is_first }
    }

    pub(super) const fn format(&self) -> Format {
        match (self.json, self.csv) {
            (true, _) => Format::Json,
            (_, true) => Format::Csv,
            _ => Format::Text,
        }
    }

    /// Whether a line for each reply is wanted.
    pub(super) fn lines(&self) -> bool {
        self.format() == Format::Text && !self.quiet
    }

    /// Whether a watch is a picture: where a person sees it and can press keys.
    pub(super) fn draws(&self) -> bool {
        self.lines() && io::stdout().is_terminal() && io::stdin().is_terminal()
    }

    /// Whether to keep the record, where the file says `rule`.
    pub(super) const fn saves(&self, rule: bool) -> bool {
        !self.no_save && (self.save || rule)
    }

    /// Refuses thresholds that `probe` can never break.
    pub(super) fn check(&self, probe: &Probe) -> Result<(), Failure> {
        let known = probe.unmeasured();
        let names = || known.iter().map(|scalar| &*scalar.name).collect::<Vec<_>>().join(", ");
        for threshold in &self.fail_on {
            if !threshold.is_measured_by(probe) {
                return Err(Class::Usage.because(format_args!(
                    "--fail-on '{threshold}': {} does not measure that; it knows {}",
                    probe.kind(),
                    names()
                )));
            }
        }
        Ok(())
    }
}

/// Colour on stdout, where a terminal shows it and its reader wants it.
pub(super) fn style() -> Style {
    let plain = env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())
        || env::var_os("TERM").is_some_and(|term| term == "dumb");
    Style { colour: io::stdout().is_terminal() && !plain }
}

//! `--watch`: one run after the other, drawn on a terminal, as lines elsewhere.

use std::io::{self, Write};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::keep::Keeper;
use super::lines::{Printer, Shown};
use super::options::{self, Common, Format};
use super::screen::Screen;
use super::verdict::Verdict;
use super::{Env, Probing, Reader, context, note, print, reader, tell_failure};
use crate::failure::Failure;
use crate::probe::{Events, Measurement, Outcome, Probe};
use crate::report::live::{self, State};

/// The pause after a run that found nobody.
const PATIENCE: Duration = Duration::from_secs(1);

/// Measures again and again; the exit code.
pub(super) async fn run(args: Probing, env: &Env) -> Result<u8, Failure> {
    let Probing { probe, common } = args;
    let stop = env.cancel.child_token();
    let (keeper, mut verdict) = (Keeper::new(&common, env), Verdict::new(&common.fail_on));
    let mut view = View::new(&common, &probe, &stop);
    let mut trouble = None;
    // What is shown may be reset, and lose events; what the watch ends with does not.
    let mut answered = false;
    let ended = loop {
        let mut ctx = context(&common, env, stop.clone());
        ctx.events = view.begin(&stop)?;
        let measurement = probe.clone().run(&ctx).await;
        drop(ctx);
        answered |= measurement.replied();
        let told = verdict.judge(&measurement);
        if let Err(failure) = keeper.keep(&measurement).await {
            trouble = Some(failure);
        }
        let reader = view.end_run(&measurement, &common, told).await?;
        if let Some(ended) = end(&measurement, reader) {
            break ended;
        }
        if !pause(&measurement, probe.pace(), &stop).await {
            break Ended::Told;
        }
    };
    stop.cancel();
    let reader = view.close(&common).await?;
    if let Some(failure) = trouble {
        return Err(failure);
    }
    Ok(match (env.interrupted(), ended, reader) {
        (Some(code), ..) => code,
        (None, Ended::Code(code), _) => code,
        (None, Ended::Told, Reader::Gone) => 0,
        (None, Ended::Told, Reader::There) => verdict.exit_code(u8::from(!answered)),
    })
}

/// Why a watch is over.
enum Ended {
    /// Somebody wanted it to be.
    Told,
    /// It cannot go on, or nobody reads.
    Code(u8),
}

/// Whether it is over after this run: when nobody reads, or when the obstacle lies at this side and will stay.
fn end(measurement: &Measurement, reader: Reader) -> Option<Ended> {
    match &measurement.outcome {
        _ if reader == Reader::Gone => Some(Ended::Code(0)),
        Outcome::Failure(failure) if failure.class == crate::failure::Class::Cancelled => Some(Ended::Told),
        Outcome::Failure(failure) if !failure.class.is_far_side() => {
            Some(Ended::Code(failure.class.exit_code()))
        }
        _ => None,
    }
}

/// Waits before the next run; `false` when there shall be none.
async fn pause(measurement: &Measurement, pace: Duration, stop: &CancellationToken) -> bool {
    let failed = matches!(measurement.outcome, Outcome::Failure(_));
    let pause = if failed { pace.max(PATIENCE) } else { pace };
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}

/// Where a watch is seen.
enum View {
    /// Lines, or records, on whatever stdout is.
    Plain(Box<Plain>),
    /// A picture.
    Screen(Screen),
}

struct Plain {
    /// Away while a run is printed.
    shown: Option<Shown>,
    printer: Option<Printer>,
    runs: u64,
}

impl View {
    fn new(common: &Common, probe: &Probe, stop: &CancellationToken) -> Self {
        let (state, look) = (State::new(&probe.subject()), live::View::of(probe));
        let screen = common.draws().then(|| Screen::open(state, look, stop.clone()).ok()).flatten();
        screen.map_or_else(
            || {
                let shown = Some(Shown::new(common, probe, true, false));
                Self::Plain(Box::new(Plain { shown, printer: None, runs: 0 }))
            },
            Self::Screen,
        )
    }

    /// A run begins; where its events go.
    fn begin(&mut self, stop: &CancellationToken) -> Result<Events, Failure> {
        match self {
            Self::Screen(screen) => Ok(screen.events()),
            Self::Plain(plain) => plain.begin(stop),
        }
    }

    /// A run has ended.
    async fn end_run(
        &mut self,
        measurement: &Measurement,
        common: &Common,
        told: Vec<String>,
    ) -> Result<Reader, Failure> {
        match self {
            Self::Screen(screen) => {
                screen.end_run(measurement.clone(), told);
                Ok(Reader::There)
            }
            Self::Plain(plain) => plain.end_run(measurement, common, told).await,
        }
    }

    /// The watch is over: prints what it has shown.
    async fn close(self, common: &Common) -> Result<Reader, Failure> {
        let state = match self {
            Self::Screen(screen) => screen.close().await?,
            Self::Plain(plain) => plain.shown.map_or_else(State::default, |shown| shown.state),
        };
        let printed = if common.format() == Format::Text && state.runs > 0 {
            live::totals(&mut io::stdout().lock(), &state, options::style())
        } else {
            Ok(())
        };
        reader(printed)
    }
}

impl Plain {
    fn begin(&mut self, stop: &CancellationToken) -> Result<Events, Failure> {
        let Some(shown) = self.shown.take() else {
            return Ok(Events::none());
        };
        let (events, printer) = Printer::start(shown, stop)?;
        self.printer = Some(printer);
        Ok(events)
    }

    async fn end_run(
        &mut self,
        measurement: &Measurement,
        common: &Common,
        told: Vec<String>,
    ) -> Result<Reader, Failure> {
        let Some(printer) = self.printer.take() else {
            return Ok(Reader::Gone);
        };
        let (mut shown, printed) = printer.end(None).await?;
        shown.state.end_run(measurement.clone());
        shown.go_on();
        let first = self.runs == 0;
        self.runs += 1;
        let printed = printed.and_then(|()| print_run(&shown.state, measurement, common, first));
        self.shown = Some(shown);
        tell_failure(measurement);
        told.iter().for_each(|line| note(measurement, line));
        reader(printed)
    }
}

/// One line for one run, or its record.
fn print_run(state: &State, measurement: &Measurement, common: &Common, first: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match (common.format(), live::latest(state)) {
        (Format::Text, Some(line)) => writeln!(out, "{}", options::style().dim(&line)),
        (Format::Text, None) => Ok(()),
        _ => print(&mut out, measurement, common.form(first)),
    }
}

//! The subcommands that measure, one for each kind of probe: what they print, keep, and end with.

mod keep;
mod lines;
mod options;
mod screen;
mod terminal;
mod verdict;
mod watch;

use std::io::{self, BufWriter};
use std::sync::Arc;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use tokio_util::sync::CancellationToken;

use super::label::Label;
use super::{Env, complaint};
use crate::failure::{Class, Failure, Fault};
use crate::probe::{self, Ctx, KINDS, Kind, List, Measurement, Outcome, Place, Probe, Target};
use crate::report::{self, text};
use crate::sys::process;
use keep::Keeper;
use lines::{Printer, Shown};
use options::{Common, Form, Format};
pub(super) use terminal::give_back;
use verdict::Verdict;

/// A probe as the command line asks for it.
#[derive(Debug)]
pub(super) struct Probing {
    probe: Probe,
    common: Common,
}

impl Probing {
    /// Whether one thread is enough: there is no screen to be kept, and one thing is done after the other.
    pub(super) fn is_sequential(&self) -> bool {
        self.probe.is_sequential() && !self.common.watch
    }

    /// See [`is_alone`].
    pub(super) fn is_alone(&self, env: &Env) -> bool {
        is_alone(&self.probe, &self.common, env)
    }
}

/// Whether the process can give up what it may do once the packets' socket or file is open: it captures once, and keeps
/// nothing in the store, whose files are made its owner's.
fn is_alone(probe: &Probe, common: &Common, env: &Env) -> bool {
    matches!(probe, Probe::Capture(_)) && !common.watch && !common.saves(env.config.store.save)
}

/// Measures, once or until told to stop.
pub(super) async fn run(mut args: Probing, env: &Env) -> Result<u8, Failure> {
    args.common.quiet |= args.probe.is_foreign();
    // What is asked wrongly is told before anything is sent.
    args.probe.check().map_err(|fault| wrong(&fault))?;
    args.common.check(&args.probe)?;
    if args.common.watch && args.probe.takes_stdout() {
        return Err(Class::Usage.because("--watch needs stdout for itself: write to a file"));
    }
    if let Some(file) = args.probe.logfile() {
        process::print_into(file)
            .map_err(|error| Failure::from_io(format_args!("open {}", file.display()), &error))?;
    }
    let list = args.probe.take_list();
    match (list, args.common.watch) {
        (Some(_), true) => Err(Class::Usage.because("--watch watches one target: name it instead of a list")),
        (Some(list), false) => each(args, list, env).await,
        (None, true) => watch::run(args, env).await,
        (None, false) => once(args.probe, &args.common, true, env).await.map(|(code, _)| code),
    }
}

/// Measures the targets of a list, one after the other; the worst of their exit codes.
async fn each(args: Probing, list: List, env: &Env) -> Result<u8, Failure> {
    let names = match list {
        List::Names(names) => names.iter().map(Target::to_string).collect(),
        List::File(file) => {
            probe::targets::names(&context(&args.common, env, env.cancel.child_token()), &file).await?
        }
    };
    let (mut worst, mut first) = (None, true);
    for name in &names {
        let probe = args.probe.clone().aimed_at(name);
        if let Err(fault) = probe.check() {
            let failure = wrong(&fault);
            complaint::tell(&format!("waddleperf {}", probe.kind()), &text::escape(&failure.detail));
            worst = worst.max(Some(failure.class.exit_code()));
            continue;
        }
        let (code, reader) = once(probe, &args.common, first, env).await?;
        worst = worst.max(Some(code));
        first = false;
        if env.interrupted().is_some() || reader == Reader::Gone {
            break;
        }
    }
    worst.ok_or_else(|| Class::Usage.because("there is no target in the list"))
}

/// The failure for a flag that asks for what cannot be measured; here, packets need not be counted.
fn wrong(fault: &Fault) -> Failure {
    let mut failure = fault.of_flag();
    if fault.key() == "count" {
        failure.detail += ", or use --watch to go on for ever";
    }
    failure
}

/// Measures once; `first` is the first of several. The exit code, and whether somebody still reads.
async fn once(probe: Probe, common: &Common, first: bool, env: &Env) -> Result<(u8, Reader), Failure> {
    // What is printed must not mix with what the probe itself writes.
    let to_stderr = probe.takes_stdout();
    let keeper = Keeper::new(common, env);
    let mut verdict = Verdict::new(&common.fail_on);
    let mut ctx = context(common, env, env.cancel.child_token());
    let (events, printer) = Printer::start(Shown::new(common, &probe, false, to_stderr), &ctx.cancel)?;
    (ctx.events, ctx.is_alone) = (events, is_alone(&probe, common, env));
    let measurement = Arc::new(probe.run(&ctx).await);
    drop(ctx);
    let is_apart = common.format() == Format::Text && measurement.probe.place() == Place::Stderr;
    let (found, form) = (Arc::clone(&measurement), common.form(first));
    // A report on a hundred thousand targets is not written line by line.
    let last = Box::new(move || match to_stderr || is_apart {
        true => print(&mut BufWriter::new(io::stderr().lock()), &found, form),
        false => print(&mut BufWriter::new(io::stdout().lock()), &found, form),
    });
    let (_, printed) = printer.end(Some(last)).await?;
    let kept = keeper.keep(&measurement).await;
    tell_failure(&measurement);
    verdict.judge(&measurement).iter().for_each(|line| note(&measurement, line));
    let reader = reader(printed)?;
    kept?;
    let code = match (env.interrupted(), reader) {
        (Some(code), _) => code,
        (None, Reader::Gone) => 0,
        (None, Reader::There) => verdict.exit_code(measurement.exit_code()),
    };
    Ok((code, reader))
}

/// What a run gets to work with, until `cancel`.
fn context(common: &Common, env: &Env, cancel: CancellationToken) -> Ctx {
    let mut ctx = env.ctx();
    ctx.cancel = cancel;
    ctx.labels.extend(common.label.iter().map(|Label(name, value)| (name.clone(), value.clone())));
    ctx
}

/// Whether somebody still reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

/// Writes what `measurement` found, in the wanted form.
fn print(out: &mut impl io::Write, measurement: &Measurement, form: Form) -> io::Result<()> {
    match (form.format, &measurement.outcome) {
        (Format::Json, _) => report::json(out, measurement)?,
        (Format::Csv, _) => {
            if form.is_first {
                report::csv::header(out, measurement)?;
            }
            report::csv::rows(out, measurement)?;
        }
        // Its one line goes to stderr.
        (Format::Text, Outcome::Failure(_)) => text::failed(out, measurement)?,
        (Format::Text, Outcome::Report(_)) => {
            if !form.is_quiet && measurement.probe.place() != Place::Alone {
                writeln!(out)?;
            }
            text::summary(out, measurement, options::style())?;
        }
    }
    out.flush()
}

/// A reader that went away has seen enough: that is no failure.
fn reader(printed: io::Result<()>) -> Result<Reader, Failure> {
    match printed {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::from_io("write to stdout", &error)),
    }
}

/// One error, one line on stderr.
fn tell_failure(measurement: &Measurement) {
    if let Outcome::Failure(failure) = &measurement.outcome {
        note(measurement, &text::escape(&failure.detail));
    }
}

/// Tells a line about `measurement` on stderr.
fn note(measurement: &Measurement, line: &str) {
    complaint::tell(&format!("waddleperf {}", measurement.probe.kind()), line);
}

impl Subcommand for Probing {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(KINDS.iter().map(subcommand))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Kind::named(name).is_some()
    }
}

impl FromArgMatches for Probing {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let probe = Kind::named(name).ok_or_else(missing)?.read(matches)?;
        let mut common = Common::from_arg_matches(matches)?;
        common.quiet |= !probe.tells_packets();
        Ok(Self { probe, common })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The subcommand of a kind: its options are declared when it is called, for a process calls one of many.
fn subcommand(kind: &'static Kind) -> Command {
    Command::new(kind.name()).about(kind.manual.about).defer(declared)
}

/// A kind's subcommand with its options.
fn declared(command: Command) -> Command {
    let Some(kind) = Kind::named(command.get_name()) else { return command };
    Common::augment_args(kind.augment(command))
        .about(kind.manual.about)
        .long_about(format!("{}.\n\n{}", kind.manual.about, kind.manual.text))
        .after_help(kind.manual.help())
}

/// The same at once, that it may be changed: whatever `command` had put off is done.
pub(super) fn declare(command: Command) -> Command {
    declared(command).defer(std::convert::identity)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use crate::probe::KINDS;

    /// The words of a line as a shell parts them, up to a pipe or a redirection: quotes hold what is between them together.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for letter in line.chars() {
            match letter {
                '\'' => quoted = !quoted,
                '|' | '>' if !quoted => break,
                ' ' if !quoted => words.push(String::new()),
                letter => words.last_mut().expect("there is a word").push(letter),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_example_is_a_command_that_can_be_measured() {
        for manual in KINDS.iter().map(|kind| &kind.manual) {
            assert!((3..10).contains(&manual.examples.len()), "{}", manual.name);
            for (line, _) in manual.examples {
                let cli = Cli::try_parse_from(words(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
                let Command::Probe(probing) = cli.command else { panic!("{line}: no probe") };
                assert_eq!(probing.probe.kind(), manual.name, "{line}");
                probing.probe.check().unwrap_or_else(|fault| panic!("{line}: {fault}"));
                probing.common.check(&probing.probe).unwrap_or_else(|failure| panic!("{line}: {failure}"));
            }
            let help = manual.help();
            assert!(manual.examples.iter().all(|(line, _)| help.contains(line)), "{help}");
        }
    }
}

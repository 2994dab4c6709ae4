//! `--watch` on a terminal: the picture, its keys, and how the terminal is left.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Reflector;
use crate::terminal::Terminal;

const SMALL: [u16; 2] = [80, 24];
const LARGE: [u16; 2] = [120, 40];
const KEYS: &str = "q quit  p pause  r reset  h help";
const PACKETS: &str = "packets       sent  received      lost      loss";
const TIMES: &str = "rtt ms         min      mean       p50       p95       p99       max";

impl Reflector {
    /// A watch of this reflector on a terminal.
    fn watch(&self, size: [u16; 2], args: &[&str]) -> Terminal {
        Terminal::start(&self.udpping(&[&["--watch"], args].concat()), size)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.server.id().cast_signed()), signal).expect("the reflector runs");
    }
}

/// The values below `heads`: the numbers of one table.
fn values(lines: &[String], heads: &str) -> Option<Vec<String>> {
    let at = lines.iter().position(|line| line.starts_with(heads))?;
    Some(lines.get(at + 1)?.replace(" %", "%").split_whitespace().map(str::to_owned).collect())
}

/// Sent, received and lost, as the picture has them.
fn counts(lines: &[String]) -> Option<[u64; 3]> {
    let values = values(lines, PACKETS)?;
    let mut numbers = values.iter().map(|value| value.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

/// Waits until a second run has ended. It may be short of a packet that a busy machine was too late to send.
#[track_caller]
fn after_runs(terminal: &Terminal) -> Vec<String> {
    let runs = |line: &String| line.strip_prefix("run ")?.split_once(':')?.0.parse::<u64>().ok();
    terminal.wait("a second run", |lines| lines.iter().filter_map(runs).any(|runs| runs >= 2))
}

/// The frame of the chart: its lines, the legend first.
fn chart(lines: &[String]) -> &[String] {
    let end = lines.iter().position(|line| line.starts_with('└')).unwrap_or_default();
    lines.get(1..=end).unwrap_or_default()
}

/// Whether a whole picture of this size is seen.
fn fills(lines: &[String], [width, height]: [u16; 2]) -> bool {
    let is_wide = |line: &String| line.chars().count() == usize::from(width);
    let rows = usize::from(height);
    lines.len() == rows
        && lines[rows - 1] == KEYS
        && chart(lines).len() == rows - 8
        && chart(lines).iter().all(is_wide)
}

#[test]
fn the_picture_fills_the_terminal_and_shows_replies_and_numbers() {
    let reflector = Reflector::start();
    for size in [SMALL, LARGE] {
        let terminal = reflector.watch(size, &["-c", "20"]);
        let lines = after_runs(&terminal);
        let latest = lines[usize::from(size[1]) - 3].split_once(": ").expect("the latest run").1;
        assert!(latest.contains(" sent, 0.0 % lost (up 0.0 %, down 0.0 %), rtt p50 "), "{lines:#?}");
        assert_eq!(["alternate_on", "cursor_flag"].map(|name| terminal.is(name)), ["1", "0"]);
        assert!(fills(&lines, size), "{lines:#?}");
        assert_eq!(lines[0], "127.0.0.1  wp1, 80 octets every 10ms");
        let chart = chart(&lines);
        assert!(chart[0].starts_with("┌ round trip, █ lost ─"), "{lines:#?}");
        let drawn = chart[1..].concat();
        assert!(drawn.contains(|dot| ('\u{2801}'..='\u{28ff}').contains(&dot)), "replies: {lines:#?}");
        assert!(!drawn.contains('█'), "no losses: {lines:#?}");
        let [sent, received, lost] = counts(&lines).expect("counts");
        assert!(sent > 20 && received == sent && lost == 0, "{lines:#?}");
        let packets = values(&lines, &format!("{PACKETS}        up      down")).expect("packets");
        assert_eq!(packets[3..], ["0.0%", "0.0%", "0.0%"]);
        let times: Vec<f64> = values(&lines, TIMES)
            .expect("times")
            .iter()
            .map(|time| time.parse().unwrap_or_else(|error| panic!("{time}: {error}")))
            .collect();
        let [min, mean, p50, p95, p99, max] = times[..] else { panic!("six times: {times:?}") };
        assert!(
            [min, p50, p95, p99, max].is_sorted() && 0.0 < min && min <= mean && mean <= max,
            "{times:?}"
        );
    }
}

#[test]
fn losses_are_marked_and_counted() {
    let reflector = Reflector::start();
    let terminal = reflector.watch(SMALL, &["-c", "100000", "-W", "100ms"]);
    terminal.wait("replies", |lines| counts(lines).is_some_and(|counts| counts[1] > 30));
    reflector.signal(Signal::SIGSTOP);
    terminal.wait("losses", |lines| counts(lines).is_some_and(|counts| counts[2] > 10));
    reflector.signal(Signal::SIGCONT);
    let [_, before, _] = counts(&terminal.lines()).expect("counts");
    let lines = terminal.wait("replies after the losses", |lines| {
        counts(lines).is_some_and(|counts| counts[1] > before + 20)
    });
    assert!(chart(&lines)[1..].concat().contains('█'), "{lines:#?}");
    let loss = values(&lines, PACKETS).expect("packets")[3].trim_end_matches('%').parse::<f64>();
    assert!(loss.is_ok_and(|loss| 0.0 < loss && loss < 100.0), "{lines:#?}");
}

#[test]
fn the_keys_do_what_their_line_says() {
    let reflector = Reflector::start();
    let terminal = reflector.watch(SMALL, &["-c", "20"]);
    terminal.wait("replies", |lines| counts(lines).is_some_and(|counts| counts[1] > 300));
    terminal.press(&["p"]);
    let rests = "the picture rests, measuring goes on";
    let resting = terminal.wait_for(rests);
    for _ in 0..20 {
        assert_eq!(terminal.lines(), resting, "a picture that rests does not change");
    }
    terminal.press(&["p"]);
    let [_, rested, _] = counts(&resting).expect("counts");
    terminal.wait("what was measured meanwhile", |lines| {
        lines.last().is_some_and(|keys| keys == KEYS)
            && counts(lines).is_some_and(|counts| counts[1] > rested)
    });
    terminal.press(&["r"]);
    terminal.wait("fewer than before", |lines| counts(lines).is_some_and(|counts| counts[1] < rested));
    terminal.press(&["x"]);
    terminal.press(&["q"]);
    let left = terminal.end(0);
    assert!(counts(&left).is_some_and(|counts| counts[1] > 0), "totals: {left:#?}");
}

#[test]
fn the_picture_follows_the_size_of_the_terminal() {
    let reflector = Reflector::start();
    let terminal = reflector.watch(SMALL, &["-c", "20"]);
    for size in [SMALL, LARGE, [70, 14], SMALL] {
        terminal.resize(size);
        terminal.wait(&format!("a picture of {size:?}"), |lines| fills(lines, size));
    }
}

#[test]
fn a_terminal_too_small_is_no_trouble() {
    let reflector = Reflector::start();
    let terminal = reflector.watch([12, 3], &["-c", "20"]);
    for size in [[12, 3], [1, 1], [40, 2], [2, 40]] {
        terminal.resize(size);
        assert_eq!(terminal.is("window_width"), size[0].to_string());
        terminal.wait("something", |lines| lines.iter().any(|line| !line.is_empty()));
    }
    terminal.resize(SMALL);
    terminal.wait("a whole picture", |lines| fills(lines, SMALL));
    terminal.press(&["q"]);
    terminal.end(0);
}

/// How a watch is told to end.
enum End {
    Keys(&'static [&'static str]),
    Signals(&'static [Signal]),
}

#[test]
fn however_it_ends_the_terminal_is_as_it_was_and_the_totals_are_told() {
    let reflector = Reflector::start();
    for (end, code) in [
        (End::Keys(&["q"]), 0),
        (End::Keys(&["Escape"]), 0),
        (End::Keys(&["C-c"]), 130),
        (End::Signals(&[Signal::SIGINT]), 130),
        (End::Signals(&[Signal::SIGTERM]), 143),
    ] {
        let terminal = reflector.watch(SMALL, &["-c", "20"]);
        after_runs(&terminal);
        finish(&terminal, &end);
        let left = terminal.end(code);
        let title = left.iter().position(|line| line.starts_with("--- 127.0.0.1: ")).expect("a title");
        assert!(left[title].ends_with(" runs ---"), "{left:#?}");
        let [sent, received, lost] = counts(&left[title..]).expect("counts");
        assert!(sent > 20 && received == sent && lost == 0, "{left:#?}");
        assert!(left[title + 3].starts_with(TIMES), "{left:#?}");
    }
}

/// The second wish ends the process at once, whatever still draws.
#[test]
fn who_cannot_wait_gets_the_terminal_back_as_well() {
    let reflector = Reflector::start();
    for (end, code) in [
        (End::Keys(&["C-c", "C-c", "C-c"]), 130),
        (End::Signals(&[Signal::SIGTERM, Signal::SIGTERM, Signal::SIGTERM]), 143),
    ] {
        let terminal = reflector.watch(SMALL, &["-c", "20"]);
        after_runs(&terminal);
        finish(&terminal, &end);
        terminal.end(code);
    }
}

fn finish(terminal: &Terminal, end: &End) {
    match end {
        End::Keys(keys) => terminal.press(keys),
        End::Signals(signals) => {
            let process = Pid::from_raw(terminal.pid());
            for signal in *signals {
                // It may be gone after the second.
                let _ = kill(process, *signal);
            }
        }
    }
}

#[test]
fn a_reset_does_not_change_what_it_ends_with() {
    let reflector = Reflector::start();
    let terminal = reflector.watch(SMALL, &["-c", "2", "-i", "60s"]);
    terminal.wait("a reply", |lines| counts(lines).is_some_and(|counts| counts[1] == 1));
    terminal.press(&["r"]);
    terminal.wait("nothing counted", |lines| counts(lines).is_some_and(|counts| counts[1] == 0));
    terminal.press(&["q"]);
    terminal.end(0);
}

#[test]
fn a_watch_that_nobody_answers_says_so_and_ends_with_1() {
    let reflector = Reflector::start();
    reflector.signal(Signal::SIGKILL);
    let terminal = reflector.watch(SMALL, &["-c", "2"]);
    terminal.wait("a whole picture without a reply", |lines| {
        // The first run may have ended before the first picture.
        let texts = ["│waiting for the first reply ", "│no round trip to draw so far "];
        fills(lines, SMALL) && texts.iter().any(|text| lines[2].starts_with(text))
    });
    terminal.wait("a note", |lines| !lines[22].is_empty());
    terminal.press(&["q"]);
    terminal.end(1);
}

/// A log line comes with the first run that is kept: there is something in the spool that is no record.
#[test]
fn log_lines_wait_until_the_picture_is_gone() {
    let reflector = Reflector::start();
    let spool = reflector.dir.path().join("kept/spool");
    std::fs::create_dir_all(&spool).expect("make the spool");
    std::fs::write(spool.join("1.json"), "no record").expect("write into the spool");
    let data = reflector.dir.path().join("kept");
    let terminal =
        reflector.watch(LARGE, &["-c", "20", "--save", "-v", "--data", data.to_str().expect("UTF-8")]);
    let lines = after_runs(&terminal);
    assert!(fills(&lines, LARGE) && !lines.iter().any(|line| line.contains("spool")), "{lines:#?}");
    terminal.press(&["q"]);
    let left = terminal.end(0);
    let log = left.iter().position(|line| line.contains("spool:")).expect("the log line");
    let totals = left.iter().position(|line| line.starts_with("--- 127.0.0.1: ")).expect("the totals");
    assert!(log < totals, "{left:#?}");
}

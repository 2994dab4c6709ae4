//! The picture: round trips over time with a mark for each loss, the numbers beside it, the keys below.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Paragraph};

use super::table::{Table, table};
use super::totals::{latest, rows};
use super::{State, View};
use crate::report::text::amount;
use crate::units::ms;

/// Lines of the numbers of the whole watch, and of the latest run alone.
const NUMBERS: [u16; 2] = [5, 1];
/// Lines around the picture and the numbers.
const FRAME: u16 = 3;

/// Draws `state` over the whole of `frame`, looked at as `view` says.
pub fn draw(frame: &mut Frame<'_>, state: &State, view: &mut View, colour: bool) {
    let (paint, area) = (Paint(colour), frame.area());
    let hops = (!state.hops.is_empty()).then(|| table(&state.hops, view, area.width.into(), paint));
    let lines = hops.as_ref().map_or(0, |hops| hops.body.len() + 1);
    // Hops come first: the target's numbers stand in its row, too.
    let is_long = view.help || lines + usize::from(FRAME + NUMBERS[0]) > area.height.into();
    let numbers = NUMBERS[usize::from(is_long)];
    let [title, chart, numbers, note, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(5),
        Constraint::Length(numbers),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(heading(state, paint)), title);
    let mut hidden = None;
    match hops {
        _ if view.help => frame.render_widget(Paragraph::new(help(!state.hops.is_empty())), chart),
        None => plot(frame, chart, state, paint),
        Some(hops) => hidden = scrolled(frame, chart, hops, view),
    }
    frame.render_widget(Paragraph::new(totals(state, paint, numbers)), numbers);
    frame.render_widget(Paragraph::new(remark(state, view, hidden, paint)), note);
    frame.render_widget(Paragraph::new(footer(view.paused, !state.hops.is_empty())), keys);
}

/// The part of a table that fits; how many lines do not, if any.
fn scrolled(frame: &mut Frame<'_>, area: Rect, table: Table, view: &mut View) -> Option<usize> {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    view.room = body.height.into();
    let hidden = table.body.len().saturating_sub(view.room);
    view.scroll = view.scroll.min(hidden);
    frame.render_widget(Paragraph::new(table.head), head);
    let shown: Vec<Line<'_>> = table.body.into_iter().skip(view.scroll).take(view.room).collect();
    frame.render_widget(Paragraph::new(shown), body);
    (hidden > 0).then_some(hidden)
}

/// One line: what is typed, what a person should know, or that there is more to see.
fn remark(state: &State, view: &View, hidden: Option<usize>, paint: Paint) -> Line<'static> {
    if let Some(typed) = &view.typed {
        return Line::raw(format!("columns, of L D R S N B A W V G J M X I: {typed}_"));
    }
    match (state.note.as_ref().or(state.hops.change.as_ref()), hidden) {
        _ if view.paused => Line::styled("the picture rests, measuring goes on", DIM),
        (Some(note), _) => Line::styled(note.clone(), paint.of(Color::Yellow)),
        (None, Some(hidden)) => {
            let (above, below) = (view.scroll, hidden - view.scroll);
            Line::styled(format!("{above} lines above, {below} below: + and - scroll"), DIM)
        }
        (None, None) => Line::default(),
    }
}

/// What the keys do.
fn help(hops: bool) -> Vec<Line<'static>> {
    const ALWAYS: [(&str, &str); 4] = [
        ("q", "quit, and print what was seen"),
        ("p, space", "rest and go on: measuring never rests"),
        ("r", "count anew"),
        ("h, ?", "this list; any key ends it"),
    ];
    const HOPS: [(&str, &str); 9] = [
        ("d", "numbers; the latest probes; how long each took"),
        ("n", "names or addresses"),
        ("j", "times or jitter"),
        ("o", "choose columns by letters, as --order"),
        ("e", "MPLS labels or none"),
        ("z", "AS numbers (local database) or none"),
        ("y", "AS number, prefix, country, none"),
        ("+, page", "half a page on; - back"),
        ("arrows", "a line up or down"),
    ];
    let lines = ALWAYS.iter().chain(HOPS.iter().filter(|_| hops));
    lines.map(|(key, what)| Line::raw(format!("  {key:<10}{what}"))).collect()
}

/// Colours, unless the reader wants none.
#[derive(Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    pub(super) fn of(self, colour: Color) -> Style {
        if self.0 { Style::new().fg(colour) } else { Style::new() }
    }
}

pub(super) const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

fn heading(state: &State, paint: Paint) -> Line<'static> {
    let address = state.address.map(|address| address.to_string()).filter(|address| *address != state.title);
    Line::from(vec![
        Span::styled(state.title.clone(), BOLD.patch(paint.of(Color::Cyan))),
        Span::raw(address.map_or(String::new(), |address| format!(" ({address})"))),
        Span::styled(format!("  {}", state.how), DIM),
    ])
}

fn plot(frame: &mut Frame<'_>, area: Rect, state: &State, paint: Paint) {
    let Some(scene) = Scene::of(state, area) else {
        let text =
            if state.runs == 0 { "waiting for the first reply" } else { "no round trip to draw so far" };
        let waiting = Paragraph::new(text).style(DIM);
        frame.render_widget(waiting.block(Block::bordered()), area);
        return;
    };
    let answered = Dataset::default()
        .marker(Marker::Braille)
        .graph_type(GraphType::Scatter)
        .style(paint.of(Color::Green))
        .data(&scene.answered);
    let lost = Dataset::default()
        .marker(Marker::Block)
        .graph_type(GraphType::Scatter)
        .style(paint.of(Color::Red))
        .data(&scene.lost);
    let x = Axis::default()
        .bounds([-scene.seconds, 0.0])
        .labels([format!("-{} s", scene.seconds), "now".to_owned()])
        .style(DIM);
    let is_rate = !state.passed.rates.is_empty();
    let unit = if is_rate { "Mbit/s" } else { "ms" };
    let tick = |part: f64| format!("{:>7} {unit}", amount(scene.top * part));
    let y = Axis::default().bounds([0.0, scene.top]).labels([tick(0.0), tick(0.5), tick(1.0)]).style(DIM);
    let legend = match is_rate {
        true => Line::raw(" what passes "),
        false => Line::from(vec![
            Span::raw(" round trip, "),
            Span::styled("█ lost", paint.of(Color::Red)),
            Span::raw(" "),
        ]),
    };
    let chart = Chart::new(vec![answered, lost]).x_axis(x).y_axis(y).legend_position(None);
    frame.render_widget(chart.block(Block::bordered().title(legend)), area);
}

/// The points as the chart wants them: seconds before the latest, and milliseconds or Mbit/s.
struct Scene {
    answered: Vec<(f64, f64)>,
    lost: Vec<(f64, f64)>,
    seconds: f64,
    top: f64,
}

impl Scene {
    fn of(state: &State, area: Rect) -> Option<Self> {
        // Two braille dots make one column.
        let fits = usize::from(area.width.max(8)) * 2;
        let rates = state.passed.rates.iter().rev().map(|&(at, rate)| (at, Some(rate)));
        let times = state.points.iter().rev().map(|&(at, rtt)| (at, rtt.map(ms::of)));
        let shown = rates.chain(times).take(fits);
        let newest = shown.clone().map(|(at, _)| at).max()?;
        let ago = |at: u64| -((newest.saturating_sub(at)) as f64 / 1e9);
        let mut scene = Self { answered: Vec::new(), lost: Vec::new(), seconds: 1.0, top: 0.0 };
        for (at, value) in shown {
            match value {
                Some(value) => scene.answered.push((ago(at), value)),
                None => scene.lost.push((ago(at), 0.0)),
            }
            scene.seconds = scene.seconds.max(-ago(at).floor());
        }
        let most = scene.answered.iter().map(|point| point.1).fold(0.0, f64::max);
        scene.top = round_up(most * 1.1);
        // The lost stand on top, where they are seen.
        scene.lost.iter_mut().for_each(|point| point.1 = scene.top);
        Some(scene)
    }
}

/// The next of 1, 2, 5, 10, … that is not below `value`; 1 for nothing.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let decade = 10f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 3.0, 5.0, 10.0].into_iter().find(|step| step * decade >= value);
    step.unwrap_or(10.0) * decade
}

/// The numbers of the whole watch where there is room, then the latest run.
fn totals(state: &State, paint: Paint, area: Rect) -> Vec<Line<'static>> {
    let bad = if state.loss_ratio() > Some(0.0) { paint.of(Color::Red) } else { Style::new() };
    let mut lines = Vec::new();
    if area.height >= NUMBERS[0] {
        for (row, style) in rows(state).into_iter().zip([bad, Style::new()]) {
            lines.push(Line::styled(row.heads, DIM));
            lines.push(Line::styled(row.values, style));
        }
    }
    let latest = latest(state).unwrap_or_default();
    lines.push(Line::styled(fitting(&latest, area.width.into()).to_owned(), DIM));
    lines
}

/// As many parts of `line` as `width` holds: half a number reads like another one.
fn fitting(line: &str, width: usize) -> &str {
    let mut fits = line;
    while fits.chars().count() > width
        && let Some((fewer, _)) = fits.rsplit_once(", ")
    {
        fits = fewer;
    }
    fits
}

fn footer(paused: bool, hops: bool) -> Line<'static> {
    const HOPS: [(&str, &str); 5] =
        [("d", "display"), ("n", "names"), ("j", "jitter"), ("o", "order"), ("e", "mpls")];
    let pause = if paused { "go on" } else { "pause" };
    let keys = [("q", "quit"), ("p", pause), ("r", "reset")].into_iter();
    let keys = keys.chain(HOPS.into_iter().filter(|_| hops)).chain([("h", "help")]);
    let spans = keys.flat_map(|(key, what)| {
        [Span::styled(key, Style::new().add_modifier(Modifier::REVERSED)), Span::raw(format!(" {what}  "))]
    });
    spans.collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::Place;
    use crate::probe::Event;
    use crate::probe::mtr::{Label, Mark, PathChange};
    use crate::report::live::Key;
    use crate::report::sample;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::time::Duration;

    #[test]
    fn the_scale_is_round_and_holds_everything() {
        for (value, expected) in
            [(0.0, 1.0), (0.052, 0.1), (1.0, 1.0), (11.0, 20.0), (25.0, 30.0), (700.0, 1000.0)]
        {
            assert!((round_up(value) - expected).abs() < 1e-9, "{value}: {}", round_up(value));
        }
    }

    #[test]
    fn a_line_too_long_loses_whole_parts() {
        let line = "run 19: 10 sent, 0.0 % lost, rtt p50 0.141 ms, jitter 0.012 ms";
        for (width, expected) in [
            (62, line),
            (61, "run 19: 10 sent, 0.0 % lost, rtt p50 0.141 ms"),
            (20, "run 19: 10 sent"),
            (4, "run 19: 10 sent"),
        ] {
            assert_eq!(fitting(line, width), expected);
        }
    }

    /// What a hop has answered, or not, told as an engine does.
    fn hop(ttl: u8, from: Option<u8>, target: u8) -> Event {
        Event::Hop {
            ttl,
            at: 1,
            from: from.map(ip),
            rtt: from.map(|from| Duration::from_micros(1000 * u64::from(from))),
            is_target: ttl >= target && from.is_some(),
            mark: None,
            mpls: Vec::new(),
        }
    }

    fn ip(last: u8) -> std::net::IpAddr {
        [192, 0, 2, last].into()
    }

    fn shown(state: &State, view: &mut View, [width, height]: [u16; 2]) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
        terminal.draw(|frame| draw(frame, state, view, false)).expect("drawn");
        terminal.backend().to_string()
    }

    fn press(view: &mut View, keys: &str) {
        keys.chars().for_each(|key| view.press(Key::Char(key)));
    }

    #[test]
    fn the_hops_of_a_path_are_a_table_that_keys_change() {
        let (mut state, mut view) = (State::new("target.example"), View::default());
        for (ttl, from) in
            [(1, Some(1)), (2, None), (3, Some(9)), (4, Some(9)), (1, Some(2)), (2, None), (3, None)]
        {
            state.hear(&hop(ttl, from, 3));
        }
        state.hear(&Event::Name { address: ip(9), name: "t\u{1b}[2J.example".to_owned() });
        state.hear(&Event::Place { address: ip(1), place: Place { asn: Some(64_500), ..Place::default() } });
        let mut seen = |keys| {
            press(&mut view, keys);
            shown(&state, &mut view, [110, 18])
        };
        let table = seen("");
        let row =
            |number: &str| table.lines().find(|line| line.contains(number)).unwrap_or_default().to_owned();
        assert!(row("  1.  ").contains("192.0.2.1") && row("  1.  ").contains("0.0 %"), "{table}");
        assert!(row("  2.  ").contains("???") && row("  2.  ").contains("silent"), "{table}");
        assert!(!row("  2.  ").contains('%'), "silence is no loss: {table}");
        assert!(row("  3.  ").contains("t\\u{1b}[2J.example") && row("  3.  ").contains("50.0 %"), "{table}");
        assert!(row("  4.  ").is_empty(), "it lies beyond the target: {table}");
        assert!(table.contains("192.0.2.2 50.0 %"), "the second address: {table}");
        assert_eq!((state.received, state.lost), (1, 1), "the target's");
        assert!(!table.contains("changed"), "{table}");
        let table = seen("nz");
        assert!(table.contains("AS64500   192.0.2.1") && table.contains("AS???     192.0.2.9"), "{table}");
        let table = seen("zj");
        assert!(table.contains("gmean") && !table.contains("stddev"), "{table}");
        let table = seen("d");
        assert!(table.contains("•✗") && table.contains("··") && !table.contains("gmean"), "{table}");
        assert!(seen("d").contains('█'));
        assert!(seen("h").contains("AS number, prefix, country, none"));
        state.reset();
        assert!(state.hops.is_empty());
    }

    #[test]
    fn a_change_of_the_path_is_told_until_it_proves_to_be_none() {
        let (mut state, mut view) = (State::new("target.example"), View::default());
        (1..4).for_each(|ttl| state.hear(&hop(ttl, Some(ttl), 3)));
        let at = "2026-11-26T08:01:07Z".parse().expect("a time");
        let change = PathChange { cycle: 11, at, ttl: 2, from: ip(2), to: ip(8), hops: 1, flow: 0 };
        let mut seen = |latest: Option<&PathChange>| {
            state.hear(&Event::Path { changes: 1, latest: latest.cloned() });
            shown(&state, &mut view, [110, 18])
        };
        let told = seen(Some(&change));
        assert!(told.contains("the path changed in cycle 11 (2026-11-26"), "{told}");
        assert!(told.contains("), hop 2 from 192.0.2.2 to 192.0.2.8"), "{told}");
        assert!(!seen(None).contains("changed"));
    }

    #[test]
    fn a_hop_that_rations_its_answers_never_shows_loss() {
        let (mut state, mut view) = (State::new("target.example"), View::default());
        for cycle in 0..10 {
            state.hear(&hop(1, (cycle < 2).then_some(1), 3));
            state.hear(&hop(2, Some(2), 3));
            state.hear(&hop(3, (cycle != 4).then_some(3), 3));
        }
        let table = shown(&state, &mut view, [110, 18]);
        let row = |number: &str| table.lines().find(|line| line.contains(number)).expect("a row").to_owned();
        assert!(
            row("  1.  ").contains("–") && row("  1.  ").contains("rate-limited, answers 20.0 %"),
            "{table}"
        );
        assert!(row("  3.  ").contains("10.0 %") && !row("  3.  ").contains("rate-limited"), "{table}");
        press(&mut view, "j");
        assert!(!shown(&state, &mut view, [110, 18]).contains(" 8 "), "nothing was dropped at hop 1");
        press(&mut view, "jd");
        let history = shown(&state, &mut view, [110, 18]);
        assert!(history.contains("••········") && history.contains("••••✗•••••"), "{history}");
        // A target over UDP that answers less than echo requests beside the probes.
        for cycle in 0..10 {
            state.hear(&Event::Check { answered: true });
            state.hear(&hop(3, (cycle < 2).then_some(3), 3));
        }
        assert_eq!(state.loss_ratio(), None);
        press(&mut view, "dd");
        let table = shown(&state, &mut view, [80, 24]);
        assert!(!table.lines().any(|line| line.contains("45.0 %")), "{table}");
        assert!(
            table.contains("      rate-limited, answers 55.0 %"),
            "it stands below where it is narrow: {table}"
        );
    }

    #[test]
    fn marks_and_labels_are_shown() {
        let (mut state, mut view) = (State::new("target.example"), View::default());
        let told = |mark, mpls| Event::Hop {
            ttl: 1,
            at: 1,
            from: Some(ip(1)),
            rtt: Some(Duration::from_millis(1)),
            is_target: false,
            mark,
            mpls,
        };
        let label = Label { label: 24_017, class: 0, is_last: true, ttl: 1 };
        state.hear(&told(Some(Mark::Prohibited), vec![label]));
        let table = shown(&state, &mut view, [110, 18]);
        assert!(table.contains("!X") && table.contains("[MPLS: Lbl 24017 TC 0 S 1 TTL 1]"), "{table}");
        press(&mut view, "e");
        assert!(!shown(&state, &mut view, [110, 18]).contains("MPLS:"));
    }

    #[test]
    fn a_long_path_scrolls_on_a_small_terminal() {
        let (mut state, mut view) = (State::new("target.example"), View::default());
        (1..=30).for_each(|ttl| state.hear(&hop(ttl, Some(ttl), 30)));
        let table = shown(&state, &mut view, [80, 24]);
        assert!(table.contains("  1.  ") && table.contains(" 19.  ") && !table.contains(" 20.  "), "{table}");
        assert!(table.contains("0 lines above, 11 below: + and - scroll"), "{table}");
        press(&mut view, "++++");
        let table = shown(&state, &mut view, [80, 24]);
        assert!(table.contains(" 12.  ") && table.contains(" 30.  ") && table.contains("hop "), "{table}");
        press(&mut view, "-");
        assert!(shown(&state, &mut view, [80, 24]).contains("  3.  "), "it went no further than to the end");
        assert!(shown(&state, &mut view, [80, 50]).contains("rtt ms"), "where there is room");
    }

    #[test]
    fn no_terminal_is_too_small_to_draw_on() {
        let mut state = State::new("reflector.example");
        for answered in [false, true] {
            if answered {
                state.hear(&Event::Lost { target: None, seq: 0, at: 1 });
                state.end_run(sample::udpping(4, &[2]));
            }
            let mut view = View::default();
            view.paused = true;
            let widths = [0, 1, 2, 3, 5, 8, 11, 12, 13, 20, 40, 69];
            for (width, height) in
                widths.into_iter().flat_map(|width| (0..16).map(move |height| (width, height)))
            {
                let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
                terminal.draw(|frame| draw(frame, &state, &mut view, true)).expect("drawn");
            }
        }
    }

    #[test]
    fn a_capture_shows_how_fast_packets_pass() {
        let (mut state, mut view) = (State::new("every host"), View::default());
        for (second, packets) in [(1, 1000), (2, 3000)] {
            let at = 1_700_000_000_000_000_000 + second * 1_000_000_000;
            let lasted = Duration::from_secs(1);
            state.hear(&Event::Interval { at, lasted, packets, bytes: packets * 1250, dropped: second });
        }
        let picture = shown(&state, &mut view, [80, 18]);
        let below = |head: &str| {
            let mut lines = picture.lines().skip_while(|line| !line.contains(head)).skip(1);
            let line = lines.next().unwrap_or_default().trim_matches(|c| c == '"' || c == ' ');
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(below("packets "), ["4000", "3", "3000/s", "2000/s", "3000/s"], "{picture}");
        assert_eq!(below("Mbit/s  "), ["30.00", "20.00", "30.00"], "{picture}");
        assert!(picture.contains("50.00 Mbit/s") && !picture.contains("round trip"), "{picture}");
    }

    #[test]
    fn the_picture_shows_replies_losses_and_numbers() {
        let mut state = State::new("reflector.example");
        state.hear(&Event::Started {
            address: "192.0.2.1".parse().expect("an address"),
            how: "wp1, 80 octets every 200ms".to_owned(),
        });
        for seq in 0..60u64 {
            let at = 1_700_000_000_000_000_000 + seq * 200_000_000;
            state.hear(&match seq % 20 {
                7 => Event::Lost { target: None, seq, at },
                _ => Event::Reply {
                    target: None,
                    seq,
                    at,
                    rtt: Duration::from_micros(10_000 + seq * 617 % 8_000),
                    delay_ms: None,
                    bytes: Some(80),
                    ttl: Some(57),
                    said: None,
                },
            });
        }
        state.end_run(sample::udpping(60, &[7, 27, 47]));
        let mut terminal = Terminal::new(TestBackend::new(92, 20)).expect("a screen");
        terminal.draw(|frame| draw(frame, &state, &mut View::default(), false)).expect("drawn");
        insta::assert_snapshot!(terminal.backend(), @r#"
        "reflector.example (192.0.2.1)  wp1, 80 octets every 200ms                                   "
        "┌ round trip, █ lost ──────────────────────────────────────────────────────────────────────┐"
        "│  20.00 ms│          █                         █                         █                │"
        "│          │             ⡀⠠⠐ ⠁            ⡀⠠⠐ ⠁            ⡀⠠⠐ ⠁            ⡀⠠⠐ ⠁          │"
        "│          │        ⡀⠄  ⠁            ⡀⠄⠐ ⠁            ⡀⠄⠐ ⠁            ⡀⠄⠐              ⡀⠄⠐│"
        "│          │  ⢀ ⠄⠂⠈           ⢀⢀ ⠄⠂⠈           ⢀  ⠄⠐⠈           ⢀⠠ ⠂⠐⠈           ⢀⠠ ⠂⠐⠈    │"
        "│  10.00 ms│ ⠈                                                                             │"
        "│          │                                                                               │"
        "│          │                                                                               │"
        "│  0.000 ms│                                                                               │"
        "│          └───────────────────────────────────────────────────────────────────────────────│"
        "│      -12 s                                                                            now│"
        "└──────────────────────────────────────────────────────────────────────────────────────────┘"
        "packets       sent  received      lost      loss        up      down                        "
        "                60        57         3     5.0 %     5.0 %     0.0 %                        "
        "rtt ms         min      mean       p50       p95       p99       max                        "
        "             10.00     13.55     13.16     17.42     17.42     17.47                        "
        "run 1: 60 sent, 5.0 % lost (up 5.0 %, down 0.0 %), rtt p50 10.22 ms, jitter 0.072 ms        "
        "                                                                                            "
        "q quit  p pause  r reset  h help                                                            "
        "#);
    }
}

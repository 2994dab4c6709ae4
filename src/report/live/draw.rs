//! The picture: round trips over time with a mark for each loss, the numbers beside it, the keys below.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Paragraph};

use super::State;
use super::totals::{latest, rows};
use crate::report::text::millis;
use crate::units::ms;

/// Draws `state` over the whole of `frame`.
pub fn draw(frame: &mut Frame<'_>, state: &State, paused: bool, colour: bool) {
    let paint = Paint(colour);
    let [title, chart, numbers, note, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(5),
        Constraint::Length(5),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(heading(state, paint)), title);
    if state.hops.is_empty() {
        plot(frame, chart, state, paint);
    } else {
        let hops = Paragraph::new(state.hops.table(chart.width.into(), paint));
        frame.render_widget(hops, chart);
    }
    frame.render_widget(Paragraph::new(table(state, paint, numbers.width)), numbers);
    let text = state.note.as_deref().unwrap_or_default();
    frame.render_widget(Paragraph::new(Line::styled(text, paint.of(Color::Yellow))), note);
    frame.render_widget(Paragraph::new(footer(paused, !state.hops.is_empty())), keys);
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
        let waiting = Paragraph::new("waiting for the first reply").style(DIM);
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
    let tick = |part: f64| format!("{:>7} ms", millis(Duration::from_secs_f64(scene.top * part / 1000.0)));
    let y = Axis::default().bounds([0.0, scene.top]).labels([tick(0.0), tick(0.5), tick(1.0)]).style(DIM);
    let legend = Line::from(vec![
        Span::raw(" round trip, "),
        Span::styled("█ lost", paint.of(Color::Red)),
        Span::raw(" "),
    ]);
    let chart = Chart::new(vec![answered, lost]).x_axis(x).y_axis(y).legend_position(None);
    frame.render_widget(chart.block(Block::bordered().title(legend)), area);
}

/// The points as the chart wants them: seconds before the latest, and milliseconds.
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
        let shown = state.points.iter().rev().take(fits);
        let newest = shown.clone().map(|(at, _)| *at).max()?;
        let ago = |at: u64| -((newest.saturating_sub(at)) as f64 / 1e9);
        let mut scene = Self { answered: Vec::new(), lost: Vec::new(), seconds: 1.0, top: 0.0 };
        for &(at, rtt) in shown {
            match rtt {
                Some(rtt) => scene.answered.push((ago(at), ms::of(rtt))),
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

/// The numbers of the whole watch, then the latest run.
fn table(state: &State, paint: Paint, width: u16) -> Vec<Line<'static>> {
    let bad = if state.lost > 0 { paint.of(Color::Red) } else { Style::new() };
    let mut lines = Vec::new();
    for (row, style) in rows(state).into_iter().zip([bad, Style::new()]) {
        lines.push(Line::styled(row.heads, DIM));
        lines.push(Line::styled(row.values, style));
    }
    let latest = latest(state).unwrap_or_default();
    lines.push(Line::styled(fitting(&latest, width.into()).to_owned(), DIM));
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
    let key = |key: &'static str, what: &'static str| {
        [
            Span::styled(format!(" {key} "), Style::new().add_modifier(Modifier::REVERSED)),
            Span::raw(format!(" {what}  ")),
        ]
    };
    let pause = if paused { "go on" } else { "pause" };
    let mut spans: Vec<Span<'_>> =
        [key("q", "quit"), key("p", pause), key("r", "reset")].into_iter().flatten().collect();
    if hops {
        spans.extend([key("d", "display"), key("n", "names"), key("j", "jitter")].into_iter().flatten());
    }
    if paused {
        spans.push(Span::styled("the picture rests, measuring goes on", DIM));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Event;
    use crate::report::sample;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

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

    #[test]
    fn the_hops_of_a_path_are_a_table_that_keys_change() {
        let mut state = State::new("target.example");
        let ip = |last: u8| std::net::IpAddr::from([192, 0, 2, last]);
        let mut hear = |ttl: u8, from: Option<u8>| {
            let rtt = from.map(|from| Duration::from_micros(1000 * u64::from(from)));
            state.hear(&Event::Hop {
                ttl,
                at: 1,
                from: from.map(ip),
                rtt,
                is_target: ttl >= 3 && from.is_some(),
            });
        };
        for (ttl, from) in
            [(1, Some(1)), (2, None), (3, Some(9)), (4, Some(9)), (1, Some(2)), (2, None), (3, None)]
        {
            hear(ttl, from);
        }
        state.hear(&Event::Name { address: ip(9), name: "t\u{1b}[2J.example".to_owned() });
        let shown = |state: &State| {
            let mut terminal = Terminal::new(TestBackend::new(100, 14)).expect("a screen");
            terminal.draw(|frame| draw(frame, state, false, false)).expect("drawn");
            terminal.backend().to_string()
        };
        let table = shown(&state);
        let row =
            |number: &str| table.lines().find(|line| line.contains(number)).unwrap_or_default().to_owned();
        assert!(row("  1.  ").contains("192.0.2.1") && row("  1.  ").contains("0.0 %"), "{table}");
        assert!(row("  2.  ").contains("???") && row("  2.  ").contains("100.0 %"), "{table}");
        assert!(row("  3.  ").contains("t\\u{1b}[2J.example") && row("  3.  ").contains("50.0 %"), "{table}");
        assert!(row("  4.  ").is_empty(), "it lies beyond the target: {table}");
        assert_eq!((state.received, state.lost), (1, 1), "the target's");
        ['n', 'd'].into_iter().for_each(|key| state.hops.press(key));
        let table = shown(&state);
        assert!(table.contains("192.0.2.9") && table.contains('✗') && !table.contains("stddev"), "{table}");
        state.reset();
        assert!(state.hops.is_empty());
    }

    #[test]
    fn no_terminal_is_too_small_to_draw_on() {
        let mut state = State::new("reflector.example");
        for answered in [false, true] {
            if answered {
                state.hear(&Event::Lost { target: None, seq: 0, at: 1 });
                state.end_run(sample::udpping(4, &[2]));
            }
            let widths = [0, 1, 2, 3, 5, 8, 11, 12, 13, 20, 40, 69];
            for (width, height) in
                widths.into_iter().flat_map(|width| (0..16).map(move |height| (width, height)))
            {
                let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
                terminal.draw(|frame| draw(frame, &state, true, true)).expect("drawn");
            }
        }
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
                },
            });
        }
        state.end_run(sample::udpping(60, &[7, 27, 47]));
        let mut terminal = Terminal::new(TestBackend::new(92, 20)).expect("a screen");
        terminal.draw(|frame| draw(frame, &state, false, false)).expect("drawn");
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
        " q  quit   p  pause   r  reset                                                              "
        "#);
    }
}

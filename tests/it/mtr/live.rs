//! The picture of a trace that goes on, on a terminal in the lab.

use super::trace::server;
use crate::lab::{Lab, alone};
use crate::terminal::Terminal;
use crate::tool::WADDLEPERF;

/// The row of a hop.
fn row(lines: &[String], ttl: u8) -> String {
    let lead = format!("{ttl:>3}.  ");
    lines.iter().find(|line| line.starts_with(&lead)).cloned().unwrap_or_default()
}

#[test]
fn a_router_that_rations_its_errors_shows_no_loss_while_it_is_watched() {
    let _alone = alone();
    let lab = Lab::line(3).build();
    lab.router(1).sysctl("net.ipv4.icmp_ratelimit", "1000");
    let mut command = std::process::Command::new(WADDLEPERF);
    command.arg("--data").arg(std::env::temp_dir().join("waddleperf-truth"));
    command.args(["mtr", "-n", "-i", "0.1", "--watch", &server(&lab, false).to_string()]);
    let terminal = Terminal::start_by(lab.client().command("tmux"), &command, [120, 30]);
    let lines = terminal.wait("a verdict", |lines| row(lines, 1).contains("rate-limited, answers "));
    let cells: Vec<String> = row(&lines, 1).split_whitespace().map(str::to_owned).collect();
    assert_eq!((&*cells[1], &*cells[2]), (&*lab.router(1).address4().to_string(), "–"), "{lines:#?}");
    for ttl in 2..=4 {
        assert!(row(&lines, ttl).contains(" 0.0 % ") && !row(&lines, ttl).contains("rate"), "{lines:#?}");
    }
    terminal.press(&["d"]);
    let lines = terminal.wait("the history", |lines| row(lines, 1).contains("··"));
    assert!(row(&lines, 1).contains('•') && !row(&lines, 1).contains('✗'), "{lines:#?}");
    terminal.press(&["d", "d", "o", "R", "L", "Enter"]);
    terminal.wait("the chosen columns", |lines| lines.iter().any(|line| line.ends_with("rcv    loss")));
    terminal.resize([80, 12]);
    let lines =
        terminal.wait("a small picture", |lines| lines.len() == 12 && lines[11].starts_with("q quit"));
    assert!(row(&lines, 4).contains(&lab.server().address4().to_string()), "{lines:#?}");
    terminal.press(&["q"]);
    terminal.end(0);
}

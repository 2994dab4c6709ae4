//! The terminal while a picture is on it: taken once, and given back however the process ends.

use std::io::{self, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::{DefaultTerminal, Frame, Terminal};

use crate::cli::logging;

/// Changes, and draws, only who has locked stdout: a thread may do so twice, even in its own panic.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes the terminal: no echo, a screen of its own, and log lines wait. A panic of any thread gives it back before
/// it is told.
///
/// # Errors
/// When there is none that can be drawn on; it is then as it was.
pub(super) fn take() -> io::Result<DefaultTerminal> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        give_back();
        hook(panic);
    }));
    TAKEN.store(true, Ordering::SeqCst);
    logging::hold();
    prepare().inspect_err(|_| give_back())
}

/// Whether the terminal is still ours.
pub(super) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Draws, unless the terminal was given back.
///
/// # Errors
/// Those of the terminal.
pub(super) fn draw(taken: &mut DefaultTerminal, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
    let _whole = stdout().lock();
    if is_taken() {
        taken.draw(render)?;
    }
    Ok(())
}

/// Gives the terminal back, if it was taken. When this returns it has been, whoever did it.
pub(in crate::cli) fn give_back() {
    // Where there is no picture, somebody may hold stdout for as long as its reader sleeps.
    if !TAKEN.load(Ordering::SeqCst) {
        return;
    }
    let mut out = stdout().lock();
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // Nobody is left to tell when the terminal is gone.
    let _ = disable_raw_mode();
    let _ = execute!(out, LeaveAlternateScreen, Show);
    logging::release();
}

fn prepare() -> io::Result<DefaultTerminal> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen)?;
    Terminal::new(CrosstermBackend::new(stdout()))
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::super::screen::Screen;
    use super::*;
    use crate::report::live::{State, View};
    use crate::sys::wait;

    /// Names the thread that panics, in the process that a test has started on a terminal.
    const STAGE: &str = "WADDLEPERF_TEST_PANIC";

    /// Takes the terminal in which it is played, and panics.
    #[test]
    #[ignore = "plays on a terminal that another test has made"]
    fn stage() {
        match env::var(STAGE).as_deref() {
            Ok("measuring") => {
                let (state, view) = (State::new("r.example"), View::default());
                let screen = Screen::open(state, view, CancellationToken::new()).expect("a terminal");
                let panicked = panic::catch_unwind(|| panic!("measuring broke"));
                // Whatever still draws has time to do so.
                wait::sleep(Duration::from_millis(300));
                assert!(panicked.is_err() && !is_taken());
                drop(screen);
            }
            Ok("drawing") => {
                let mut taken = take().expect("a terminal");
                draw(&mut taken, |_| panic!("drawing broke")).expect("it panics");
            }
            _ => {}
        }
    }

    /// Plays the stage on a terminal; what is seen afterwards.
    fn played(thread: &str, dir: &Path) -> String {
        let (stage, program) = (module_path!(), env::current_exe().expect("this binary"));
        let stage = stage.split_once("::").expect("a crate").1;
        let script = format!(
            "stty -g >before; {STAGE}={thread} RUST_BACKTRACE=0 '{}' --exact {stage}::stage --ignored --nocapture; stty -g >after\n\
             tmux display-message -p '#{{alternate_on}} #{{cursor_flag}}' >flags\n\
             tmux capture-pane -p >lines; tmux wait-for -S ended; exec cat\n",
            program.display()
        );
        fs::write(dir.join("script"), script).expect("write the script");
        let tmux = |args: &[&str]| {
            let mut tmux = Command::new("tmux");
            tmux.env_remove("TMUX").env("LC_ALL", "C.UTF-8").env("SHELL", "/bin/sh").current_dir(dir);
            let done = tmux.args(["-u", "-S", "socket", "-f", "/dev/null"]).args(args).status();
            assert!(done.expect("needs tmux (make setup-test)").success(), "tmux {args:?}");
        };
        tmux(&["new-session", "-d", "-x", "100", "-y", "30", "sh script"]);
        tmux(&["wait-for", "ended"]);
        tmux(&["kill-server"]);
        let read = |name| fs::read_to_string(dir.join(name)).expect("it was written");
        assert_eq!((read("after"), read("flags").as_str()), (read("before"), "0 1\n"), "{}", read("lines"));
        read("lines")
    }

    #[test]
    fn a_panic_gives_the_terminal_back_and_is_told_there() {
        for thread in ["measuring", "drawing"] {
            let dir = tempfile::tempdir().expect("make a directory");
            let lines = played(thread, dir.path());
            assert!(lines.contains(&format!("{thread} broke")), "{lines}");
            assert!(!lines.contains("waiting for the first reply") && !lines.contains("quit"), "{lines}");
        }
    }
}

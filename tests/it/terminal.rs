//! A terminal for a program that draws: tmux of its own, with one pane that a test types into and looks at.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use waddleperf::sys::wait;

use crate::tool::{output, stdout, tool};

/// Between two looks at the pane.
const LOOK: Duration = Duration::from_millis(20);
/// Looks until something is missing for good: more than 20 s.
const LOOKS: usize = 1000;

/// A terminal in which a command runs; all in it ends with the test.
pub(crate) struct Terminal {
    dir: TempDir,
}

impl Terminal {
    /// Runs `command` with its own environment and nothing else, in `width` by `height` characters.
    pub(crate) fn start(command: &Command, size: [u16; 2]) -> Self {
        Self::start_by(tool("tmux"), command, size)
    }

    /// The same by this tmux, whose place the command has: a node of a lab.
    pub(crate) fn start_by(tmux: Command, command: &Command, [width, height]: [u16; 2]) -> Self {
        let terminal = Self { dir: tempfile::tempdir().expect("make a directory") };
        // The whole window is the program's, and nothing of this machine's settings.
        std::fs::write(terminal.file("tmux.conf"), "set -g status off\n").expect("write tmux's settings");
        std::fs::write(terminal.file("script"), terminal.script(command)).expect("write the script");
        let mut tmux = terminal.prepared(tmux);
        tmux.args(["new-session", "-d", "-x", &width.to_string(), "-y", &height.to_string(), "sh"]);
        stdout(tmux.arg(terminal.file("script")));
        terminal
    }

    /// The command, and around it what tells how the terminal was and is. The pane stays when all has ended, whatever
    /// keys come late.
    fn script(&self, command: &Command) -> String {
        let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_str().expect("UTF-8"));
        let set = |(name, value): (&std::ffi::OsStr, Option<&std::ffi::OsStr>)| {
            Some(format!("{}={}", name.to_str()?, quoted(value?)))
        };
        let environment: Vec<String> = command.get_envs().filter_map(set).collect();
        let program = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
        format!(
            "trap : INT\ncd '{}'\nstty -g >before\nsh -c 'echo $$ >pid; exec \"$@\"' sh env -i TERM=\"$TERM\" {} {}\n\
             code=$?\nstty -g >after\nstty -a >modes\necho \"ended with $code.\"\nwhile :; do read -r line; done\n",
            self.dir.path().display(),
            environment.join(" "),
            program.collect::<Vec<_>>().join(" "),
        )
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_else(|error| panic!("read {name}: {error}"))
    }

    fn tmux(&self) -> Command {
        self.prepared(tool("tmux"))
    }

    fn prepared(&self, mut tmux: Command) -> Command {
        tmux.env_remove("TMUX").env("LC_ALL", "C.UTF-8").env("SHELL", "/bin/sh");
        tmux.arg("-u").arg("-S").arg(self.file("socket")).arg("-f").arg(self.file("tmux.conf"));
        tmux
    }

    /// Presses keys, by tmux's names for them.
    pub(crate) fn press(&self, keys: &[&str]) {
        stdout(self.tmux().arg("send-keys").args(keys));
    }

    /// Gives the window another size.
    pub(crate) fn resize(&self, [width, height]: [u16; 2]) {
        stdout(self.tmux().args(["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]));
    }

    /// The lines that are seen, without the blanks at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        stdout(self.tmux().args(["capture-pane", "-p"])).lines().map(str::to_owned).collect()
    }

    /// What tmux says of the pane, by its names for it.
    pub(crate) fn is(&self, name: &str) -> String {
        stdout(self.tmux().args(["display-message", "-p", &format!("#{{{name}}}")])).trim().to_owned()
    }

    /// Looks until the lines are as wanted, and returns them.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..LOOKS {
            lines = self.lines();
            if wanted(&lines) {
                return lines;
            }
            wait::sleep(LOOK);
        }
        panic!("{what}: not seen in\n{}", lines.join("\n"));
    }

    /// Looks for `text`.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> Vec<String> {
        self.wait(text, |lines| lines.iter().any(|line| line.contains(text)))
    }

    /// The process that the command is.
    pub(crate) fn pid(&self) -> i32 {
        self.read("pid").trim().parse().expect("a number")
    }

    /// Waits until the command has ended, with `code`; the terminal must be as it was. The lines that are left.
    #[track_caller]
    pub(crate) fn end(&self, code: u8) -> Vec<String> {
        let lines = self.wait_for("ended with ");
        assert!(
            lines.contains(&format!("ended with {code}.")),
            "it should end with {code}:\n{}",
            lines.join("\n")
        );
        assert_eq!(["alternate_on", "cursor_flag"].map(|name| self.is(name)), ["0", "1"], "{lines:#?}");
        assert_eq!(self.read("after"), self.read("before"), "the terminal's modes after and before");
        let modes = self.read("modes");
        assert!(
            ["echo", "icanon"].iter().all(|mode| modes.split([' ', ';', '\n']).any(|is| is == *mode)),
            "{modes}"
        );
        lines
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        output(self.tmux().arg("kill-server"));
    }
}

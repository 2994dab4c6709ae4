//! Completions for each shell: of `waddleperf`, and of each name that is a command alone.

use clap::Command;
use clap_complete::{Generator, Shell, generate};

use super::{File, applet, declared};
use crate::cli::applet::linked;

/// All shells' completions.
pub(super) fn files() -> Vec<File> {
    let shells = [
        (Shell::Bash, "waddleperf.bash"),
        (Shell::Fish, "waddleperf.fish"),
        (Shell::Elvish, "waddleperf.elv"),
        (Shell::PowerShell, "_waddleperf.ps1"),
    ];
    let whole = shells.map(|(shell, name)| File { name: name.to_owned(), text: of(shell) });
    // zsh finds a function by the name of its file, so each command has one.
    let names = std::iter::once("waddleperf").chain(linked());
    let zsh = names.filter_map(|name| {
        let command = if name == "waddleperf" { Some(declared()) } else { applet(name) };
        Some(File { name: format!("_{name}"), text: generated(Shell::Zsh, command?) })
    });
    whole.into_iter().chain(zsh).collect()
}

/// What `shell` needs for all commands.
pub(super) fn of(shell: Shell) -> String {
    let applets = linked().filter_map(applet).map(|command| generated(shell, command));
    std::iter::once(generated(shell, declared())).chain(applets).collect()
}

fn generated(shell: impl Generator, mut command: Command) -> String {
    let name = command.get_name().to_owned();
    let mut octets = Vec::new();
    generate(shell, &mut command, name, &mut octets);
    String::from_utf8_lossy(&octets).into_owned()
}

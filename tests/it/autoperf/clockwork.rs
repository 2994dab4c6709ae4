//! Rounds without a server: what `setup cron` and `setup timer` install, and that it measures.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::unistd::{Group, chown};
use uuid::Uuid;
use waddleperf::autoperf::schedule::stagger;

use super::{Place, silent_port};
use crate::stage;
use crate::tool::{output, real_root, stdout, tool};

/// How many times as fast as ours cron's clock runs.
const FASTER: u8 = 10;

/// A cron on a clock of its own; ended when dropped, with all that it has started.
struct Cron(Child);

impl Cron {
    fn start() -> Self {
        let mut cron = tool("unshare");
        cron.args(["--pid", "--fork", "--kill-child"]).arg(tool("faketime").get_program());
        cron.args(["-f", &format!("+0 x{FASTER}")]).arg(tool("cron").get_program()).arg("-f");
        let quiet = cron.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(quiet.spawn().expect("start cron"))
    }
}

impl Drop for Cron {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A configured id whose rounds wait for less than a second of the 45 s that a crontab's line spreads them over.
fn prompt_agent() -> String {
    let prompt =
        |id: &Uuid| stagger(&id.to_string(), "shop", Duration::from_secs(45)) < Duration::from_secs(1);
    let id = (1..).map(Uuid::from_u128).find(prompt).expect("one of 45");
    format!("[agent]\nid = \"{id}\"\n")
}

#[test]
fn what_setup_cron_installs_is_run_by_cron() {
    if !real_root("autoperf::clockwork::what_setup_cron_installs_is_run_by_cron") {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("autoperf::clockwork::cron", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn cron() {
    let Some(at) = stage::place() else { return };
    // The machine's own crontabs, its own cron and what faketime leaves behind are out of sight.
    for private in ["/run", "/dev/shm", "/etc/cron.d", "/var/spool/cron/crontabs"] {
        stage::tmpfs(private.as_ref(), "1m");
    }
    mount(Some("/dev/null"), "/etc/crontab", None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .expect("no crontab");
    let group = Group::from_name("crontab").expect("groups").map(|group| group.gid);
    chown("/var/spool/cron/crontabs", None, group).expect("crontab's directory");

    let (socket, port) = silent_port();
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    let place = Place::within(&at, port);
    let text = prompt_agent() + &fs::read_to_string(place.config()).expect("the configuration");
    // Rounds of a quarter of a second.
    let text = text.replace("kind = \"udpping\"\n", "kind = \"udpping\"\nprotocol = \"echo\"\n");
    fs::write(place.config(), text).expect("write the configuration");

    let other = "17 3 * * * /bin/true # somebody else's\n";
    let file = at.join("other");
    fs::write(&file, other).expect("a crontab");
    stdout(tool("crontab").arg(&file));
    let install =
        |every: &str| stdout(&mut place.waddleperf(&["setup", "cron", "--install", "--every", every]));
    install("5m");
    let line = install("1m");
    assert!(line.starts_with("* * * * * ") && line.contains(" autoperf run --quiet "), "{line}");
    assert_eq!(stdout(tool("crontab").arg("-l")), format!("{other}{line}"), "one line of ours, in its place");

    let _cron = Cron::start();
    socket.recv_from(&mut [0; 2048]).expect("cron's minute comes, and with it a packet");
    let kept = |_| {
        let listed = place.waddleperf(&["results", "list", "--kind", "autoperf"]);
        stdout(&mut { listed }).lines().any(|line| line.contains("shop"))
    };
    assert!((0..1_000).any(kept), "the round is kept");
}

#[test]
fn the_units_that_setup_timer_installs_are_valid_and_measure() {
    let (_socket, port) = silent_port();
    let place = Place::new(port);
    let text = fs::read_to_string(place.config()).expect("the configuration");
    let text = text.replace("kind = \"udpping\"\n", "kind = \"udpping\"\nprotocol = \"echo\"\n");
    fs::write(place.config(), text).expect("write the configuration");
    let units = place.data().with_file_name("a unit's directory");
    let mut setup = place.waddleperf(&["setup", "timer", "--install", "--every", "15m"]);
    let written = stdout(setup.arg("--dir").arg(&units));
    let files: Vec<&str> = written.lines().collect();
    assert_eq!(files.len(), 2, "{written}");
    let verdict =
        output(tool("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).args(&files));
    let said = String::from_utf8_lossy(&verdict.stderr);
    assert!(verdict.status.success() && said.is_empty(), "{said}");
    let read = |file: &str| fs::read_to_string(file).expect("a unit");
    let calendar = read(files[1]);
    let calendar = calendar.lines().find_map(|line| line.strip_prefix("OnCalendar=")).expect("a calendar");
    let times = stdout(tool("systemd-analyze").args(["calendar", "--iterations=4", calendar]));
    let quarters = ["00:00", "15:00", "30:00", "45:00"];
    assert!(quarters.iter().all(|quarter| times.contains(&format!(":{quarter} "))), "{times}");
    // What systemd would start, with the directory that it would give.
    let service = read(files[0]);
    let start = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
    stdout(Command::new("/bin/sh").args(["-c", start]).env("STATE_DIRECTORY", place.data()));
    let listed = stdout(&mut place.waddleperf(&["results", "list", "--kind", "autoperf"]));
    assert!(listed.lines().any(|line| line.contains("shop")), "{listed}");
}

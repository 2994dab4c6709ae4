//! `sshping` against OpenSSH's server on loopback: echoes, the whole run, both ways; beside `ssh` for what goes through. (The
//! tool called sshping is in no distribution: its figures are those of probes.md §12.)
//!
//! `cargo bench --bench sshping`, as root (sshd lets its own user in). Medians of five.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use common::{BINARY, median, timed};

const RUNS: usize = 5;
const MEGABYTES: u64 = 100;

fn main() {
    println!("sshping: profile bench, loopback, OpenSSH's sshd");
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path());
    let target = format!("root@127.0.0.1:{}", server.port);
    let (mut echo, mut wall, mut up, mut down, mut ssh) = (vec![], vec![], vec![], vec![], vec![]);
    let mut cipher = String::new();
    for _ in 0..RUNS {
        let (report, whole, _) = timed(|| ours(dir.path(), &target, &["-r", "e", "-c", "1000"]));
        wall.push(whole.as_secs_f64());
        echo.push(report["echo"]["rtt"]["p50_ms"].as_f64().expect("a time") * 1e3);
        let report = ours(dir.path(), &target, &["-r", "s", "-s", &MEGABYTES.to_string()]);
        let rate = |way: &str| report[way]["throughput_bps"].as_f64().expect("a rate") / 8e6;
        up.push(rate("upload"));
        down.push(rate("download"));
        report["algorithms"]["cipher_up"].as_str().expect("a cipher").clone_into(&mut cipher);
        ssh.push(through_ssh(dir.path(), server.port));
    }
    println!("  echo p50                {:>8.1} µs     (goal: ≤ 60 µs; sshping 45 to 74)", median(echo));
    println!("  1,000 characters, whole {:>8.3} s      (goal: ≤ 0.6 s; sshping 4.6)", median(wall));
    println!("  cipher                  {cipher}");
    println!("  upload                  {:>8.1} MB/s   (goal: ≥ 100 MB/s; sshping 107 to 113)", median(up));
    println!("  download                {:>8.1} MB/s   (goal: ≥ 100 MB/s; sshping 6.8)", median(down));
    println!("  ssh 'cat >/dev/null'    {:>8.1} MB/s", median(ssh));
}

fn ours(dir: &Path, target: &str, args: &[&str]) -> Value {
    let mut command = Command::new(BINARY);
    command.args([
        "--data",
        "/tmp/waddleperf-bench",
        "sshping",
        "--json",
        "-F",
        "none",
        "--no-agent",
        "--accept-new",
    ]);
    command
        .arg("--known-hosts")
        .arg(dir.join("known"))
        .arg("-i")
        .arg(dir.join("user"))
        .args(args)
        .arg(target);
    let output = command.output().expect("it runs");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    let report = &record["outcome"]["report"];
    assert!(output.status.success() && report.is_object(), "{record}");
    report.clone()
}

/// MB/s of zeros through ssh(1) into nothing.
fn through_ssh(dir: &Path, port: u16) -> f64 {
    let line = format!(
        "head -c {}000000 /dev/zero | ssh -F none -p {port} -i {} -o UserKnownHostsFile={} root@127.0.0.1 'cat >/dev/null'",
        MEGABYTES,
        dir.join("user").display(),
        dir.join("known").display()
    );
    let (status, wall, _) = timed(|| Command::new("sh").args(["-c", &line]).status());
    assert!(status.is_ok_and(|status| status.success()), "needs ssh (make setup-test)");
    MEGABYTES as f64 / wall.as_secs_f64()
}

/// A server, gone when dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(dir: &Path) -> Self {
        for name in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(dir.join(name))
                .status();
            assert!(made.is_ok_and(|status| status.success()), "needs ssh-keygen (make setup-test)");
        }
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        fs::create_dir_all("/run/sshd").expect("sshd's directory: needs root");
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/user.pub\nPidFile none\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n",
            dir.display()
        );
        fs::write(dir.join("sshd_config"), config).expect("write");
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(dir.join("sshd_config")).stderr(Stdio::null());
        let child = command.spawn().expect("needs sshd (make setup-test)");
        let this = Self { child, port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        this
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

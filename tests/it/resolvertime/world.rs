//! A little internet in one namespace: knot with a root and three zones (signed, signed wrongly, not signed), each on an
//! address of its own, and unbound, which validates from that root, over UDP, TCP, TLS and HTTPS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use waddleperf::sys::wait::sleep;

use super::command;
use crate::lab::{Lab, Node};
use crate::tool::{WADDLEPERF, output, tool};

/// Where the root's server, that of the zones, and the resolver are.
pub(super) const ROOT: &str = "127.0.0.10";
pub(super) const ZONES: &str = "127.0.0.11";
pub(super) const RESOLVER: &str = "127.0.0.53";
/// Where nothing is.
pub(super) const NOBODY: &str = "127.0.0.99";

/// The world; it ends when dropped.
pub(super) struct World {
    // Before the files that they have open.
    servers: Vec<Child>,
    lab: Lab,
    pub(super) files: TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            servers: Vec::new(),
            lab: Lab::line(0).build(),
            files: tempfile::tempdir().expect("a directory"),
        };
        let zone = |name: &str| {
            format!(
                "$ORIGIN {name}.\n$TTL 3600\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A {ZONES}\nwww A 192.0.2.1\n\
                 www AAAA 2001:db8::1\ntxt TXT \"a \\\"b\\\"\" \"c\"\n@ MX 10 mail\nmail A 192.0.2.2\n@ CAA 0 issue \"ca.example\"\n\
                 h HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1\n*.wild A 192.0.2.3\nalias CNAME www\n"
            )
        };
        world.knot("zones", ZONES, &[("signed", true), ("bogus", true), ("plain", false)], zone);
        let mut delegations = String::new();
        for name in ["signed", "bogus", "plain"] {
            delegations += &format!("{name}. NS ns.{name}.\nns.{name}. A {ZONES}\n");
        }
        // Nobody answers for the one, and whoever should answer for the other does not know it.
        delegations +=
            &format!("gone. NS ns.gone.\nns.gone. A {NOBODY}\nlame. NS ns.lame.\nns.lame. A {ZONES}\n");
        let ds = |name: &str| world.keys("zones", name);
        delegations += &ds("signed");
        // The last digit of the hash makes all the difference.
        let wrong = ds("bogus");
        let wrong = wrong.trim_end();
        let last = if wrong.ends_with('0') { '1' } else { '0' };
        delegations += &format!("{}{last}\n", &wrong[..wrong.len() - 1]);
        let root = move |_: &str| {
            format!(
                "$ORIGIN .\n$TTL 3600\n@ SOA ns.root. hostmaster. 1 3600 600 86400 60\n@ NS ns.root.\nns.root. A {ROOT}\n{delegations}"
            )
        };
        world.knot("root", ROOT, &[(".", true)], root);
        fs::write(world.path("hints"), format!(". 3600 NS ns.root.\nns.root. 3600 A {ROOT}\n"))
            .expect("write");
        let anchor = world.keys("root", ".");
        fs::write(world.path("anchor"), anchor).expect("write");
        world.unbound();
        world
    }

    /// The node where all of it is.
    pub(super) fn node(&self) -> &Node {
        self.lab.server()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// `resolvertime` there.
    pub(super) fn ours(&self, arguments: &str) -> Command {
        command(self.node().command(WADDLEPERF), arguments)
    }

    /// The report of `resolvertime` there.
    #[track_caller]
    pub(super) fn report(&self, arguments: &str) -> serde_json::Value {
        super::report_of(&output(&mut self.ours(&format!("--json {arguments}"))))
    }

    /// A peer there.
    pub(super) fn peer(&self, program: &str, arguments: &str) -> Command {
        let mut command = self.node().command(&path_of(program));
        command.args(arguments.split_whitespace());
        command
    }

    fn start(&mut self, program: &str, arguments: &[&str], log: &Path) {
        let log = fs::File::create(log).expect("a log");
        let mut command = self.node().command(&path_of(program));
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.servers.push(command.spawn().expect(program));
    }

    /// A knot of its own for `zones`, each signed or not.
    fn knot(&mut self, name: &str, address: &str, zones: &[(&str, bool)], text: impl Fn(&str) -> String) {
        let place = self.path(name);
        fs::create_dir_all(place.join("db")).expect("a directory");
        let at = place.display();
        let mut config = format!(
            "server:\n  rundir: \"{at}\"\n  listen: {address}@53\n  nsid: \"{name}\"\ndatabase:\n  storage: \"{at}/db\"\n\
             template:\n  - id: default\n    global-module: mod-cookies\nzone:\n"
        );
        for (zone, signed) in zones {
            let signing = if *signed { "on" } else { "off" };
            config += &format!(
                "  - domain: \"{zone}\"\n    file: \"{at}/{zone}zone\"\n    dnssec-signing: {signing}\n"
            );
            fs::write(place.join(format!("{zone}zone")), text(zone)).expect("write");
        }
        let file = place.join("knot.conf");
        fs::write(&file, config).expect("write");
        self.start("knotd", &["-c", file.to_str().expect("a path")], &place.join("log"));
        for (zone, signed) in zones {
            let kind = if *signed { "DNSKEY" } else { "SOA" };
            self.until(&format!("@{address} {zone} {kind} +short +timeout=1 +retry=0"), &place.join("log"));
        }
    }

    fn unbound(&mut self) {
        let own = rcgen::generate_simple_self_signed([RESOLVER.to_owned(), "dns.example".to_owned()]);
        let own = own.expect("a certificate");
        fs::write(self.path("ca.pem"), own.cert.pem()).expect("write");
        fs::write(self.path("key.pem"), own.signing_key.serialize_pem()).expect("write");
        let at = self.files.path().display();
        let config = format!(
            "server:\n  directory: \"{at}\"\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  use-syslog: no\n  verbosity: 1\n\
             \x20 interface: {RESOLVER}@53\n  interface: {RESOLVER}@853\n  interface: {RESOLVER}@443\n  do-ip6: no\n\
             \x20 access-control: 127.0.0.0/8 allow\n  do-not-query-localhost: no\n  root-hints: \"{at}/hints\"\n\
             \x20 trust-anchor-file: \"{at}/anchor\"\n  ede: yes\n  nsid: ascii_unbound\n  tls-port: 853\n  https-port: 443\n\
             \x20 tls-service-key: \"{at}/key.pem\"\n  tls-service-pem: \"{at}/ca.pem\"\n  num-threads: 1\n\
             remote-control:\n  control-enable: no\n"
        );
        let file = self.path("unbound.conf");
        fs::write(&file, config).expect("write");
        let log = self.path("unbound.log");
        self.start("unbound", &["-d", "-c", file.to_str().expect("a path")], &log);
        self.until(&format!("@{RESOLVER} www.plain A +short +timeout=1 +retry=0"), &log);
    }

    /// The DS records of a zone's keys, each with its owner.
    fn keys(&self, place: &str, zone: &str) -> String {
        let file = self.path(place).join("knot.conf");
        let mut command = tool("keymgr");
        command.arg("-c").arg(file).args([zone, "ds"]);
        let text = crate::tool::stdout(&mut command);
        // Of the digests SHA-256 is enough, and known to all.
        let wanted = text.lines().filter(|line| line.split_whitespace().nth(4) == Some("2"));
        let text: String = wanted.map(|line| format!("{line}\n")).collect();
        assert!(text.contains("DS"), "no DS of {zone}");
        text
    }

    /// Waits until `kdig` gets an answer.
    fn until(&mut self, question: &str, log: &Path) {
        for _ in 0..200 {
            let answered = output(&mut self.peer("kdig", question));
            if !answered.stdout.is_empty() && !answered.stdout.starts_with(b";;") {
                return;
            }
            let ended = self.servers.last_mut().and_then(|server| server.try_wait().ok().flatten());
            assert!(ended.is_none(), "a server has ended: {}", fs::read_to_string(log).unwrap_or_default());
            sleep(Duration::from_millis(50));
        }
        panic!("{question}: no answer; {}", fs::read_to_string(log).unwrap_or_default());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Where a program of `scripts/setup` is.
fn path_of(program: &str) -> String {
    tool(program).get_program().to_string_lossy().into_owned()
}

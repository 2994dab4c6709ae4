//! Real services of all kinds that come to TLS by a dialogue, each in a directory and at ports of its own, without rights.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::unistd::{Gid, Group, Uid, User, chown, getegid, geteuid};
use tempfile::TempDir;
use waddleperf::sys::{clock, wait};

use super::pki::{Identity, Pki, Wish};
use super::{record, report};
use crate::tool::{output, stdout, tool};

/// A service, gone when dropped.
struct Service {
    child: Child,
    ports: Vec<u16>,
    _place: Place,
}

/// Where a service lives, and as whom: not as root.
struct Place {
    dir: TempDir,
    user: User,
    group: Group,
}

impl Place {
    /// A place with `cert.pem` and `key.pem`.
    fn new(identity: &Identity) -> Self {
        let by_uid = |uid| User::from_uid(uid).expect("users").expect("a user");
        let (user, group) = match geteuid().is_root() {
            true => {
                let nobody = User::from_name("nobody").expect("users").expect("nobody");
                let group = nobody.gid;
                (nobody, group)
            }
            false => (by_uid(geteuid()), getegid()),
        };
        let group = Group::from_gid(group).expect("groups").expect("a group");
        let place = Self { dir: tempfile::tempdir().expect("a directory"), user, group };
        place.own(place.dir.path());
        place.write("cert.pem", &fs::read_to_string(&identity.chain).expect("a chain"));
        let key = place.write("key.pem", &fs::read_to_string(&identity.key).expect("a key"));
        fs::set_permissions(key, Permissions::from_mode(0o600)).expect("rights");
        place
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn own(&self, path: &Path) {
        let ids: (Uid, Gid) = (self.user.uid, self.group.gid);
        chown(path, Some(ids.0), Some(ids.1)).expect("give it away");
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).expect("write");
        self.own(&path);
        path
    }

    fn directory(&self, name: &str) -> String {
        let path = self.path(name);
        fs::create_dir(&path).expect("a directory");
        self.own(Path::new(&path));
        path
    }

    /// A program as this place's user.
    fn program(&self, mut command: Command, args: &[&str]) -> Command {
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env("HOME", self.dir.path()).env_remove("LISTEN_PID");
        if geteuid().is_root() {
            command.uid(self.user.uid.as_raw()).gid(self.group.gid.as_raw());
        }
        command
    }

    /// Starts a service and waits until it is there.
    fn start(self, command: Command, args: &[&str], ports: &[u16]) -> Service {
        let log = fs::File::create(self.path("log")).expect("a log");
        let mut command = self.program(command, args);
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("start {command:?}: {error}"));
        let end = clock::now().mono + Duration::from_secs(60);
        for port in ports {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err() {
                let ended = child.try_wait().expect("a child");
                let log = || fs::read_to_string(self.path("log")).unwrap_or_default();
                assert!(ended.is_none() && clock::now().mono < end, "{command:?} is not there: {}", log());
                wait::sleep(Duration::from_millis(20));
            }
        }
        Service { child, ports: ports.to_vec(), _place: self }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Whoever has children ends them when asked.
        let id = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let end = clock::now().mono + Duration::from_secs(10);
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && clock::now().mono < end {
            wait::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports that are free now.
fn free<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    held.each_ref().map(|held| held.local_addr().expect("an address").port())
}

/// What a program of PostgreSQL's is called here: Debian keeps them apart by version.
fn postgres(name: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let there = versions.map(|version| version.path().join("bin").join(name)).find(|path| path.is_file());
    there.map_or_else(|| tool(name), Command::new)
}

fn postgresql(identity: &Identity, ssl: &str) -> Service {
    let place = Place::new(identity);
    let data = place.path("data");
    let made = ["-D", &data, "-N", "-A", "trust", "--no-instructions", "--locale=C", "-E", "UTF8"];
    stdout(&mut place.program(postgres("initdb"), &made));
    let [port] = free();
    let (number, home) = (port.to_string(), place.path(""));
    let [cert, key] = [("ssl_cert_file", "cert.pem"), ("ssl_key_file", "key.pem")]
        .map(|(key, file)| format!("{key}={}", place.path(file)));
    let args = [
        "-D",
        &data,
        "-h",
        "127.0.0.1",
        "-p",
        &number,
        "-k",
        &home,
        "-F",
        "-c",
        ssl,
        "-c",
        &cert,
        "-c",
        &key,
        "-c",
        "shared_buffers=1MB",
        "-c",
        "max_connections=10",
    ];
    place.start(postgres("postgres"), &args, &[port])
}

fn mariadb(identity: &Identity) -> Service {
    let place = Place::new(identity);
    let [port] = free();
    let data = place.directory("data");
    // Without any tables: nobody gets further than TLS.
    let args = [
        "--no-defaults".to_owned(),
        format!("--datadir={data}"),
        format!("--port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--socket={}", place.path("sock")),
        format!("--pid-file={}", place.path("pid")),
        "--skip-grant-tables".to_owned(),
        "--skip-networking=0".to_owned(),
        "--innodb=OFF".to_owned(),
        "--default-storage-engine=MyISAM".to_owned(),
        format!("--ssl-cert={}", place.path("cert.pem")),
        format!("--ssl-key={}", place.path("key.pem")),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    place.start(tool("mariadbd"), &args, &[port])
}

fn slapd(identity: &Identity) -> Service {
    let place = Place::new(identity);
    let [port] = free();
    let (cert, key) = (place.path("cert.pem"), place.path("key.pem"));
    let text = format!("TLSCertificateFile {cert}\nTLSCertificateKeyFile {key}\nTLSVerifyClient never\n");
    place.write("conf", &text);
    let (conf, url) = (place.path("conf"), format!("ldap://127.0.0.1:{port}"));
    place.start(tool("slapd"), &["-f", &conf, "-h", &url, "-d", "0"], &[port])
}

fn vsftpd(identity: &Identity) -> Service {
    let place = Place::new(identity);
    let [port] = free();
    let text = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nrun_as_launching_user=YES\n\
         anonymous_enable=YES\nanon_root={}\nseccomp_sandbox=NO\nssl_enable=YES\nallow_anon_ssl=YES\n\
         rsa_cert_file={}\nrsa_private_key_file={}\n",
        place.directory("root"),
        place.path("cert.pem"),
        place.path("key.pem")
    );
    place.write("conf", &text);
    let conf = place.path("conf");
    place.start(tool("vsftpd"), &[&conf], &[port])
}

/// For clients, then for servers.
fn prosody(identity: &Identity) -> Service {
    let place = Place::new(identity);
    let [clients, servers] = free();
    let text = format!(
        "daemonize = false; data_path = \"{at}\"; pidfile = \"{at}/pid\"; log = {{ info = \"*console\" }}\n\
         interfaces = {{ \"127.0.0.1\" }}; c2s_ports = {{ {clients} }}; s2s_ports = {{ {servers} }}\n\
         modules_enabled = {{ \"tls\", \"saslauth\", \"c2s\", \"s2s\" }}; authentication = \"internal_hashed\"\n\
         ssl = {{ certificate = \"{at}/cert.pem\"; key = \"{at}/key.pem\" }}\nVirtualHost \"localhost\"\n",
        at = place.dir.path().display()
    );
    place.write("conf.lua", &text);
    let conf = place.path("conf.lua");
    place.start(tool("prosody"), &["--config", &conf], &[clients, servers])
}

/// IMAP, POP3, SMTP.
fn dovecot(identity: &Identity) -> Service {
    let place = Place::new(identity);
    let [imap, pop3, smtp] = free();
    let (user, group) = (&place.user.name, &place.group.name);
    let listener = |service: &str, name: &str, port: u16| {
        format!(
            "service {service}-login {{\n chroot =\n inet_listener {name} {{\n address = 127.0.0.1\n port = {port}\n }}\n\
             inet_listener {name}s {{\n port = 0\n }}\n}}\n"
        )
    };
    let services = [("imap", "imap", imap), ("pop3", "pop3", pop3), ("submission", "submission", smtp)]
        .map(|(service, name, port)| listener(service, name, port))
        .concat();
    let text = format!(
        "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = /dev/stderr\nprotocols = imap pop3 submission\n\
         default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
         ssl = required\nssl_cert = <{at}/cert.pem\nssl_key = <{at}/key.pem\nsubmission_relay_host = 127.0.0.1\n\
         mail_location = maildir:{at}/mail\npassdb {{\n driver = static\n args = nopassword=y\n}}\n\
         userdb {{\n driver = static\n args = uid={user} gid={group} home={at}\n}}\nservice anvil {{\n chroot =\n}}\n{services}",
        at = place.dir.path().display()
    );
    place.write("conf", &text);
    let conf = place.path("conf");
    place.start(tool("dovecot"), &["-F", "-c", &conf], &[imap, pop3, smtp])
}

/// A service of `pki`'s at `port` that is spoken to by `with`: we and openssl see the same.
#[track_caller]
fn is_met(pki: &Pki, with: &str, port: u16) {
    let ca = pki.root();
    let (code, found) = report(&format!("localhost:{port}"), &["--starttls", with, "--ca-file", &ca]);
    assert_eq!((code, &found["verify"]), (Some(0), &"ok".into()), "{with}: {found}");
    assert_eq!((&found["starttls"], &found["injected_bytes"]), (&with.into(), &0.into()), "{with}");
    let at = format!("127.0.0.1:{port}");
    let mut theirs = tool("openssl");
    theirs.args(["s_client", "-connect", &at, "-starttls", with, "-xmpphost", "localhost", "-CAfile", &ca]);
    let theirs = output(theirs.stdin(Stdio::null()));
    let theirs = String::from_utf8_lossy(&theirs.stdout).into_owned();
    let version = found["version"].as_str().expect("a version");
    assert!(theirs.contains(&format!("New, {version}, ")), "{with}: {version}\n{theirs}");
    assert!(theirs.contains("Verify return code: 0 (ok)"), "{with}: {theirs}");
}

#[test]
fn postgresql_is_met_and_without_tls_it_says_no() {
    let pki = Pki::new();
    let identity = pki.leaf(Wish::default());
    let service = postgresql(&identity, "ssl=on");
    is_met(&pki, "postgres", service.ports[0]);
    let bare = postgresql(&identity, "ssl=off");
    let args = ["--starttls", "postgres"];
    let (code, record) = record(&format!("127.0.0.1:{}", bare.ports[0]), &args);
    let failure = &record["outcome"]["failure"];
    assert_eq!((code, &failure["class"]), (Some(1), &"protocol".into()), "{record}");
    assert!(failure["detail"].as_str().is_some_and(|detail| detail.contains("it said N")), "{record}");
}

#[test]
fn dovecot_is_met_by_imap_pop3_and_smtp() {
    let pki = Pki::new();
    let service = dovecot(&pki.leaf(Wish::default()));
    for (with, port) in ["imap", "pop3", "smtp"].into_iter().zip(&service.ports) {
        is_met(&pki, with, *port);
    }
}

#[test]
fn prosody_is_met_by_clients_and_by_servers() {
    let pki = Pki::new();
    let service = prosody(&pki.leaf(Wish::default()));
    for (with, port) in ["xmpp", "xmpp-server"].into_iter().zip(&service.ports) {
        is_met(&pki, with, *port);
    }
    // It knows no other host, and says so.
    let args = ["--starttls", "xmpp", "--servername", "other.example"];
    let (_, record) = record(&format!("127.0.0.1:{}", service.ports[0]), &args);
    let detail = record["outcome"]["failure"]["detail"].as_str().expect("a failure");
    assert!(detail.contains("it said <?xml"), "{record}");
}

#[test]
fn slapd_mariadb_and_vsftpd_are_met() {
    let pki = Pki::new();
    let identity = pki.leaf(Wish::default());
    for (with, service) in
        [("ldap", slapd(&identity)), ("mysql", mariadb(&identity)), ("ftp", vsftpd(&identity))]
    {
        is_met(&pki, with, service.ports[0]);
    }
}

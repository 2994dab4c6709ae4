//! One run: who and how by the files, the way there, then the session on a thread of its own.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};
use ssh2::MethodType;
use tokio::time::timeout;

use super::config::Settings;
use super::disk::{CONFIGURATION, Disk, text, text_if_any};
use super::known::{self, Known, KnownHosts};
use super::line::{Line, Undone};
use super::login::Credentials;
use super::target::Destination;
use super::{
    Algorithms, Echo, HostKey, Login, Phases, Report, SshPing, Tests, Trust, banner, echo, transfer,
};
use crate::failure::{Class, Failure};
use crate::net::dial::{self, Connection};
use crate::probe::input::Input;
use crate::probe::own_thread::on_own_thread;
use crate::probe::{Ctx, Events, Found, Rtt, Target, TcpState, read_private};
use crate::stats::Sketch;
use crate::sys::clock;
use crate::sys::secret::{Revealed, Secret};
use crate::sys::wait::Stop;
use crate::wire::text::escape;

/// Where a system's known hosts are.
const SYSTEM_HOSTS: &str = "/etc/ssh/ssh_known_hosts";
/// The variable that may hold a password.
const PASSWORD: &str = "WADDLEPERF_SSH_PASSWORD";
/// Octets of a file of known hosts, or of a configuration.
const LARGEST: u64 = 16 << 20;
/// What a file of known hosts is called.
const HOSTS: &str = "known hosts";
/// Octets of the longest password.
const LONGEST: u64 = 4096;

/// What the files and the options say.
struct Plan {
    host: String,
    port: u16,
    /// How the server is called in files of known hosts.
    name: String,
    credentials: Credentials,
    known: KnownHosts,
    /// Where a new key is written.
    file: PathBuf,
}

impl SshPing {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        if !self.no_auth
            && let Err(failure) = ctx.policy.check_flag("logging in")
        {
            return Found::nothing(failure);
        }
        let asked = self.clone();
        let plan = on_own_thread("sshping-plan", ctx, move |stop| asked.plan(stop)).await.flatten();
        let plan = match plan {
            Ok(plan) => plan,
            Err(failure) => return Found::nothing(failure),
        };
        let deadline = clock::now().mono + self.deadline.0;
        let (peer, dns) = match self.resolve(ctx, &plan).await {
            Ok(found) => found,
            Err(failure) => return Found::nothing(failure),
        };
        let result = match self.connect(ctx, peer).await {
            Ok(connection) => {
                let phases = Phases {
                    dns,
                    connect: connection.rtt.or(Some(connection.stood - connection.began)),
                    ..Phases::default()
                };
                let (asked, events) = (self.clone(), ctx.events.clone());
                match connection.stream.into_std() {
                    Ok(socket) => {
                        let began = connection.stood;
                        on_own_thread("sshping", ctx, move |stop| {
                            asked.talk(&plan, socket, (phases, began), &events, stop, deadline)
                        })
                        .await
                        .flatten()
                    }
                    Err(error) => Err(Failure::from_io("take the connection", &error)),
                }
            }
            Err(failure) => Err(failure),
        };
        Found { address: Some(peer.ip()), result }
    }

    /// Reads what the files say.
    fn plan(&self, stop: &Stop) -> Result<Plan, Failure> {
        let asked = Destination::parse(self.target.as_str()).map_err(|why| Class::Usage.because(why))?;
        let home = std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
        let settings = self.settings(&asked.host, &home, stop)?;
        if let Some(proxy) = settings.proxy() {
            return Err(Class::Unsupported.because(format_args!(
                "reach {}: the ssh configuration leads there through {}, which is not measured; run this on that host, or \
                 name the host's own address and -F none",
                asked.host,
                escape(proxy)
            )));
        }
        let port = self.port.or(asked.port).or(settings.port).unwrap_or(22);
        let own = || User::from_uid(geteuid()).ok().flatten().map(|user| user.name);
        let user = self.login.clone().or(asked.user).or(settings.user).or_else(own);
        let user =
            user.ok_or_else(|| Class::Usage.because("log in: who you are is not known; name a user by -l"))?;
        let (file, known) = self.known(&home, stop)?;
        let secret = |what: &str, path: &Option<PathBuf>| match path {
            Some(path) => {
                let octets = read_private(what, path, LONGEST, stop)?;
                let text = String::from_utf8(octets)
                    .map_err(|_| Class::Usage.because(format_args!("{}: it is not text", path.display())))?;
                Ok(Some(Revealed::from(text)))
            }
            None => Ok(None),
        };
        let named = Secret::Env(PASSWORD.to_owned()).read().ok();
        // Where no key that was named is there, that is told before anybody is asked.
        let there: Vec<_> = self.identity.iter().map(|path| Input::check("key", path)).collect();
        if !self.no_auth && !there.iter().any(Result::is_ok) {
            there.into_iter().collect::<Result<(), _>>()?;
        }
        let keys = if self.identity.is_empty() { settings.identities } else { self.identity.clone() };
        let credentials = Credentials {
            user,
            agent: !self.no_agent && self.identity.is_empty(),
            keys,
            passphrase: secret("passphrase file", &self.passphrase_file)?,
            password: secret("password file", &self.password_file)?.or(named),
            home,
        };
        let name = known::name(&asked.host, port);
        let host = settings.hostname.unwrap_or(asked.host);
        Ok(Plan { host, port, name, credentials, known, file })
    }

    /// What the configuration says of `host`.
    fn settings(&self, host: &str, home: &Path, stop: &Stop) -> Result<Settings, Failure> {
        let text = match &self.ssh_config {
            Some(path) if path == Path::new("none") => String::new(),
            Some(path) => text(CONFIGURATION, path, LARGEST, stop)?,
            None => text_if_any(CONFIGURATION, &home.join(".ssh/config"), LARGEST, stop)?,
        };
        Settings::parse(&text, host, home, &Disk(stop))
    }

    /// Whose keys are known, and where a new one is written.
    fn known(&self, home: &Path, stop: &Stop) -> Result<(PathBuf, KnownHosts), Failure> {
        let file = self.known_hosts.clone().unwrap_or_else(|| home.join(".ssh/known_hosts"));
        let mut known = KnownHosts::parse(&text_if_any(HOSTS, &file, LARGEST, stop)?);
        if self.known_hosts.is_none() {
            known.extend(&text_if_any(HOSTS, Path::new(SYSTEM_HOSTS), LARGEST, stop)?);
        }
        Ok((file, known))
    }

    async fn resolve(&self, ctx: &Ctx, plan: &Plan) -> Result<(SocketAddr, Option<Duration>), Failure> {
        let began = clock::now().mono;
        let peer = ctx.peer(&Target::from(plan.host.as_str()), plan.port, &self.egress).await?;
        let is_name = plan.host.split('%').next().is_none_or(|host| host.parse::<IpAddr>().is_err());
        Ok((peer, is_name.then(|| clock::now().mono - began)))
    }

    async fn connect(&self, ctx: &Ctx, peer: SocketAddr) -> Result<Connection, Failure> {
        let way = self.egress.way();
        let connected = tokio::select! {
            connected = timeout(self.connect_timeout.0, dial::connect(peer, &way)) => connected,
            () = ctx.cancel.cancelled() => {
                return Err(Class::Cancelled.because("interrupted before there was anything to report"));
            }
        };
        match connected {
            Ok(connected) => connected.map_err(|unmade| unmade.failure(peer)),
            Err(_) => Err(Class::Timeout.because(format_args!("connect to {peer}: no answer in time"))),
        }
    }

    /// The session, over `socket`, which stood at `began`.
    fn talk(
        &self,
        plan: &Plan,
        socket: TcpStream,
        (mut phases, began): (Phases, Instant),
        events: &Events,
        stop: &Stop,
        deadline: Instant,
    ) -> Result<Report, Failure> {
        let line = Line::new(socket, stop, deadline)?;
        let banner = banner::await_line(line.socket(), stop, deadline)?;
        let mut last = clock::now().mono;
        phases.banner = banner.is_some().then(|| last.saturating_duration_since(began));
        let mut lap = || {
            let now = clock::now().mono;
            let span = now.saturating_duration_since(last);
            last = now;
            span
        };
        self.exchange(&line, plan)?;
        phases.kex = Some(lap());
        let host_key = self.judge(&line, plan)?;
        let mut report = Report {
            port: plan.port,
            banner,
            phases,
            algorithms: algorithms(&line),
            host_key,
            login: None,
            echo: None,
            upload: None,
            download: None,
            tcp: None,
            failures: Vec::new(),
        };
        if !self.no_auth {
            lap();
            let accepted = plan.credentials.log_in(&line)?;
            report.phases.auth = Some(lap());
            line.guard().trust();
            report.login = Some(Login {
                user: plan.credentials.user.clone(),
                method: accepted.method.to_owned(),
                offered: accepted.offered,
            });
            self.measure_through(&line, &mut report, events);
        }
        report.tcp = TcpState::of(line.socket().as_fd());
        let _ = line.session.disconnect(None, "measured", None);
        Ok(report)
    }

    /// Exchanges keys: for kinds of host keys that are known of the server first.
    fn exchange(&self, line: &Line<'_>, plan: &Plan) -> Result<(), Failure> {
        let kinds = plan.known.kinds(&plan.name);
        if let Some(known) =
            preferred(&kinds, &line.session.supported_algs(MethodType::HostKey).unwrap_or_default())
        {
            let _ = line.session.method_pref(MethodType::HostKey, &known);
        }
        // Ciphers are asked for in libssh2's order. AES-GCM first would be slower, whatever the processor can do: it is
        // worked out 16 octets at a time (100 MB took 0.34 s of processor time up and 0.45 s down, by ChaCha20-Poly1305 0.27
        // and 0.29 s).
        let mut session = line.session.clone();
        let done = line.patiently(|| session.handshake());
        done.map_err(|undone| match undone {
            Undone::Refused(_) if session.banner().is_none_or(|line| !line.starts_with("SSH-")) => {
                Class::Protocol.because("no ssh server: it says no line that begins with SSH-")
            }
            undone => undone.failure("exchange keys with the ssh server"),
        })
    }

    /// Whether the server's key is to be believed.
    fn judge(&self, line: &Line<'_>, plan: &Plan) -> Result<HostKey, Failure> {
        let key = line.session.host_key().map(|(key, _)| key.to_vec());
        let key = key.ok_or_else(|| Class::Protocol.because("the ssh server shows no key"))?;
        let fingerprint = known::fingerprint(&key);
        let kind = known::kind_of(&key).unwrap_or("unknown").to_owned();
        let refuse = |why: String| Err(Class::Auth.because(why));
        let trust = if self.no_auth {
            Trust::Unchecked
        } else if let Some(given) = &self.host_key {
            if *given != fingerprint {
                return refuse(format!(
                    "the key of {} is {fingerprint}, not the one of --host-key",
                    plan.name
                ));
            }
            Trust::Given
        } else {
            match plan.known.check(&plan.name, &key) {
                Known::Same => Trust::Known,
                Known::Revoked => {
                    return refuse(format!("the key of {} ({fingerprint}) has been revoked", plan.name));
                }
                Known::Changed => {
                    return refuse(format!(
                        "the key of {} is {fingerprint} ({kind}), and known hosts say otherwise: somebody may be in between; \
                         if it was changed on purpose, `ssh-keygen -R '{}'` forgets the old one",
                        plan.name, plan.name
                    ));
                }
                Known::Unknown if self.accept_new => {
                    known::add(&plan.file, &plan.name, &key).map_err(|error| {
                        Failure::from_io(format_args!("write the key to {}", plan.file.display()), &error)
                    })?;
                    Trust::Accepted
                }
                Known::Unknown => {
                    return refuse(format!(
                        "nothing is known of {}, whose key is {fingerprint} ({kind}): compare that with `ssh-keygen -lf` at \
                         the server, then give --host-key {fingerprint}, or let it in by --accept-new",
                        plan.name
                    ));
                }
            }
        };
        Ok(HostKey { kind, fingerprint, trust })
    }

    /// Echoes and transfers; what comes to nothing is noted.
    fn measure_through(&self, line: &Line<'_>, report: &mut Report, events: &Events) {
        if self.wants(Tests::Echo) {
            let plan = echo::Plan {
                count: self.count,
                time: Some(self.time.0),
                tty: self.tty,
                command: self.echo_command.clone(),
            };
            match echo::measure(line, &plan, events) {
                Ok(echoes) => {
                    report.phases.channel = Some(echoes.ready);
                    let mut rtt_sketch = Sketch::default();
                    echoes.times.iter().for_each(|(_, rtt)| rtt_sketch.push(rtt.as_secs_f64()));
                    report.echo = Some(Echo {
                        by: if self.tty { "tty" } else { "exec" }.to_owned(),
                        sent: echoes.sent,
                        received: echoes.times.len() as u64,
                        rtt: Rtt::of(&echoes.times),
                        rtt_sketch,
                    });
                    report.failures.extend(echoes.broken);
                }
                Err(failure) => report.failures.push(failure),
            }
        }
        if self.wants(Tests::Speed) && !line.is_over() {
            let by = if self.sftp { transfer::by_sftp } else { transfer::by_programs };
            let (up, down) = by(line, self.bytes());
            for (place, found) in [(&mut report.upload, up), (&mut report.download, down)] {
                match found {
                    Ok(transfer) => *place = Some(transfer),
                    Err(failure) if !report.failures.contains(&failure) => report.failures.push(failure),
                    Err(_) => {}
                }
            }
        }
    }
}

/// The algorithms for host keys in the order in which they are to be asked for: those of the kinds that are known first.
/// `None` where nothing is known, and libssh2's own order is as good.
fn preferred(known: &[&str], supported: &[&str]) -> Option<String> {
    let is_known = |algorithm: &&&str| {
        // Keys of RSA are known by one name and sign by three (RFC 8332).
        let kind = if algorithm.starts_with("rsa-sha2-") { "ssh-rsa" } else { algorithm };
        known.contains(&kind)
    };
    let first: Vec<&str> = supported.iter().filter(is_known).copied().collect();
    let rest = supported.iter().filter(|algorithm| !is_known(algorithm)).copied();
    (!first.is_empty()).then(|| first.iter().copied().chain(rest).collect::<Vec<_>>().join(","))
}

fn algorithms(line: &Line<'_>) -> Algorithms {
    let of = |method| line.session.methods(method).map(|name| escape(name).into_owned());
    Algorithms {
        kex: of(MethodType::Kex),
        host_key: of(MethodType::HostKey),
        cipher_up: of(MethodType::CryptCs),
        cipher_down: of(MethodType::CryptSc),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_for_the_kind_of_key_that_is_known() {
        let supported = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"];
        let rsa = preferred(&["ssh-rsa"], &supported).expect("an order");
        assert_eq!(rsa, "rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-ed25519,ecdsa-sha2-nistp256");
        assert_eq!(preferred(&[], &supported), None);
        assert_eq!(preferred(&["ssh-dss"], &supported), None);
    }
}

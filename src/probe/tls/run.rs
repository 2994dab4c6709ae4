//! One run: a handshake that believes everybody, a second one that resumes it, a scan where it is asked for; then the judgement.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::fmt::rfc2822;
use rustls::client::{ResolvesClientCert, Resumption as Memory};
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, SignatureScheme};
use tokio::sync::oneshot;

use super::finding::findings;
use super::link::{Answer, Opened, Way};
use super::report::{Http, Phases, Report, Resumption, Revocation, Scan, Staple};
use super::session::{Broken, Head, Session, Unheard};
use super::staple::staple;
use super::transparency::transparency;
use super::{Place, Tls, peek, scan};
use crate::failure::{Class, Failure};
use crate::net::tls::{self as client, Certificate, Sent, Shown, Trust, Verdict, Witness};
use crate::probe::{Ctx, Event, Found, Target};
use crate::sys::clock;
use crate::units::Now;
use crate::wire::text::{escape, printable};
use crate::wire::tls::{Flight, ServerHello, group_name, version_name};

/// Ports where TLS carries something else than HTTP from its first octet: there nobody is asked by HTTP.
const OTHERS: [u16; 15] = [465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 2376, 5061, 5223, 5671, 6697];
/// How long an answer by HTTP may take, beside a few round trips: of a server that has agreed to HTTP (ALPN), and of one that may
/// speak something else and never answer, while a server that serves one connection at a time keeps a scan waiting.
const HEARING: [Duration; 2] = [Duration::from_secs(1), Duration::from_millis(250)];
/// Sessions that are kept to be resumed.
const SESSIONS: usize = 4;

/// What a first connection has shown.
struct First {
    opened: Phases,
    early: Option<usize>,
    agreed: Option<client::Session>,
    flight: Flight,
    shown: Shown,
    error: Option<String>,
    resumption: Option<Resumption>,
    /// Its answer by HTTP, or why there is none.
    head: Result<Head, String>,
    wants_certificate: Option<bool>,
    /// The list of timestamps that came by TLS.
    timestamps: Option<Vec<u8>>,
}

/// A client that looks at everybody and can resume.
struct Client {
    witness: Arc<Witness>,
    config: ClientConfig,
    asked: Arc<Asked>,
}

/// Whether a server has asked for a certificate. It gets none.
#[derive(Debug, Default)]
struct Asked(AtomicBool);

impl ResolvesClientCert for Asked {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl Client {
    fn new(alpn: &[&[u8]]) -> Result<Self, Failure> {
        let (witness, asked) = (Witness::new(), Arc::<Asked>::default());
        let mut config = witness.modern_client(alpn)?;
        config.resumption = Memory::in_memory_sessions(SESSIONS);
        config.enable_early_data = true;
        config.client_auth_cert_resolver = Arc::clone(&asked) as _;
        Ok(Self { witness, config, asked })
    }

    /// The same, with its sessions, that offers `alpn`.
    fn offering(&self, alpn: &[&[u8]]) -> ClientConfig {
        let mut config = self.config.clone();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        config
    }
}

impl Tls {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        let began = clock::now();
        if self.ca_file.is_some()
            && let Err(failure) = ctx.policy.check_flag("--ca-file")
        {
            return Found::nothing(failure);
        }
        let place = match self.place() {
            Ok(place) => place,
            Err(fault) => return Found::nothing(fault.of_flag()),
        };
        // This host's authorities are read while the name is looked up.
        let target = Target::from(place.host.as_str());
        let looking = async {
            let asked = clock::now().mono;
            let peer = ctx.peer(&target, place.port, &self.egress).await;
            (peer, clock::now().mono.saturating_duration_since(asked))
        };
        let (trust, (peer, lookup)) = tokio::join!(self.trust(), looking);
        let (trust, peer) = match (trust, peer) {
            (Ok(trust), Ok(peer)) => (trust, peer),
            (Err(failure), _) | (_, Err(failure)) => return Found::nothing(failure),
        };
        let is_name = place.host.split('%').next().is_some_and(|host| host.parse::<IpAddr>().is_err());
        let dns = is_name.then_some(lookup);
        ctx.events.tell(Event::Started { address: peer.ip(), how: format!("tls, port {}", place.port) });
        let run = Run { asked: self, place: &place, way: self.way(peer, &place), began, trust };
        // The first handshake is alone, so that its time is its own; a scan does not wait for what comes after it.
        let (shaken, is_shaken) = oneshot::channel();
        let looking = async {
            tokio::select! {
                biased;
                () = ctx.cancel.cancelled() => Err(Class::Cancelled.because("interrupted before the handshake")),
                () = tokio::time::sleep_until(run.end().into()) => {
                    Err(Class::Timeout.because(format_args!("look at {peer}: not done in {}", self.deadline)))
                }
                report = run.look(dns, shaken) => report,
            }
        };
        let scanning = async {
            is_shaken.await.ok().filter(|()| self.scan)?;
            Some(run.scan(ctx).await)
        };
        let (result, scan) = tokio::join!(looking, scanning);
        let result = result.map(|report| match scan {
            Some(scan) => run.with_scan(report, scan),
            None => report,
        });
        Found { address: Some(peer.ip()), result }
    }

    async fn trust(&self) -> Result<Trust, Failure> {
        let file = self.ca_file.clone();
        let reading = tokio::task::spawn_blocking(move || match file {
            Some(file) => Trust::file(&file),
            None => Trust::system(),
        });
        reading.await.unwrap_or_else(|error| Err(Class::Internal.because(error)))
    }

    fn way(&self, peer: SocketAddr, place: &Place) -> Way {
        let host = place.sni().unwrap_or(&place.host).to_owned();
        Way { peer, egress: self.egress.way(), starttls: self.starttls, host, patience: self.timeout.0 }
    }
}

struct Run<'a> {
    asked: &'a Tls,
    place: &'a Place,
    way: Way,
    began: Now,
    trust: Trust,
}

impl Run<'_> {
    fn end(&self) -> Instant {
        self.began.mono + self.asked.deadline.0
    }

    async fn look(&self, dns: Option<Duration>, shaken: oneshot::Sender<()>) -> Result<Report, Failure> {
        let mut first = self.first(shaken).await?;
        first.opened.dns = dns;
        if let Some(tls) = first.opened.tls {
            let parts = [first.opened.dns, first.opened.connect, first.opened.starttls, Some(tls)];
            first.opened.total = Some(parts.into_iter().flatten().sum());
        }
        Ok(self.report(first))
    }

    /// Asks for everything that the server offers.
    async fn scan(&self, ctx: &Ctx) -> Scan {
        let plan = scan::Plan {
            name: self.place.sni().map(str::to_owned),
            apart: self.asked.rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.max(1)),
            end: self.end(),
            stop: ctx.cancel.clone(),
        };
        scan::scan(self.way.clone(), plan).await
    }

    fn with_scan(&self, report: Report, scan: Scan) -> Report {
        let mut report = Report { scan: Some(scan), ..report };
        report.findings = findings(&report, self.began.timestamp(), self.asked.expiry_warn.0);
        report
    }

    /// Shakes hands, which it tells `done`, and learns what else this connection and a second one can tell.
    async fn first(&self, done: oneshot::Sender<()>) -> Result<First, Failure> {
        let mut done = Some(done);
        let mut go_on = || done.take().map(|done| done.send(()));
        let client = Client::new(&self.asked.protocols())?;
        let Opened { stream, connect, starttls, early } = self.way.open().await?;
        let mut session = Session::new(stream, self.connection(client.config.clone())?);
        let shaken = session.shake(self.way.patience).await;
        let shown = client.witness.take();
        let mut first = First {
            opened: Phases {
                connect: Some(connect),
                starttls,
                tls: shaken.as_ref().ok().copied(),
                ..Phases::default()
            },
            early: starttls.map(|_| early),
            agreed: client::Session::of(&session.tls),
            flight: std::mem::take(&mut session.flight),
            shown: shown.unwrap_or_default(),
            error: shaken.as_ref().err().map(|broken| escape(&broken.why()).into_owned()),
            resumption: None,
            head: Err("the handshake did not come to its end".to_owned()),
            wants_certificate: shaken.is_ok().then(|| client.asked.0.load(Ordering::Relaxed)),
            timestamps: None,
        };
        match shaken {
            // The second connection and the look at timestamps do not wait for each other.
            Ok(_) => {
                go_on();
                let look = peek::timestamps(&self.way, self.place.sni());
                let ((), timestamps) = tokio::join!(self.more(&client, session, &mut first), look);
                first.timestamps = timestamps;
            }
            Err(_) if !(first.shown.chain.is_empty() && first.flight.certificates.is_empty()) => {}
            Err(broken) => match self.by_hand(&broken, session.strange.take()).await {
                Ok(flight) => first.flight = flight,
                Err(failure) if first.flight.hello.is_none() => return Err(failure),
                Err(_) => {}
            },
        }
        if first.shown.chain.is_empty() {
            let certificates = first.flight.certificates.iter();
            first.shown.chain = certificates.map(|der| CertificateDer::from(der.clone())).collect();
        }
        go_on();
        Ok(first)
    }

    fn connection(&self, config: ClientConfig) -> Result<ClientConnection, Failure> {
        let name = self.place.name.clone();
        ClientConnection::new(Arc::new(config), name)
            .map_err(|error| Class::Internal.because(format_args!("prepare tls: {error}")))
    }

    /// What a server shows of itself to a client of old, where the handshake was `broken` before it had shown anything.
    async fn by_hand(&self, broken: &Broken, strange: Option<Vec<u8>>) -> Result<Flight, Failure> {
        let wrong = |class: Class, why: &str| {
            class.because(format_args!("shake hands with {}: {}", self.way.peer, escape(why)))
        };
        if let Some(said) = strange {
            let why = format!("it does not speak TLS: it said {}", printable(&said));
            return Err(wrong(Class::Protocol, &why));
        }
        if !matches!(broken, Broken::Silent) {
            for hello in scan::any(self.place.sni()) {
                if let Answer::Said(flight) = self.way.ask(&hello).await
                    && flight.hello.is_some()
                {
                    return Ok(*flight);
                }
            }
        }
        Err(wrong(broken.class(), &broken.why()))
    }

    /// What a session tells: tickets, the clock; and whether a second connection resumes it.
    async fn more(&self, client: &Client, mut session: Session, first: &mut First) {
        let agreed = first.agreed.as_ref();
        let is_new = agreed.is_some_and(|agreed| agreed.version == "TLSv1.3");
        let alpn = agreed.and_then(|agreed| agreed.alpn.as_deref());
        let is_h2 = alpn == Some(b"h2");
        let refusal = self.speaks_no_http(alpn);
        let is_http = refusal.is_none();
        first.head =
            Err(refusal.unwrap_or_else(|| "it was asked for HTTP/1.1 and has HTTP/2 alone".to_owned()));
        if is_http && !is_h2 {
            let hearing = self.hearing(first.opened.tls, alpn.is_some());
            first.head = session.ask(&self.authority(), hearing).await.map_err(Unheard::why);
        } else if is_new {
            session.await_ticket().await;
        }
        let hello = first.flight.hello.as_ref();
        let ticket = if is_new {
            session.tls.tls13_tickets_received() > 0
        } else {
            hello.is_some_and(|hello| hello.has_ticket)
        };
        session.close().await;
        let session_id = (!is_new).then(|| hello.is_some_and(|hello| hello.has_session));
        let mut found = Resumption { ticket, session_id, ..Resumption::default() };
        // HTTP/1.1 is asked for the clock where HTTP/2 was agreed upon; a server that has no other is asked as before.
        let before = self.asked.protocols();
        let offers: &[&[&[u8]]] = if is_h2 && is_http { &[&[b"http/1.1"], &before] } else { &[&before] };
        for offer in offers {
            if !(ticket || session_id == Some(true) || is_h2) {
                break;
            }
            if let Some(mut second) = self.second(client.offering(offer), &mut found, is_new).await {
                let spoken = second.tls.alpn_protocol();
                if is_h2 && is_http && spoken.is_some_and(|name| name.starts_with(b"http/")) {
                    let hearing = self.hearing(first.opened.tls, true);
                    first.head = second.ask(&self.authority(), hearing).await.map_err(Unheard::why);
                }
                second.close().await;
                break;
            }
        }
        first.resumption = Some(found);
    }

    /// A second connection, of which `found` tells whether it resumed the session. `None` where there is none.
    async fn second(&self, config: ClientConfig, found: &mut Resumption, is_new: bool) -> Option<Session> {
        let opened = self.way.open().await.ok()?;
        let mut tls = self.connection(config).ok()?;
        let early = tls.early_data().is_some();
        let mut session = Session::new(opened.stream, tls);
        let time = session.shake(self.way.patience).await.ok()?;
        let resumed =
            client::Session::of(&session.tls).map(|agreed| agreed.resumed == client::Resumed::Resumed);
        let could = found.ticket || found.session_id == Some(true);
        found.resumed = resumed.filter(|_| could);
        found.early_data = (is_new && found.ticket).then_some(early);
        found.tls = Some(time).filter(|_| found.resumed == Some(true));
        Some(session)
    }

    /// Why nobody is asked by HTTP where `alpn` was agreed upon; `None` where it is asked.
    fn speaks_no_http(&self, alpn: Option<&[u8]>) -> Option<String> {
        let port = self.place.port;
        match (alpn, self.asked.starttls) {
            (Some(name), _) if name == b"h2" || name.starts_with(b"http/") => None,
            (Some(name), _) => Some(format!("it was not asked by HTTP: it chose {}", printable(name))),
            (None, Some(with)) => Some(format!("it was not asked by HTTP: it speaks {}", with.word())),
            (None, None) if OTHERS.contains(&port) => {
                Some(format!("it was not asked by HTTP: port {port} is for something else"))
            }
            (None, None) => None,
        }
    }

    /// How long an answer by HTTP may take after such a handshake; `agreed` where HTTP was agreed upon.
    fn hearing(&self, handshake: Option<Duration>, agreed: bool) -> Duration {
        let [known, unknown] = HEARING;
        let base = if agreed { known } else { unknown };
        self.way.patience.min(base + handshake.unwrap_or_default() * 4)
    }

    /// The host as HTTP names it.
    fn authority(&self) -> String {
        let host = self.place.sni().unwrap_or(self.place.host.split('%').next().unwrap_or_default());
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        if self.place.port == 443 { host } else { format!("{host}:{}", self.place.port) }
    }

    /// Judges what was shown.
    fn report(&self, first: First) -> Report {
        let now = self.began.timestamp();
        let chain = &first.shown.chain;
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let judged = self.trust.judge(chain, &self.place.name, seconds);
        let sent = Sent::all(chain, now);
        let transparency = {
            let own = sent.first().and_then(Sent::timestamps);
            transparency(own, first.timestamps.as_deref(), &first.shown.ocsp)
        };
        let built = client::build(&sent, &self.trust);
        let sent: Vec<Certificate> = sent.into_iter().map(Sent::shown).collect();
        let ocsp = staple(&first.shown.ocsp, sent.first());
        let hello = first.flight.hello.as_ref();
        let agreed = first.agreed;
        let alpn = agreed.as_ref().and_then(|agreed| agreed.alpn.as_deref());
        let alpn = alpn.or(hello.and_then(|hello| hello.alpn.as_deref())).map(printable);
        let said = first.head.and_then(|head| http(&head).ok_or_else(|| Unheard::Strange.why()));
        let mut report = Report {
            port: self.place.port,
            server_name: self.place.sni().map(str::to_owned),
            starttls: self.asked.starttls,
            injected_bytes: first.early.map(|early| early as u64),
            phases: first.opened,
            version: agreed
                .as_ref()
                .map(|agreed| agreed.version.to_owned())
                .or(hello.map(|hello| version_name(hello.version))),
            suite: agreed
                .as_ref()
                .map(|agreed| agreed.suite.clone())
                .or(hello.map(|hello| hello.suite.name())),
            group: agreed.and_then(|agreed| agreed.group).or_else(|| group_of(hello, &first.flight)),
            alpn,
            handshake_error: first.error,
            wants_client_certificate: first.wants_certificate,
            verify: verdict(judged.verdict(), &ocsp),
            verify_path: judged.path,
            name_match: judged.name,
            verify_error: judged.why.map(|why| escape(&why).into_owned()),
            chain: sent,
            chain_count: chain.len() as u64,
            built,
            expires_in_s: None,
            ocsp,
            transparency,
            resumption: first.resumption,
            http: said.as_ref().ok().copied(),
            http_error: said.err(),
            scan: None,
            findings: Vec::new(),
        };
        report.expires_in_s = report.built.expires_in(&report.chain, now);
        report.findings = findings(&report, now, self.asked.expiry_warn.0);
        report
    }
}

/// A staple that says "revoked" makes a good certificate bad.
fn verdict(judged: Verdict, ocsp: &Staple) -> Verdict {
    let is_revoked = ocsp.status == Some(Revocation::Revoked) && ocsp.matches == Some(true);
    if judged == Verdict::Ok && is_revoked { Verdict::Revoked } else { judged }
}

/// The group of a handshake that nobody finished.
fn group_of(hello: Option<&ServerHello>, flight: &Flight) -> Option<String> {
    let group = hello.and_then(|hello| hello.group).or(flight.exchange.and_then(|exchange| exchange.group));
    group.map(group_name)
}

/// What the head of an answer tells.
fn http(head: &Head) -> Option<Http> {
    let status = head.text.get(9..12)?.parse().ok()?;
    let mut lines = head.text.lines().filter_map(|line| line.split_once(':'));
    let date = lines.find(|(name, _)| name.eq_ignore_ascii_case("date")).map(|(_, value)| value.trim());
    let date = date.and_then(|date| rfc2822::parse(date).ok());
    // A Date is cut to whole seconds: half a second more is right on the average.
    let skew = |date: jiff::Zoned| date.timestamp().as_millisecond() as f64 + 500.0 - head.at as f64 / 1e6;
    Some(Http { status, clock_skew_ms: date.map(skew) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_tells_how_far_a_clock_is_off() {
        let at = 1_767_323_045_500_000_000;
        let skew = |text: &str| {
            http(&Head { text: text.to_owned(), at }).map(|http| (http.status, http.clock_skew_ms))
        };
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT", Some((200, Some(0.0)))),
            (
                "HTTP/1.1 404 No\r\nX: y\r\ndate:Fri, 02 Jan 2026 03:05:05 GMT\r\n",
                Some((404, Some(60_000.0))),
            ),
            ("HTTP/1.0 200\r\nDate: now", Some((200, None))),
            ("HTTP/1.1 x", None),
        ] {
            assert_eq!(skew(text), expected, "{text}");
        }
    }
}

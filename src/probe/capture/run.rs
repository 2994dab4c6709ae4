//! One run: who is meant, what filters, where it is captured; then a thread that does it, and the report.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use pnet::datalink;

use super::live::{Caught, Keeper, Live};
use super::private::Private;
use super::read::Reading;
use super::report::{Ended, Kept, Report, kept};
use super::sink::Sink;
use super::tally::Tally;
use super::{Capture, own};
use crate::failure::{Class, Failure};
use crate::probe::input::Input;
use crate::probe::own_thread::on_own_thread;
use crate::probe::rights::{Right, lacking};
use crate::probe::targets::Admission;
use crate::probe::{Ctx, Event, Found, Measure};
use crate::sys::filter::Operation;
use crate::sys::packet::{self, Ring, Setup, Statistics};
use crate::sys::{capability, clock, random};
use crate::units::Timestamp;
use crate::wire::filter::{BadExpression, Expression, Program, View};
use crate::wire::pcap::{Format, Link, Writer};

/// The most addresses of a name that a filter takes.
const MOST_ADDRESSES: usize = 32;
/// Every interface.
const ANY: &str = "any";
// Kinds of interfaces (ARPHRD_*).
const ETHERNET: u16 = 1;
const LOOPBACK: u16 = 772;
const NO_HEADER: [u16; 2] = [65534, 519];

/// What the names in an expression resolve to.
type Names = HashMap<String, Vec<IpAddr>>;

/// What filters: an expression, or a program as it was given.
#[derive(Clone)]
struct Filter {
    expression: Option<Expression>,
    names: Arc<Names>,
    program: Option<Program>,
}

impl Capture {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        if self.read.0 {
            return Found { address: None, result: self.read_file(ctx).await };
        }
        match self.addresses(ctx).await {
            Err(failure) => Found::nothing(failure),
            Ok(addresses) => {
                let result = self.capture(ctx, &addresses).await;
                Found { address: addresses.first().copied(), result }
            }
        }
    }

    /// The addresses of the target; none where there is no target.
    async fn addresses(&self, ctx: &Ctx) -> Result<Vec<IpAddr>, Failure> {
        let host = self.target();
        if host.is_open() {
            return Ok(Vec::new());
        }
        let first = ctx.resolver.first(host.as_str(), 0, |address| self.family.admits(address)).await?.ip();
        let mut addresses = vec![first];
        if host.as_str().parse::<IpAddr>().is_err() && !host.as_str().contains(['%', '[']) {
            let others = ctx.resolver.all(host.as_str()).await?;
            addresses.extend(others.into_iter().filter(|other| *other != first && self.family.admits(other)));
        }
        addresses.truncate(MOST_ADDRESSES);
        let rules = Admission::watching(ctx);
        addresses.iter().try_for_each(|address| rules.check(SocketAddr::new(*address, 0)))?;
        Ok(addresses)
    }

    async fn capture(&self, ctx: &Ctx, addresses: &[IpAddr]) -> Result<Report, Failure> {
        let interface = self.interface.clone().unwrap_or_else(|| route(addresses.first().copied()));
        if self.promisc && interface == ANY {
            return Err(Class::Usage.because("--promisc is for one interface: name it by -i"));
        }
        let link = link(&interface)?;
        let own = if self.own { None } else { own::expression() };
        let filter = self.filter(ctx, addresses, own.as_deref()).await?;
        let program = filter.compile(View::Kernel(link), self.most_octets())?;
        let operations: Vec<Operation> =
            program.iter().flat_map(Program::ops).map(|op| (op.code, op.jt, op.jf, op.k)).collect();
        let everything = [(6, 0, 0, self.most_octets())];
        let setup = Setup {
            interface: (interface != ANY).then_some(interface.as_str()),
            cooked: link == Link::Sll2,
            filter: if operations.is_empty() { &everything } else { &operations },
            promiscuous: self.promisc,
            ring: self.buffer as usize * 1024,
        };
        // The file first: what cannot be kept need not be captured.
        let keeper = self.keeper(link, &interface, &filter.text(), clock::now().wall)?;
        let ring = Ring::open(&setup).map_err(|error| refused(&interface, &error))?;
        let began = clock::now();
        give_up(ctx)?;
        let what = kept(self.most_octets());
        let how = format!("on {interface}, {what}, for {} at most; Ctrl-C ends it", self.duration);
        match addresses.first() {
            Some(address) => ctx.events.tell(Event::Started { address: *address, how }),
            None => ctx.events.tell(Event::Note { text: format!("captures {how}") }),
        }
        let events = ctx.events.clone();
        let live = Live { ring, keeper, events, began, duration: self.duration.0 };
        let rotates = self.rotates();
        let caught = on_own_thread("capture", ctx, move |stop| {
            shed(rotates)?;
            if let Some(sink) = &live.keeper.sink {
                sink.confine();
            }
            live.run(stop)
        });
        let Caught { keeper, ended, lasted, counts, beyond } = caught.await??;
        let mut report = report(keeper, ended)?;
        let Statistics { received, dropped } = counts;
        (report.received, report.dropped_kernel, report.dropped_limit) =
            (Some(received), Some(dropped), beyond);
        report.duration = Some(lasted);
        (report.interface, report.snaplen_bytes) = (Some(interface), Some(self.most_octets()));
        report.filter = Some(filter.text()).filter(|text| !text.is_empty());
        report.link = Some(link.name().to_owned());
        Ok(report)
    }

    async fn read_file(&self, ctx: &Ctx) -> Result<Report, Failure> {
        let name = self.target().to_string();
        let filter = self.filter(ctx, &[], None).await?;
        let file = Input::open("read", Path::new(&name))?;
        give_up(ctx)?;
        let (asked, text, compiled) = (self.clone(), filter.text(), filter.clone());
        let reading = Reading {
            file,
            name,
            filters: Box::new(move |link| compiled.compile(View::File(link), u32::MAX)),
            keeper: Box::new(move |link, moment| asked.keeper(link, "", &text, moment)),
        };
        // The files that it writes are opened when the first packet is there.
        let writes = self.write.is_some();
        let found = on_own_thread("capture", ctx, move |stop| {
            shed(writes)?;
            reading.run(stop)
        });
        let found = found.await??;
        let mut report = match found.keeper {
            Some(keeper) => {
                let link = keeper.link.name().to_owned();
                Report { link: Some(link), ..report(keeper, found.ended)? }
            }
            None => summed_up(&Tally::default(), found.ended, Vec::new()),
        };
        (report.received, report.dropped_kernel) = (found.received, found.dropped);
        (report.filtered, report.cut) = (found.filtered, found.cut);
        report.filter = Some(filter.text()).filter(|text| !text.is_empty());
        Ok(report)
    }

    /// What takes the packets in, from `moment` on.
    fn keeper(&self, link: Link, interface: &str, filter: &str, moment: u64) -> Result<Keeper, Failure> {
        let format = if self.pcap { Format::Classic } else { Format::Ng };
        let writer = Writer::new(format, link, self.most_octets(), interface, filter);
        let sink = self.write.as_deref().map(|path| Sink::open(self, path, writer, moment)).transpose()?;
        let private = match (self.anon, self.redact) {
            (true, _) => {
                let secret =
                    random::octets().map_err(|error| Failure::from_io("read random octets", &error))?;
                Some(Private::addresses(secret)?)
            }
            (false, true) => Some(Private::payload()),
            (false, false) => None,
        };
        // A file's packets are cut only where that was asked for.
        let snaplen = if self.read.0 && self.snaplen == Self::default().snaplen {
            u32::MAX
        } else {
            self.most_octets()
        };
        Ok(Keeper {
            link,
            snaplen,
            count: self.count.unwrap_or(u64::MAX),
            private,
            sink,
            tally: Tally::default(),
            scratch: Vec::new(),
        })
    }

    /// The filter of the target at `addresses`, the expression, and not the packets of `own`.
    async fn filter(&self, ctx: &Ctx, addresses: &[IpAddr], own: Option<&str>) -> Result<Filter, Failure> {
        let hosts: Vec<String> = addresses.iter().map(|address| format!("host {address}")).collect();
        let mut parts = Vec::new();
        parts.extend(own.map(|own| format!("not ({own})")));
        parts.extend((!hosts.is_empty()).then(|| format!("({})", hosts.join(" or "))));
        parts.extend(self.filter.as_ref().map(|filter| format!("({filter})")));
        let program = self.bpf.as_ref().map(|text| text.parse::<Program>()).transpose();
        let program = program.map_err(|bad| Class::Usage.because(format_args!("--bpf {bad}")))?;
        let text = match &parts[..] {
            // As it was written.
            [only] => {
                only.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(only).to_owned()
            }
            all => all.join(" and "),
        };
        let expression =
            (!text.is_empty()).then(|| Expression::parse(&text)).transpose().map_err(|bad| wrong(&bad))?;
        let mut names = Names::new();
        for name in expression.iter().flat_map(Expression::names) {
            names.insert(name.to_owned(), ctx.resolver.all(name).await?);
        }
        Ok(Filter { expression, names: Arc::new(names), program })
    }
}

impl Filter {
    /// The program for `view`; `None` where all is taken.
    fn compile(&self, view: View, snaplen: u32) -> Result<Option<Program>, Failure> {
        let addresses = |name: &str| self.names.get(name).cloned().unwrap_or_default();
        let compiled =
            self.expression.as_ref().map(|expression| expression.compile(view, snaplen, &addresses));
        let compiled = compiled.transpose().map_err(|bad| wrong(&bad))?;
        match (compiled, &self.program) {
            (Some(compiled), Some(program)) => {
                let both = compiled.and_then(program);
                both.map(Some).map_err(|bad| Class::Usage.because(format_args!("--bpf {bad}")))
            }
            (compiled, program) => Ok(compiled.or_else(|| program.clone())),
        }
    }

    fn text(&self) -> String {
        let expression = self.expression.as_ref().map(|expression| expression.text().to_owned());
        let program = self.program.as_ref().map(|program| format!("bpf {program}"));
        expression.into_iter().chain(program).collect::<Vec<_>>().join(" and ")
    }
}

fn wrong(bad: &BadExpression) -> Failure {
    Class::Usage.because(format_args!("--filter {bad}"))
}

/// In a process that is for this run alone, all that is not needed any more: of capabilities, but that of opening files.
fn give_up(ctx: &Ctx) -> Result<(), Failure> {
    if ctx.is_alone { shed(true) } else { Ok(()) }
}

fn shed(opens_files: bool) -> Result<(), Failure> {
    capability::shed(opens_files).map_err(|error| Failure::from_io("give up capabilities", &error))
}

/// The interface that leads to `target`, or all where that cannot be told.
fn route(target: Option<IpAddr>) -> String {
    let source = target.and_then(|target| {
        let any: IpAddr = if target.is_ipv4() { [0; 4].into() } else { [0u16; 8].into() };
        Some((crate::sys::route::source(any, SocketAddr::new(target, 9), None).ok()?, target))
    });
    let Some((source, target)) = source else {
        return ANY.to_owned();
    };
    let interfaces = datalink::interfaces();
    let has = |interface: &&datalink::NetworkInterface| {
        // What goes to an own address goes through the loopback interface.
        if source == target || target.is_loopback() {
            interface.is_loopback()
        } else {
            interface.ips.iter().any(|network| network.ip() == source)
        }
    };
    let found: Vec<_> = interfaces.iter().filter(has).collect();
    match found[..] {
        [one] => one.name.clone(),
        _ => ANY.to_owned(),
    }
}

/// What packets of `interface` begin with.
fn link(interface: &str) -> Result<Link, Failure> {
    if interface == ANY {
        return Ok(Link::Sll2);
    }
    let kind = packet::hardware(interface).map_err(|error| match error.raw_os_error() {
        Some(nix::libc::ENODEV) => {
            let known = datalink::interfaces().into_iter().map(|interface| interface.name);
            let known = known.take(20).collect::<Vec<_>>().join(", ");
            Class::Usage.because(format_args!(
                "-i {interface}: this host has no such interface; it has {known}, and any"
            ))
        }
        _ => Failure::from_io(format_args!("-i {interface}"), &error),
    })?;
    Ok(match kind {
        ETHERNET | LOOPBACK => Link::Ethernet,
        kind if NO_HEADER.contains(&kind) => Link::Raw,
        _ => Link::Sll2,
    })
}

/// Why the ring cannot be had.
fn refused(interface: &str, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        return lacking(format_args!("capture on {interface}"), Right::Raw, "reading a file needs nothing");
    }
    Failure::from_io(format_args!("capture on {interface}"), error)
}

/// The report of what was taken in; its files are on the disk.
fn report(keeper: Keeper, ended: Ended) -> Result<Report, Failure> {
    let files = keeper.sink.map(Sink::finish).transpose()?.unwrap_or_default();
    Ok(summed_up(&keeper.tally, ended, files))
}

pub(super) fn summed_up(tally: &Tally, ended: Ended, files: Vec<Kept>) -> Report {
    let moment = |stamp: u64| Timestamp::from_nanosecond(stamp.into()).ok();
    let span = tally.first.zip(tally.last).map(|(first, last)| std::time::Duration::from_nanos(last - first));
    Report {
        interface: None,
        link: None,
        filter: None,
        ended,
        first: tally.first.and_then(moment),
        duration: None,
        span,
        packets: tally.total.packets,
        bytes: tally.total.bytes,
        captured_bytes: tally.captured,
        snaplen_bytes: None,
        received: None,
        dropped_kernel: None,
        dropped_limit: 0,
        filtered: 0,
        cut: false,
        protocols: tally.protocols(),
        talkers: tally.talkers(),
        conversations: tally.conversations(),
        tcp: tally.tcp(),
        files,
    }
}

//! `bandwidth` and `serve` beside `iperf3`, on loopback: both ends ours beside both ends stock, and each of ours with a stock
//! other end. Throughput, processor seconds of both ends per GB, loss; many clients at once; how even a paced stream is.
//!
//! `cargo bench --bench bandwidth [-- WORD]` for the cases whose title has WORD. Medians of runs that take turns.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::{clock, wait};

use common::{BINARY, median, timed};

const RUNS: usize = 5;
/// That of all connections: BBR would pace each by its own timers and measure itself; Linux lets everybody have this one.
const CONGESTION: &str = "reno";

/// Who is at an end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Throws away what comes.
    Ours,
    /// Copies it.
    Copying,
    Stock,
}

/// A client and a server.
type Pair = (Who, Who);

const STOCK: Pair = (Who::Stock, Who::Stock);

/// What is compared: a title, the options, those of ours alone, and the pairs with the goal for each: of throughput, and of
/// processor time per octet.
struct Case {
    title: &'static str,
    args: &'static str,
    own: &'static str,
    pairs: &'static [(Pair, &'static str)],
}

const fn case(
    title: &'static str,
    args: &'static str,
    own: &'static str,
    pairs: &'static [(Pair, &'static str)],
) -> Case {
    Case { title, args, own, pairs }
}

const COPYING: Pair = (Who::Copying, Who::Copying);
const DISCARDING: Pair = (Who::Ours, Who::Ours);
/// Our client at a stock server, and a stock client at ours.
const CLIENT: Pair = (Who::Ours, Who::Stock);
const SERVER: Pair = (Who::Stock, Who::Ours);

const CASES: [Case; 9] = [
    case(
        "tcp 1 stream",
        "",
        "",
        &[
            (COPYING, "≥ 1.0x, ≤ 0.8x"),
            (DISCARDING, "≥ 1.5x, ≤ 0.55x"),
            (CLIENT, "≥ 1.0x"),
            (SERVER, "≥ 1.0x"),
        ],
    ),
    case(
        "tcp 4 streams",
        "-P 4",
        "",
        &[(COPYING, "≥ 1.2x"), (DISCARDING, ""), (CLIENT, "≥ 1.0x"), (SERVER, "≥ 1.0x")],
    ),
    case("tcp 16 streams", "-P 16", "", &[(COPYING, "≥ 1.2x"), (DISCARDING, "")]),
    case(
        "tcp -R",
        "-R",
        "",
        &[(COPYING, "≥ 1.0x"), (DISCARDING, "≥ 1.4x"), (CLIENT, "≥ 1.0x"), (SERVER, "≥ 1.0x")],
    ),
    case(
        "tcp --bidir",
        "--bidir",
        "",
        &[(COPYING, "≥ 1.2x"), (DISCARDING, "≥ 1.7x"), (CLIENT, "≥ 1.0x"), (SERVER, "≥ 1.0x")],
    ),
    case(
        "udp 1460 octets",
        "-u -b 0 -l 1460",
        "",
        &[(DISCARDING, "≥ 1.3x, 0 lost"), (CLIENT, "≥ 1.0x"), (SERVER, "≥ 1.0x")],
    ),
    case("udp 1460 octets, GSO and GRO", "-u -b 0 -l 1460", "--gso", &[(DISCARDING, "≥ 5x")]),
    case("udp 64 octets", "-u -b 0 -l 64", "", &[(DISCARDING, "≥ 3x packets a second")]),
    case("udp 64 octets, GSO and GRO", "-u -b 0 -l 64", "--gso", &[(DISCARDING, "≥ 3x packets a second")]),
];

/// Paced streams, and their octets a second.
const PACED: [(&str, f64); 4] =
    [("-b 1M", 125e3), ("-b 100M", 12_500e3), ("-u -b 1M -l 125", 125e3), ("-u -b 100M -l 1250", 12_500e3)];

fn main() {
    let word = std::env::args().skip(1).find(|word| !word.starts_with("--")).unwrap_or_default();
    println!("bandwidth: profile bench, loopback; clients take turns");
    let servers = Servers::start();
    for case in CASES.iter().filter(|case| case.title.contains(&word)) {
        compare(case, &servers);
    }
    if "32 clients at once".contains(&word) {
        crowd(&servers);
    }
    for (args, octets) in PACED.into_iter().filter(|_| "paced".contains(&word)) {
        paced(args, octets);
    }
}

fn compare(case: &Case, servers: &Servers) {
    let pairs: Vec<Pair> = std::iter::once(STOCK).chain(case.pairs.iter().map(|(pair, _)| *pair)).collect();
    let mut runs: Vec<Vec<[f64; 4]>> = vec![Vec::new(); pairs.len()];
    for _ in 0..RUNS {
        for (pair, runs) in pairs.iter().zip(&mut runs) {
            runs.push(servers.run(*pair, case));
        }
    }
    let column = |runs: &[[f64; 4]], n: usize| median(runs.iter().map(|run| run[n]));
    let all: Vec<[f64; 4]> = runs.iter().map(|runs| [0, 1, 2, 3].map(|n| column(runs, n))).collect();
    println!("{}", case.title);
    let [rate, cpu, packets, lost] = all[0];
    let is_udp = case.args.contains("-u");
    let flow = |packets: f64, lost: f64| match is_udp {
        true => format!("  {:>5.0} k/s  lost {lost:>5.2} %", packets / 1e3),
        false => String::new(),
    };
    println!("  stock, stock          {rate:>6.2} Gbit/s          {cpu:>6.3} s/GB{}", flow(packets, lost));
    for ((pair, goal), [ours, own, count, lost]) in case.pairs.iter().zip(&all[1..]) {
        let (faster, dearer) = (ours / rate, own / cpu);
        let name = format!("{}, {}", name(pair.0), name(pair.1));
        println!(
            "  {name:<21} {ours:>6.2} Gbit/s {faster:>5.2}x  {own:>6.3} s/GB {dearer:>5.2}x{}   {goal}",
            flow(*count, *lost)
        );
    }
}

fn name(who: Who) -> &'static str {
    match who {
        Who::Ours => "ours",
        Who::Copying => "copying",
        Who::Stock => "stock",
    }
}

/// 32 stock clients at once at our server: all end well, and together they are as fast as one.
fn crowd(servers: &Servers) {
    let client = |of: u32| {
        let mut command = Command::new("iperf3");
        command.args([
            "-J",
            "-t",
            "3",
            "-C",
            CONGESTION,
            "-c",
            "127.0.0.1",
            "-p",
            &servers.ours.port,
            "-T",
            &of.to_string(),
        ]);
        command.stdout(Stdio::piped()).spawn().expect("needs iperf3 (make setup-test)")
    };
    let rate = |mut child: Child| {
        let mut text = String::new();
        child.stdout.take().expect("its stdout").read_to_string(&mut text).expect("text");
        let is_well = child.wait().expect("it ends").success();
        let document: Value = serde_json::from_str(&text).expect("a document");
        (is_well, document["end"]["sum_received"]["bits_per_second"].as_f64().unwrap_or(0.0) / 1e9)
    };
    let (mut alone, mut together, mut well) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        alone.push(rate(client(0)).1);
        let all: Vec<Child> = (0..32).map(client).collect();
        let all: Vec<(bool, f64)> = all.into_iter().map(rate).collect();
        well.push(all.iter().filter(|(is_well, rate)| *is_well && *rate > 0.0).count() as f64);
        together.push(all.iter().map(|(_, rate)| rate).sum::<f64>());
    }
    let (alone, together) = (median(alone), median(together));
    println!("32 clients at once");
    println!(
        "  {} of 32 ended well, {together:.2} Gbit/s, one alone {alone:.2}: {:.2}x   ≥ 0.95x",
        median(well),
        together / alone
    );
}

/// How even a paced stream is: the mean of how far each 10 ms are from the rate, in a capture of loopback.
fn paced(args: &str, rate: f64) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        ours.push(unevenness(Command::new(BINARY).arg("bandwidth"), args, rate));
        theirs.push(unevenness(&mut Command::new("iperf3"), args, rate));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("paced, {args}");
    println!("  error of 10 ms: {ours:.2} %, iperf3 {theirs:.2} %: {:.3}x   ≤ 0.5x", ours / theirs);
}

/// The mean error of bins of 10 ms, in percent of the `octets` a second that belong there.
fn unevenness(client: &mut Command, args: &str, octets: f64) -> f64 {
    let server = Server::stock();
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut capture = Command::new("tcpdump");
    capture.args(["-i", "lo", "-s", "96", "-B", "65536", "-w"]).arg(file.path());
    capture.arg(format!("dst port {}", server.port));
    let mut capture = capture.stderr(Stdio::piped()).spawn().expect("needs tcpdump (make setup-test)");
    let mut said = BufReader::new(capture.stderr.take().expect("its stderr"));
    said.read_line(&mut String::new()).expect("it says that it listens");
    wait::sleep(Duration::from_millis(300));
    client.args(["-t", "4", "-p", &server.port, "-c", "127.0.0.1"]).args(args.split_whitespace());
    assert!(client.stdout(Stdio::null()).status().expect("it runs").success());
    wait::sleep(Duration::from_millis(300));
    let id = nix::unistd::Pid::from_raw(capture.id().cast_signed());
    nix::sys::signal::kill(id, nix::sys::signal::SIGTERM).expect("a signal");
    capture.wait().expect("it ends");
    let packets = packets(file.path());
    // Its first half second is the beginning, and its last one the end.
    let (begin, each) = (packets[0].0 + 0.5, octets / 100.0);
    let mut bins = vec![0.0; 300];
    for (time, length) in packets {
        let bin = (time - begin) / 0.01;
        if (0.0..300.0).contains(&bin) {
            bins[bin as usize] += length;
        }
    }
    bins.iter().map(|sum| (sum - each).abs() / each).sum::<f64>() / 300.0 * 100.0
}

/// When each packet of a capture came, in seconds, and its payload's octets.
fn packets(file: &std::path::Path) -> Vec<(f64, f64)> {
    let output =
        Command::new("tcpdump").args(["-tt", "-n", "-q", "-r"]).arg(file).output().expect("it reads");
    let text = String::from_utf8_lossy(&output.stdout);
    let packet = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next_back()?.parse().ok()?))
    };
    text.lines().filter_map(packet).collect()
}

/// One server of each kind.
struct Servers {
    ours: Server,
    copying: Server,
    stock: Server,
}

impl Servers {
    fn start() -> Self {
        Self { ours: Server::ours(false), copying: Server::ours(true), stock: Server::stock() }
    }

    /// Gbit/s that came, processor seconds of both ends per GB, datagrams a second, percent lost: by the form of a report that
    /// all have.
    fn run(&self, (client, server): Pair, case: &Case) -> [f64; 4] {
        let server = match server {
            Who::Ours => &self.ours,
            Who::Copying => &self.copying,
            Who::Stock => &self.stock,
        };
        let mut command = match client {
            Who::Stock => Command::new("iperf3"),
            _ => Command::new(BINARY),
        };
        match client {
            Who::Stock => {}
            Who::Ours => drop(command.arg("bandwidth").args(case.own.split_whitespace())),
            Who::Copying => drop(command.args(["bandwidth", "--rx-copy"]).args(case.own.split_whitespace())),
        }
        command.args(["-J", "-t", "2", "-p", &server.port, "-c", "127.0.0.1"]);
        if !case.args.contains("-u") {
            command.args(["-C", CONGESTION]);
        }
        let before = server.processor();
        let (output, _, client) = timed(|| command.args(case.args.split_whitespace()).output());
        let output = output.expect("needs iperf3 (make setup-test)");
        let time = client + server.processor() - before;
        let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
        let end = &document["end"];
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        let sums = [&end["sum_received"], &end["sum_received_bidir_reverse"]];
        let octets: f64 = sums.iter().map(|sum| number(&sum["bytes"])).sum();
        let rate: f64 = sums.iter().map(|sum| number(&sum["bits_per_second"])).sum();
        assert!(octets > 0.0, "{document}");
        let packets = number(&end["sum"]["packets"]) - number(&end["sum"]["lost_packets"]);
        let seconds = number(&end["sum"]["seconds"]).max(1e-9);
        [
            rate / 1e9,
            time.as_secs_f64() / (octets / 1e9),
            packets / seconds,
            number(&end["sum"]["lost_percent"]),
        ]
    }
}

/// A server that runs; killed when dropped.
struct Server {
    child: Child,
    port: String,
    /// What it prints goes on being read by nobody, and must not end it.
    _out: Option<ChildStdout>,
    _data: Option<tempfile::TempDir>,
}

impl Server {
    fn stock() -> Self {
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let port = free.port().to_string();
        let mut command = Command::new("iperf3");
        command.args(["-s", "-p", &port]).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self {
            child: command.spawn().expect("needs iperf3 (make setup-test)"),
            port,
            _out: None,
            _data: None,
        };
        let until = clock::now().mono + Duration::from_secs(5);
        while TcpStream::connect(free).is_err() {
            assert!(clock::now().mono < until, "iperf3 -s does not listen");
            wait::sleep(Duration::from_millis(20));
        }
        // It takes that for a client which left.
        wait::sleep(Duration::from_millis(300));
        server
    }

    /// Without limits, as a stock server is.
    fn ours(copies: bool) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let file = data.path().join("config.toml");
        let config = format!(
            "[serve.iperf3]\nsessions = 64\nsessions_per_source = 64\nstreams = 0\ntime = \"0s\"\nrate = 0\n\
             udp_rate = 0\nbytes = 0\nbytes_per_source = 0\nbytes_total = 0\nwindow = 0\ntests_per_minute = 0\nrx_copy = {copies}\n"
        );
        fs::write(&file, config).expect("written");
        let mut command = Command::new(BINARY);
        command.args(["serve", "--listen", "udpping=off", "--listen", "iperf3=127.0.0.1:0"]);
        command.arg("--config").arg(&file).arg("--data").arg(data.path().join("data"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its stdout"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(lines.read_line(&mut line).expect("text") > 0, "it says where it listens");
            let address = line.trim_end().strip_prefix("iperf3 listens on udp ");
            if let Some((_, port)) = address.and_then(|address| address.rsplit_once(':')) {
                break port.to_owned();
            }
        };
        Self { child, port, _out: Some(lines.into_inner()), _data: Some(data) }
    }

    /// Its processor time so far (proc(5)).
    fn processor(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let fields = stat.rsplit_once(')').expect("a name in brackets").1;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().expect("ticks"))
            .sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

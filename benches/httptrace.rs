//! `httptrace` beside curl: whole processes, and the phases that both tell, on a server of this process's own.
//!
//! `cargo bench --bench httptrace`; the two take turns, so that the machine is the same. Medians of [`RUNS`].

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use common::{BINARY, median, timed};

const RUNS: usize = 41;
/// What curl tells of a request, in seconds since its beginning.
const FORMAT: &str = "%{time_namelookup} %{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer} %{time_total}\\n";
const NAMES: [&str; 6] = ["lookup", "connect", "appconnect", "pretransfer", "starttransfer", "total"];
/// Octets of a body.
const BODY: usize = 100_000;
/// Debian's authorities (ca-certificates).
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

fn main() {
    println!("httptrace: profile bench, loopback, beside curl; medians of {RUNS} runs that take turns");
    let directory = tempfile::tempdir().expect("a directory");
    let (config, ca) = certified(directory.path());
    // What a link would add is the server's thinking time here: the phases are compared where they are of a usual length.
    // As most people ask: with all authorities of a distribution to choose from.
    let many = directory.path().join("many.pem");
    let bundle = fs::read_to_string(BUNDLE).unwrap_or_else(|error| panic!("needs {BUNDLE}: {error}"));
    fs::write(&many, bundle + &fs::read_to_string(&ca).expect("the certificate")).expect("write");
    let many = many.to_str().expect("a path in UTF-8");
    for (what, tls, think, ca) in [
        ("http, at once", false, 0, ca.as_str()),
        ("https, at once", true, 0, &ca),
        ("https, at once, all authorities", true, 0, many),
        ("https, thinks 20 ms", true, 20, &ca),
    ] {
        let at = serve(tls.then(|| Arc::clone(&config)), think);
        let url = format!("{}://{at}/", if tls { "https" } else { "http" });
        let words = ["-s", "-o", "/dev/null", "--http1.1", "--cacert", ca, "-w", FORMAT, &url];
        let ours = [&["httptrace", "--no-save"][..], &words].concat();
        let (mut mine, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            mine.push(run(BINARY, &ours));
            theirs.push(run("curl", &words));
        }
        println!("{what}");
        let wall = |runs: &[Run]| median(runs.iter().map(|run| run.wall));
        let (wall, peer) = (wall(&mine), wall(&theirs));
        println!(
            "  process        {:>8.2} ms  curl {:>8.2} ms  {:>+7.2} ms  (goal: ≤ +3 ms)",
            wall * 1e3,
            peer * 1e3,
            (wall - peer) * 1e3
        );
        for (n, name) in NAMES.iter().enumerate() {
            let part = |runs: &[Run]| median(runs.iter().map(|run| run.told[n]));
            let (own, peer) = (part(&mine), part(&theirs));
            println!(
                "  {name:<14} {:>8.3} ms  curl {:>8.3} ms  {:>7.2}x    (goal: within 5 %, or 0.2 ms)",
                own * 1e3,
                peer * 1e3,
                own / peer
            );
        }
    }
}

/// One run of a client: how long its process took, and what it told, in seconds.
struct Run {
    wall: f64,
    told: [f64; NAMES.len()],
}

fn run(program: &str, words: &[&str]) -> Run {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stderr(Stdio::inherit());
    let (output, wall, _) = timed(|| command.output());
    let output = output.unwrap_or_else(|error| panic!("needs {program} (make setup-test): {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut told = [0.0; NAMES.len()];
    for (place, word) in told.iter_mut().zip(text.split_whitespace()) {
        *place = word.parse().unwrap_or_else(|_| panic!("{program}: {text}"));
    }
    assert!(output.status.success() && told[5] > 0.0, "{program} {words:?}: {text}");
    Run { wall: wall.as_secs_f64(), told }
}

/// A certificate for loopback and its key; where the former is in a file.
fn certified(directory: &Path) -> (Arc<ServerConfig>, String) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let file = directory.join("ca.pem");
    fs::write(&file, own.cert.pem()).expect("write");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .expect("a key");
    (Arc::new(config), file.to_str().expect("a path in UTF-8").to_owned())
}

/// Answers each request after `think` milliseconds; it ends with the process.
fn serve(tls: Option<Arc<ServerConfig>>, think: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = tls.clone();
            thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                // A client that goes away is no business of ours.
                let _ = match tls {
                    None => answer(stream, think),
                    Some(config) => {
                        let connection = ServerConnection::new(config).expect("a connection");
                        answer(StreamOwned::new(connection, stream), think)
                    }
                };
            });
        }
    });
    at
}

fn answer(stream: impl Read + Write, think: u16) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
    }
    nix::poll::poll(&mut [], think)?;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n");
    let whole = [head.as_bytes(), &[b'x'; BODY]].concat();
    stream.get_mut().write_all(&whole)?;
    stream.get_mut().flush()
}

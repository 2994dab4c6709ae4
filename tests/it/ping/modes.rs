//! TCP, TLS, HTTP, QUIC and DNS against servers that are known, refuse, or lie.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;
use std::sync::Arc;
use std::thread;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::{numbers, report_of, run};
use crate::lab::{Hook, Lab, Units, alone};
use crate::tool::tool;

fn found(lab: &Lab, arguments: &str) -> Value {
    report_of(&run(lab.client(), &format!("{arguments} --json --catch-up -i 20ms")))
}

#[test]
fn a_connection_and_a_refusal_are_replies_and_silence_is_none() {
    let lab = Lab::line(1).build();
    let server = lab.server();
    let listener = server.run(|| TcpListener::bind("[::]:0").expect("a listener"));
    let port = listener.local_addr().expect("an address").port();
    for target in [server.address4().to_string(), server.address6().to_string()] {
        let open = found(&lab, &format!("{target} --port {port} -c 3"));
        let counts = ["/counts/sent", "/counts/received", "/closed", "/syn_retransmits"];
        assert_eq!(numbers(&open, counts), [3, 3, 0, 0], "{open}");
        assert_eq!((&open["mode"], &open["clock"]), (&json!("tcp"), &json!("kernel")), "{open}");
        let closed = found(&lab, &format!("{target} --port 9 -c 3"));
        assert_eq!(numbers(&closed, counts), [3, 3, 3, 0], "{closed}");
    }
    let _silent = lab.router(1).rule(Hook::Forward, "tcp dport 9", "drop");
    let silent = found(&lab, &format!("{} --port 9 -c 2 -W 0.3", server.address4()));
    assert_eq!(numbers(&silent, ["/counts/sent", "/counts/received"]), [2, 0], "{silent}");
}

#[test]
fn a_lost_syn_is_no_latency() {
    let lab = Lab::line(1).build();
    let listener = lab.server().run(|| TcpListener::bind("0.0.0.0:0").expect("a listener"));
    let port = listener.local_addr().expect("an address").port();
    let _lossy =
        lab.router(1).rule(Hook::Forward, "tcp flags & (syn|ack) == syn numgen inc mod 2 == 0", "drop");
    let found = found(&lab, &format!("{} --port {port} -c 1 -W 3", lab.server().address4()));
    assert_eq!(numbers(&found, ["/counts/received", "/syn_retransmits"]), [1, 1], "{found}");
}

#[test]
fn the_time_of_a_connection_is_the_paths() {
    let _alone = alone();
    let right = (0..5).any(|_| {
        let lab = Lab::line(0).delay(10.ms()).build();
        let listener = lab.server().run(|| TcpListener::bind("0.0.0.0:0").expect("a listener"));
        let port = listener.local_addr().expect("an address").port();
        let found = found(&lab, &format!("{} --port {port} -c 10", lab.server().address4()));
        let p50 = found["rtt"]["p50_ms"].as_f64().expect("a median");
        println!("p50 {p50} ms");
        (20.0..20.5).contains(&p50)
    });
    assert!(right);
}

#[test]
fn a_handshake_has_its_phases_and_no_judge() {
    let lab = Lab::line(0).build();
    let place = tempfile::tempdir().expect("a directory");
    let path = |name: &str| place.path().join(name).to_str().expect("UTF-8").to_owned();
    let (key, certificate) = (path("key"), path("certificate"));
    let mut openssl = tool("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
    ]);
    openssl.args(["-subj", "/CN=nobody.example", "-keyout", &key, "-out", &certificate]);
    crate::tool::stdout(&mut openssl);
    let mut server = lab.server().command("openssl");
    server.args(["s_server", "-accept", "4433", "-key", &key, "-cert", &certificate, "-www"]);
    let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("start openssl");
    let mut lines = BufReader::new(server.stdout.take().expect("stdout is piped")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("ACCEPT"))), "openssl does not listen");
    let target = lab.server().address4();
    let tls = found(&lab, &format!("{target} --mode tls --port 4433 -c 3"));
    assert_eq!(numbers(&tls, ["/counts/received"]), [3], "{tls}");
    let time = |pointer: &str| {
        tls.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {tls}"))
    };
    assert!(time("/rtt/p50_ms") > time("/phases/tls_ms") && time("/phases/connect_ms") > 0.0, "{tls}");
    let secured = https(&lab, &key, &certificate);
    let https =
        found(&lab, &format!("https://{target}:{secured}/ --mode http -c 3 --per-target-interval 200ms"));
    assert_eq!(numbers(&https, ["/counts/received"]), [3], "{https}");
    assert!(https["phases"]["tls_ms"].is_f64() && https["phases"]["first_byte_ms"].is_f64(), "{https}");
    let plain = found(&lab, &format!("{target} --mode tls --port 9 -c 1"));
    assert_eq!(numbers(&plain, ["/closed"]), [1], "{plain}");
    server.kill().expect("stop openssl");
    server.wait().expect("wait for openssl");
}

/// Serves the requests of each connection over TLS, as many as a slow host makes; the port.
fn https(lab: &Lab, key: &str, certificate: &str) -> u16 {
    let chain = vec![CertificateDer::from_pem_file(certificate).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let config = Arc::new(config.with_single_cert(chain, key).expect("a configuration"));
    let listener = lab.server().run(|| TcpListener::bind("0.0.0.0:0").expect("a listener"));
    let port = listener.local_addr().expect("an address").port();
    let serve = move |stream: TcpStream| {
        let connection = rustls::ServerConnection::new(config.clone()).expect("a connection");
        let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
            if std::mem::take(&mut line) == "\r\n"
                && stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_err()
            {
                return;
            }
        }
    };
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            let stream = stream.expect("a connection");
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Serves `answer` to each request of each connection; returns the number of connections at the end of `connections`.
fn http(listener: TcpListener, answer: &'static str, connections: usize) -> thread::JoinHandle<Vec<usize>> {
    let serve = move |stream: std::io::Result<TcpStream>| {
        let mut stream = stream.expect("a connection");
        let mut lines = BufReader::new(stream.try_clone().expect("the same")).lines();
        let mut requests = 0;
        while lines.by_ref().map_while(Result::ok).any(|line| line.is_empty()) {
            requests += 1;
            if stream.write_all(answer.as_bytes()).is_err() || answer.contains("close") {
                break;
            }
        }
        requests
    };
    thread::spawn(move || listener.incoming().take(connections).map(serve).collect())
}

#[test]
fn a_kept_connection_serves_every_request_and_the_first_is_told_apart() {
    let lab = Lab::line(0).build();
    let listen = || lab.server().run(|| TcpListener::bind("0.0.0.0:0").expect("a listener"));
    let target = lab.server().address4();
    for (answer, connections, requests) in [
        ("HTTP/1.1 404 No\r\nContent-Length: 7\r\n\r\n", 1, vec![5]),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 4, vec![1; 4]),
    ] {
        let listener = listen();
        let port = listener.local_addr().expect("an address").port();
        let served = http(listener, answer, connections);
        let found =
            found(&lab, &format!("http://{target}:{port}/x --mode http -c 4 --per-target-interval 200ms"));
        assert_eq!(numbers(&found, ["/counts/sent", "/counts/received"]), [4, 4], "{found}");
        assert!(found["phases"]["first_byte_ms"].is_f64(), "{found}");
        assert_eq!(served.join().expect("the server"), requests);
    }
    let listener = listen();
    let port = listener.local_addr().expect("an address").port();
    let served = http(listener, "SSH-2.0-liar\r\n\r\n", 2);
    let liar = found(&lab, &format!("http://{target}:{port}/ --mode http -c 2"));
    assert_eq!(numbers(&liar, ["/counts/sent", "/counts/received"]), [2, 0], "{liar}");
    drop(served);
}

/// Answers `count` datagrams with what `answer` makes of them.
fn serve(
    socket: UdpSocket,
    count: usize,
    answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> SocketAddr {
    let address = socket.local_addr().expect("an address");
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        for _ in 0..count {
            let (length, from) = socket.recv_from(&mut buffer).expect("a request");
            for reply in answer(&buffer[..length]) {
                socket.send_to(&reply, from).expect("send");
            }
        }
    });
    address
}

#[test]
fn any_answer_of_a_dns_server_is_a_reply() {
    let lab = Lab::line(0).build();
    let socket = lab.server().run(|| UdpSocket::bind("0.0.0.0:0").expect("a socket"));
    let address = serve(socket, 3, |request| {
        let mut reply = request.to_vec();
        (reply[2], reply[3]) = (0x81, 0x85);
        let mut other = reply.clone();
        other[13] ^= 1;
        // Somebody guesses the identifier, but not the question.
        vec![other, reply]
    });
    let target = lab.server().address4();
    let found = found(&lab, &format!("{target} --mode dns --name a.example --port {} -c 3", address.port()));
    assert_eq!(numbers(&found, ["/counts/received", "/corrupt"]), [3, 3], "{found}");
    let refused = run(lab.client(), &format!("{target} --mode dns --port 9 -c 1"));
    let line = format!("from {target}: seq=0 Destination Port Unreachable");
    assert!(super::said(&refused).contains(&line), "{}", super::said(&refused));
}

#[test]
fn a_quic_server_names_its_versions_and_a_forger_is_not_believed() {
    let lab = Lab::line(0).build();
    let socket = lab.server().run(|| UdpSocket::bind("0.0.0.0:0").expect("a socket"));
    let address = serve(socket, 2, |request| {
        assert!(request.len() >= 1200 && request[1..5] == [0x1a, 0x2a, 0x3a, 0x4a]);
        let (destination, source) = (&request[6..14], &request[15..23]);
        let reply = |to: &[u8], from: &[u8]| [&[0x80, 0, 0, 0, 0, 8], to, &[8], from, &[0, 0, 0, 1]].concat();
        vec![reply(destination, source), reply(source, source), reply(source, destination)]
    });
    let target = lab.server().address4();
    let found = found(&lab, &format!("{target} --mode quic --port {} -c 2", address.port()));
    assert_eq!(numbers(&found, ["/counts/received", "/ignored"]), [2, 4], "{found}");
    assert_eq!(found["versions"], json!([1]));
}

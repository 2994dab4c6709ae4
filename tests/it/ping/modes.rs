//! TCP, TLS, HTTP, QUIC and DNS against servers that are known, refuse, or lie.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
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
        let lines = super::said(&run(lab.client(), &format!("{target} --port 9 -c 1")));
        assert!(lines.contains(" ms closed\n"), "{lines}");
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
    let (key, certificate) = certified(place.path());
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
        found(&lab, &format!("https://{target}:{secured}/ --mode http -c 3 --per-target-interval 1s"));
    assert_eq!(numbers(&https, ["/counts/received"]), [3], "{https}");
    assert!(https["phases"]["tls_ms"].is_f64() && https["phases"]["first_byte_ms"].is_f64(), "{https}");
    server.kill().expect("stop openssl");
    server.wait().expect("wait for openssl");
}

/// A key and a certificate of nobody, in files of `place`.
fn certified(place: &Path) -> (String, String) {
    let path = |name: &str| place.join(name).to_str().expect("UTF-8").to_owned();
    let (key, certificate) = (path("key"), path("certificate"));
    let mut openssl = tool("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    openssl.args(["-nodes", "-days", "1", "-subj", "/CN=nobody.example"]);
    openssl.args(["-keyout", &key, "-out", &certificate]);
    crate::tool::stdout(&mut openssl);
    (key, certificate)
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
        let status: u16 = answer[9..12].parse().expect("a status");
        assert_eq!(found["statuses"], json!([{ "status": status, "count": 4 }]), "{found}");
        assert_eq!(served.join().expect("the server"), requests);
    }
    let listener = listen();
    let port = listener.local_addr().expect("an address").port();
    let served = http(listener, "HTTP/1.1 503 No\r\nConnection: close\r\n\r\n", 1);
    let output =
        run(lab.client(), &format!("http://{target}:{port}/ --mode http -c 1 --fail-on http_status>=500"));
    let text = super::said(&output);
    assert!(text.contains(" ms status=503\n") && text.contains("status     503: once\n"), "{text}");
    assert_eq!(output.status.code(), Some(1), "{text}");
    drop(served);
    let listener = listen();
    let port = listener.local_addr().expect("an address").port();
    let served = http(listener, "SSH-2.0-liar\r\n\r\n", 2);
    let liar = found(&lab, &format!("http://{target}:{port}/ --mode http -c 2"));
    assert_eq!(numbers(&liar, ["/counts/sent", "/counts/received"]), [2, 0], "{liar}");
    let told = json!([{ "what": "no http response", "from": target.to_string(), "count": 2 }]);
    assert_eq!(liar["errors"], told, "{liar}");
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

#[test]
fn an_icmp_error_is_told_from_a_reset_in_tcp() {
    let lab = Lab::line(1).build();
    let server = lab.server();
    let _rejects = server.rule(Hook::Input, "tcp dport 9", "reject with icmpx port-unreachable");
    let _prohibits = lab.router(1).rule(Hook::Forward, "tcp dport 10", "reject with icmpx admin-prohibited");
    let router = lab.router(1);
    for (target, router, port, prohibited) in [
        (IpAddr::from(server.address4()), IpAddr::from(router.address4()), [3, 3], [3, 13]),
        (server.address6().into(), router.address6().into(), [1, 4], [1, 1]),
    ] {
        for (at, from, [kind, code]) in [(9, target, port), (10, router, prohibited)] {
            let found = found(&lab, &format!("{target} --port {at} -c 2"));
            assert_eq!(
                numbers(&found, ["/counts/sent", "/counts/received", "/closed"]),
                [2, 0, 0],
                "{found}"
            );
            let error = &found["errors"][0];
            assert_eq!(
                (&error["type"], &error["code"], &error["count"]),
                (&json!(kind), &json!(code), &json!(2))
            );
            assert_eq!(error["from"], from.to_string(), "{found}");
        }
    }
    let refused = found(&lab, &format!("{} --port 11 -c 2", server.address4()));
    assert_eq!(numbers(&refused, ["/counts/received", "/closed"]), [2, 2], "a RST is a reply: {refused}");
    assert_eq!(refused["errors"], Value::Null, "{refused}");
}

/// Does to each connection what `with` does to it; the port.
fn served(lab: &Lab, with: impl Fn(std::net::TcpStream) + Send + 'static) -> u16 {
    let listener = lab.server().run(|| TcpListener::bind("0.0.0.0:0").expect("a listener"));
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || listener.incoming().flatten().for_each(with));
    port
}

/// Reads what comes first.
fn read(stream: &mut std::net::TcpStream) {
    let mut octets = [0; 4096];
    assert!(std::io::Read::read(stream, &mut octets).is_ok_and(|length| length > 0));
}

#[test]
fn a_connection_that_comes_to_nothing_says_why() {
    let lab = Lab::line(0).build();
    let target = lab.server().address4();
    let alert = served(&lab, |mut stream| {
        read(&mut stream);
        stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).expect("send");
    });
    let banner = served(&lab, |mut stream| stream.write_all(b"SSH-2.0-liar\r\n").expect("send"));
    let closes = served(&lab, |mut stream| read(&mut stream));
    // What was not read makes the close a reset.
    let resets = served(&lab, |stream| {
        stream.peek(&mut [0]).expect("something comes");
    });
    for (asked, what) in [
        (format!("{target} --mode tls --port 9"), "connection refused (RST)"),
        (format!("http://{target}:9/ --mode http"), "connection refused (RST)"),
        (format!("{target} --mode tls --port {alert}"), "tls alert handshake_failure"),
        (
            format!("{target} --mode tls --port {banner}"),
            "tls: received corrupt message of type InvalidContentType",
        ),
        (format!("{target} --mode tls --port {closes}"), "closed in the tls handshake"),
        (format!("{target} --mode tls --port {resets}"), "reset in the tls handshake"),
        (format!("http://{target}:{closes}/ --mode http"), "closed before a response"),
        (format!("http://{target}:{resets}/ --mode http"), "reset before a response"),
    ] {
        let found = found(&lab, &format!("{asked} -c 2"));
        assert_eq!(numbers(&found, ["/counts/sent", "/counts/received"]), [2, 0], "{asked}: {found}");
        let told = json!([{ "what": what, "from": target.to_string(), "count": 2 }]);
        assert_eq!((&found["errors"], &found["closed"]), (&told, &Value::Null), "{asked}: {found}");
    }
}

#[test]
fn each_of_several_targets_says_why() {
    let lab = Lab::line(1).build();
    let (server, router) = (lab.server().address4(), lab.router(1).address4());
    let listener = lab.server().run(|| TcpListener::bind("0.0.0.0:8443").expect("a listener"));
    thread::spawn(move || listener.incoming().flatten().for_each(|mut stream| read(&mut stream)));
    let asked = format!("{server} {router} --mode tls --port 8443 -c 1");
    let found = found(&lab, &asked);
    let what = |target: usize| found["targets"][target]["errors"][0]["what"].clone();
    assert_eq!((what(0), what(1)), (json!("closed in the tls handshake"), json!("connection refused (RST)")));
    let text = super::said(&run(lab.client(), &asked));
    for line in [
        format!("  closed in the tls handshake from {server}, once"),
        format!("  connection refused (RST) from {router}, once"),
    ] {
        assert!(text.lines().any(|told| told == line), "{line}: {text}");
    }
}

/// A QUIC server that is not ours (quinn), on this port, until the test ends.
fn quinn(lab: &Lab, port: u16) {
    let place = tempfile::tempdir().expect("a directory");
    let (key, certificate) = certified(place.path());
    let chain = vec![CertificateDer::from_pem_file(certificate).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_protocol_versions(&[&rustls::version::TLS13]).expect("versions");
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).expect("a configuration");
    config.alpn_protocols = vec![b"h3".to_vec()];
    let config = quinn::crypto::rustls::QuicServerConfig::try_from(config).expect("a configuration");
    let config = quinn::ServerConfig::with_crypto(Arc::new(config));
    let socket = lab.server().run(|| UdpSocket::bind(("0.0.0.0", port)).expect("a socket"));
    let (ready, is_ready) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let how = quinn::EndpointConfig::default();
            let endpoint = quinn::Endpoint::new(how, Some(config), socket, Arc::new(quinn::TokioRuntime));
            let endpoint = endpoint.expect("an endpoint");
            ready.send(()).expect("somebody waits");
            while let Some(incoming) = endpoint.accept().await {
                // Nobody finishes the handshake, and the next one shall not wait for that.
                tokio::spawn(async move { drop(incoming.await) });
            }
        });
    });
    is_ready.recv().expect("it serves");
}

#[test]
fn a_real_quic_server_is_seen_also_where_negotiation_is_dropped() {
    let lab = Lab::line(1).build();
    quinn(&lab, 4433);
    let target = lab.server().address4();
    let asked = format!("{target} --mode quic --port 4433 -c 2 -W 3");
    let negotiated = found(&lab, &asked);
    assert_eq!(numbers(&negotiated, ["/counts/received"]), [2], "{negotiated}");
    let versions = negotiated["versions"].as_array().expect("versions");
    assert!(versions.contains(&json!(1)), "{negotiated}");
    assert_eq!(negotiated["initial_ms"], Value::Null, "none was needed: {negotiated}");
    // Version Negotiation has the version 0.
    let dropped = lab.router(1).rule(Hook::Forward, "udp sport 4433 @th,72,32 0", "drop");
    let output = run(lab.client(), &format!("{asked} --json --catch-up -i 20ms"));
    let seen = report_of(&output);
    assert_eq!(numbers(&seen, ["/counts/sent", "/counts/received"]), [2, 0], "{seen}");
    assert_eq!(dropped.dropped(), 2, "a real Initial is answered with no negotiation");
    assert!(seen["initial_ms"].as_f64().is_some_and(|time| time < 3000.0), "{seen}");
    assert!(output.status.success(), "it answered: {output:?}");
    let text = super::said(&run(lab.client(), &asked));
    assert!(text.contains("answered a real Initial after"), "{text}");
    let alive = run(
        lab.client(),
        &format!("{target} {} --mode quic --port 4433 -a -r 0 -W 3", lab.router(1).address4()),
    );
    assert_eq!(super::said(&alive).trim(), target.to_string());
    let closed = found(&lab, &format!("{target} --mode quic --port 4434 -c 1"));
    assert_eq!((&closed["initial_ms"], &closed["errors"][0]["code"]), (&Value::Null, &json!(3)), "{closed}");
}

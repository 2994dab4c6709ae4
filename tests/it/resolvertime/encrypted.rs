//! TLS, HTTPS and QUIC: verified by default, loud where not, phases apart, connections used again.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use serde_json::{Value, json};
use waddleperf::wire::dns::Message;

use super::server::{address, behind_length, octets, reply};
use super::world::{RESOLVER, World};
use super::{answers, findings, record_of, report, run};
use crate::certificate::certified;
use crate::tool::{output, stdout};

#[track_caller]
fn is_phased(server: &Value, connects: bool) {
    let first = &server["first"];
    assert_eq!(first["connect_ms"].is_number(), connects, "{server}");
    assert!(first["tls_ms"].as_f64() > Some(0.0) && first["query_ms"].as_f64() > Some(0.0), "{server}");
    assert_eq!(
        (&server["reused"]["count"], &server["counts"]["connections"]),
        (&json!(2), &json!(1)),
        "{server}"
    );
    assert_eq!(answers(server), ["192.0.2.1"]);
    assert_eq!(server["tls_session"]["verify"], "ok");
}

#[test]
fn unbound_answers_over_tls_and_https_once_it_is_believed() {
    let world = World::new();
    let ca = world.path("ca.pem");
    let ca = ca.display();
    let theirs = stdout(&mut world.peer("kdig", &format!("@{RESOLVER} www.plain +tls +short")));
    assert_eq!(theirs.trim(), "192.0.2.1");
    for (words, transport) in [("+tls", "dot"), ("+https", "doh"), ("+https-get", "doh")] {
        let found =
            world.report(&format!("@{RESOLVER} www.plain {words} -c 3 -i 10ms --ca-file {ca} -W 10s"));
        is_phased(&found["servers"][0], true);
        assert_eq!(found["servers"][0]["transport"], transport);
        let fresh =
            world.report(&format!("@{RESOLVER} www.plain {words} -c 2 -i 0 --fresh --ca-file {ca} -W 10s"));
        let server = &fresh["servers"][0];
        assert_eq!(
            (&server["counts"]["connections"], &server["tls"]["count"]),
            (&json!(2), &json!(2)),
            "{server}"
        );
    }
    // Nobody has signed it, or it is for another name: no answer is worth anything.
    for words in ["", &format!("--ca-file {ca} --tls-name other.example")] {
        let refused =
            output(&mut world.ours(&format!("@{RESOLVER} www.plain +tls -c 1 -W 10s --json {words}")));
        let server = record_of(&refused)["outcome"]["report"]["servers"][0].clone();
        assert_eq!(
            (&server["failure"]["class"], &server["counts"]["received"]),
            (&json!("tls"), &json!(0)),
            "{words} {server}"
        );
        assert_eq!(refused.status.code(), Some(1));
    }
    for (words, verdict) in
        [("", "untrusted"), (&*format!("--ca-file {ca} --tls-name other.example"), "name")]
    {
        let found = world.report(&format!("@{RESOLVER} www.plain +tls -k -c 1 -W 10s {words}"));
        assert_eq!(
            (findings(&found), &found["servers"][0]["tls_session"]["verify"]),
            (vec!["certificate"], &json!(verdict))
        );
        let loud = stdout(&mut world.ours(&format!("@{RESOLVER} www.plain +tls -k -c 1 -W 10s -q {words}")));
        assert!(loud.contains("NOT verified") && loud.contains("warning"), "{loud}");
    }
}

/// What a server writes for a query, and what it writes then without end.
pub(super) type Said = (Vec<u8>, Vec<u8>);

/// A DNS server over QUIC (RFC 9250), with a certificate for 127.0.0.1 that is written to `ca`. It ends with the process.
pub(super) fn quic(
    ca: &std::path::Path,
    answer: impl Fn(&Message) -> Said + Send + Sync + 'static,
) -> SocketAddr {
    let mut config = (*certified(ca, &["127.0.0.1"])).clone();
    let answer = Arc::new(answer);
    config.alpn_protocols = vec![b"doq".to_vec()];
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = socket.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let crypto = QuicServerConfig::try_from(config).expect("TLS 1.3");
            let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
            let runtime = Arc::new(quinn::TokioRuntime);
            let endpoint =
                quinn::Endpoint::new(quinn::EndpointConfig::default(), Some(config), socket, runtime);
            let endpoint = endpoint.expect("an endpoint");
            while let Some(incoming) = endpoint.accept().await {
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let Ok(connection) = incoming.await else { return };
                    while let Ok((mut to, mut from)) = connection.accept_bi().await {
                        let query = from.read_to_end(2048).await.expect("a query, and its end");
                        let message = Message::parse(&query[2..]).expect("a query");
                        assert!(message.id == 0 && (query.len() - 2) % 128 == 0, "RFC 9250 §4.2.1, RFC 8467");
                        let (first, then) = answer(&message);
                        // A client that goes away is what some tests are about.
                        let mut written = to.write_all(&first).await;
                        while !then.is_empty() && written.is_ok() {
                            written = to.write_all(&then).await;
                        }
                        let _ = to.finish();
                    }
                });
            }
        });
    });
    at
}

#[test]
fn a_server_over_quic_is_asked_stream_by_stream() {
    let files = tempfile::tempdir().expect("a directory");
    let ca = files.path().join("ca.pem");
    let at = quic(&ca, |query| (behind_length(&octets(&reply(query, vec![address(query, 1)]))), Vec::new()));
    let ca = ca.display();
    let found = report(&format!("-s quic://{at} a.example -c 3 -i 10ms --ca-file {ca} -W 10s"));
    is_phased(&found["servers"][0], false);
    assert_eq!(found["servers"][0]["tls_session"]["alpn"], "doq");
    let refused = record_of(&run(&format!("-s quic://{at} a.example -c 1 -W 10s --json")));
    let server = &refused["outcome"]["report"]["servers"][0];
    assert_eq!(
        (&server["failure"]["class"], &server["counts"]["received"]),
        (&json!("tls"), &json!(0)),
        "{refused}"
    );
    let unverified = report(&format!("-s quic://{at} a.example -k -c 1 -W 10s"));
    assert_eq!(findings(&unverified), ["certificate"]);
    let liar = quic(&files.path().join("other.pem"), |query| {
        let said = Message { id: 1, ..reply(query, vec![address(query, 1)]) };
        (behind_length(&octets(&said)), Vec::new())
    });
    let other = files.path().join("other.pem");
    let found = report(&format!("-s quic://{liar} a.example -c 1 --ca-file {} -W 10s", other.display()));
    let server = &found["servers"][0];
    assert_eq!(
        (&server["counts"]["mismatched"], &server["failure"]["class"]),
        (&json!(1), &json!("protocol")),
        "{server}"
    );
}

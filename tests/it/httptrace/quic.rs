//! HTTP/3, to a server made of quinn and h3.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::body::Bytes;
use quinn::crypto::rustls::QuicServerConfig;
use serde_json::json;
use tempfile::TempDir;

use super::origin::{Delays, Origin, certified, whole};
use super::{failure, report};
use crate::lab::Units;

/// The server. It ends with the process.
pub(super) struct Server {
    pub(super) at: SocketAddr,
    pub(super) ca: PathBuf,
    directory: TempDir,
}

impl Server {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let (config, ca) = certified(directory.path(), &["127.0.0.1", "localhost"]);
        Self { at: listening("127.0.0.1:0", (*config).clone()), ca, directory }
    }
}

/// Begins to answer at `at`, in the caller's namespace: where.
pub(super) fn listening(at: &str, config: rustls::ServerConfig) -> SocketAddr {
    serving(at, config, serve)
}

/// Begins to do with each connection to `at` what `serve` does: where.
pub(super) fn serving<F, E>(
    at: &str,
    mut config: rustls::ServerConfig,
    serve: impl Fn(quinn::Incoming) -> F + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = Result<(), E>> + Send + 'static,
{
    config.alpn_protocols = vec![b"h3".to_vec()];
    let crypto = QuicServerConfig::try_from(config).expect("TLS 1.3");
    let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    let at = at.parse().expect("an address");
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let endpoint = quinn::Endpoint::server(config, at).expect("a port");
            tell.send(endpoint.local_addr().expect("an address")).expect("somebody waits");
            while let Some(incoming) = endpoint.accept().await {
                let served = serve(incoming);
                tokio::spawn(async move {
                    // A client that goes away is what some tests are about.
                    let _ = served.await;
                });
            }
        });
    });
    told.recv().expect("it listens")
}

async fn serve(incoming: quinn::Incoming) -> Result<(), Box<dyn std::error::Error>> {
    let connection = h3_quinn::Connection::new(incoming.await?);
    let mut connection = h3::server::Connection::new(connection).await?;
    while let Some(resolver) = connection.accept().await? {
        let (request, mut stream) = resolver.resolve_request().await?;
        let mut body = 0;
        while let Some(data) = stream.recv_data().await? {
            body += hyper::body::Buf::remaining(&data);
        }
        if request.uri().path() == "/silent" {
            std::future::pending::<()>().await;
        }
        let answer = hyper::Response::builder().status(203).header("x-method", request.method().as_str());
        stream.send_response(answer.header("x-body", body).body(())?).await?;
        stream.send_data(Bytes::from(vec![b'x'; 200_000])).await?;
        stream.finish().await?;
    }
    Ok(())
}

#[test]
fn http3_is_spoken_and_timed() {
    let server = Server::start();
    let (url, ca) = (format!("https://{}/x", server.at), server.ca.to_str().expect("a path"));
    let found = report(&["--http3-only", "--cacert", ca, "-d", "12345", "-c", "2", "--keepalive", &url]);
    let leg = &found["legs"][0];
    assert_eq!(
        (&found["http"], &found["status"], &leg["tls"]["alpn"]),
        (&"3".into(), &203.into(), &"h3".into()),
        "{leg}"
    );
    assert_eq!(
        (&leg["sizes"]["body_bytes"], &leg["tls"]["verdict"]),
        (&200_000.into(), &"ok".into()),
        "{leg}"
    );
    let header = |name: &str| {
        let headers = leg["headers"].as_array().expect("headers");
        headers.iter().find(|field| field["name"] == name).map(|field| field["value"].clone())
    };
    assert_eq!((header("x-method"), header("x-body")), (Some("POST".into()), Some("5".into())));
    assert_eq!((&leg["reused"], &leg["tcp"]), (&true.into(), &serde_json::Value::Null), "{leg}");
    assert!(leg["sizes"]["wire_received_bytes"].as_u64() > Some(200_000), "{leg}");
    let found = report(&["--http3-only", "--cacert", ca, &url]);
    let (phases, attempt) = (&found["phases"], &found["legs"][0]["attempts"][0]);
    assert!(phases["connect_ms"].as_f64() > Some(0.0) && phases["tls_ms"].is_null(), "{phases}");
    assert_eq!((&attempt["proto"], &attempt["won"]), (&"quic".into(), &true.into()));
    let (class, detail) = failure(&["--http3-only", &url]);
    assert!(class == "tls" && detail.contains("-k"), "{detail}");
    let (class, detail) =
        failure(&["--http3-only", "--cacert", ca, "-m", "1", &format!("https://{}/silent", server.at)]);
    assert!(class == "timeout" && detail.contains("no answer in time"), "{detail}");
    drop(server.directory);
}

/// Nobody speaks QUIC there: TCP does it, and the report says who was tried.
#[test]
fn where_there_is_no_http3_the_others_are_spoken() {
    let directory = tempfile::tempdir().expect("a directory");
    let (config, ca) = certified(directory.path(), &["127.0.0.1"]);
    let origin =
        Origin::start(Some(config), Delays::default(), Box::new(|_, stream| whole(stream, "200 OK", b"x")));
    let found = report(&["--http3", "--cacert", ca.to_str().expect("a path"), &origin.url("/")]);
    assert_eq!(found["http"], "1.1", "{found}");
    let attempts = found["legs"][0]["attempts"].as_array().expect("attempts");
    let protos: Vec<_> = attempts.iter().map(|one| (one["proto"].as_str(), one["won"].as_bool())).collect();
    assert!(
        protos.contains(&(Some("tcp"), Some(true))) && protos.contains(&(Some("quic"), Some(false))),
        "{protos:?}"
    );
    let (class, _) = failure(&[
        "--http3-only",
        "--connect-timeout",
        "1",
        "--cacert",
        ca.to_str().expect("a path"),
        &origin.url("/"),
    ]);
    assert_eq!(class, "timeout");
}

/// Nobody knows at first where HTTP/3 is to be had: TCP answers, and says it. From then on it is asked there, and wins, as TLS takes
/// its time here.
#[test]
fn alt_svc_of_an_earlier_repeat_leads_to_http3() {
    let directory = tempfile::tempdir().expect("a directory");
    let (config, ca) = certified(directory.path(), &["localhost"]);
    let quic = listening("127.0.0.1:0", (*config).clone());
    let head = format!("200 OK\r\nAlt-Svc: h3=\":{}\"; ma=60", quic.port());
    let delays = Delays { tls: 400.ms(), ..Delays::default() };
    let origin = Origin::start(Some(config), delays, Box::new(move |_, stream| whole(stream, &head, b"x")));
    let url = format!("https://localhost:{}/", origin.at.port());
    let words = ["-4", "--http3", "--cacert", ca.to_str().expect("a path"), &url];
    let first = &report(&words)["legs"][0];
    assert_eq!((&first["http"], &first["http3"]["by"]), (&"1.1".into(), &"option".into()), "{first}");
    let found = report(&[&["-c", "3"], &words[..]].concat());
    let leg = &found["legs"][0];
    let decided = json!({"tried": true, "by": "alt_svc", "host": "localhost", "port": quic.port()});
    assert_eq!((&leg["http"], &leg["http3"]), (&"3".into(), &decided), "{leg}");
    let attempts = leg["attempts"].as_array().expect("attempts");
    let protos: Vec<_> = attempts.iter().map(|one| (one["proto"].as_str(), one["won"].as_bool())).collect();
    assert_eq!(protos, [(Some("quic"), Some(true)), (Some("tcp"), Some(false))], "{leg}");
    assert_eq!(attempts[0]["address"], quic.to_string(), "{leg}");
}

/// Without --resume each handshake is a whole one.
#[test]
fn sessions_of_quic_are_resumed_where_that_is_asked_for() {
    let server = Server::start();
    let (url, ca) = (format!("https://{}/x", server.at), server.ca.to_str().expect("a path"));
    for (flags, resumed) in [(&["--resume"][..], json!([1, 2])), (&[], json!([]))] {
        let found = report(&[flags, &["--http3-only", "--cacert", ca, "-c", "3", &url]].concat());
        let (repeats, tls) = (&found["repeats"], &found["legs"][0]["tls"]);
        assert_eq!((&repeats["connections"], &repeats["resumed_in"]), (&3.into(), &resumed), "{found}");
        assert_eq!((&tls["verdict"], &tls["chain_count"]), (&"ok".into(), &1.into()), "{tls}");
    }
    drop(server.directory);
}

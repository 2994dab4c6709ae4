//! nginx, as most servers of the web are: HTTP/1.1 and HTTP/2 over TLS.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tempfile::TempDir;

use super::{failure, report};
use crate::tool::tool;

/// The server; it ends when dropped.
pub(super) struct Nginx {
    directory: TempDir,
    ports: [u16; 2],
    master: Child,
}

/// Octets of `/long.txt`.
pub(super) const LONG: usize = 300_000;

impl Nginx {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        let own = own.expect("a certificate");
        fs::write(at("ca.pem"), own.cert.pem()).expect("write");
        fs::write(at("key.pem"), own.signing_key.serialize_pem()).expect("write");
        fs::create_dir(at("html")).expect("make");
        fs::write(at("html/index.html"), "<p>hello</p>").expect("write");
        fs::write(at("html/long.txt"), &"waddle ".repeat(LONG)[..LONG]).expect("write");
        // Freed here, taken by nginx: nobody else takes ports of the kernel's choice within that time, and if so nginx says so.
        let ports = [(); 2].map(|()| {
            let free = TcpListener::bind("127.0.0.1:0").expect("a port");
            free.local_addr().expect("an address").port()
        });
        let [plain, tls] = ports;
        let root = directory.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {root}/{name};\n"))
            .concat();
        let config = format!(
            "daemon off; worker_processes 1; pid {root}/pid; error_log stderr;
             events {{}}
             http {{ access_log off; {temporary} types {{ text/plain txt; text/html html; }}
                 gzip on; gzip_types text/plain; root {root}/html;
                 server {{ listen 127.0.0.1:{plain}; location /moved {{ return 301 https://localhost:{tls}/; }} }}
                 server {{ listen 127.0.0.1:{tls} ssl http2; ssl_certificate ca.pem; ssl_certificate_key key.pem;
                     add_header Strict-Transport-Security 'max-age=300; includeSubDomains'; }} }}"
        );
        fs::write(at("nginx.conf"), config).expect("write");
        let mut command = tool("nginx");
        command.arg("-p").arg(directory.path()).args(["-c", "nginx.conf"]).stderr(Stdio::inherit());
        let master = command.spawn().expect("start nginx");
        let nginx = Self { directory, ports, master };
        nginx.wait();
        nginx
    }

    /// Until it answers.
    fn wait(&self) {
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", self.ports[1])).is_ok() {
                return;
            }
            let mut nobody = [];
            nix::poll::poll(&mut nobody, 50u8).expect("wait");
        }
        panic!("nginx does not listen");
    }

    pub(super) fn http(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports[0])
    }

    pub(super) fn https(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.ports[1])
    }

    pub(super) fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master takes its workers with it.
        let master = nix::unistd::Pid::from_raw(self.master.id().cast_signed());
        let _ = nix::sys::signal::kill(master, nix::sys::signal::Signal::SIGTERM);
        let _ = self.master.wait();
    }
}

#[test]
fn both_versions_are_spoken_and_told() {
    let nginx = Nginx::start();
    let ca = nginx.ca();
    let ca = ca.to_str().expect("a path");
    let url = nginx.https("/long.txt");
    for (flags, http, alpn) in [("", "2", "h2"), ("--http1.1", "1.1", "http/1.1"), ("--http2", "2", "h2")] {
        let words: Vec<&str> =
            ["--cacert", ca].into_iter().chain(flags.split_whitespace()).chain([url.as_str()]).collect();
        let found = report(&words);
        let leg = &found["legs"][0];
        assert_eq!((&found["http"], &leg["tls"]["alpn"]), (&http.into(), &alpn.into()), "{leg}");
        assert_eq!(
            (&leg["sizes"]["body_bytes"], &leg["tls"]["verdict"]),
            (&LONG.into(), &"ok".into()),
            "{leg}"
        );
        assert_eq!(
            (&leg["hsts"]["max_age_s"], &leg["hsts"]["include_subdomains"]),
            (&300.into(), &true.into())
        );
        assert!(leg["tls"]["version"].as_str().is_some_and(|version| version.starts_with("TLSv1.")), "{leg}");
        assert!(leg["dns"]["addresses"].as_array().is_some_and(|all| !all.is_empty()), "{leg}");
        assert_eq!(leg["dns"]["source"], "hosts", "localhost is in /etc/hosts: {leg}");
        assert!(leg["tcp"]["mss_bytes"].as_u64() > Some(500), "{leg}");
        let wire = leg["sizes"]["wire_received_bytes"].as_u64().expect("octets") as usize;
        assert!((LONG..LONG + 20_000).contains(&wire), "TLS and frames are on the wire too: {wire}");
    }
    let found = report(&["--cacert", ca, "--compressed", &url]);
    let sizes = &found["legs"][0]["sizes"];
    assert!(sizes["body_bytes"].as_u64() < Some(20_000) && sizes["decoded_bytes"] == LONG, "{sizes}");
    let found = report(&["--cacert", ca, &nginx.http("/moved")]);
    assert_eq!((found["legs"].as_array().map(Vec::len), &found["url"]), (Some(2), &nginx.https("/").into()));
    let found = report(&["--cacert", ca, "-I", &url]);
    assert_eq!(
        (&found["legs"][0]["method"], &found["legs"][0]["sizes"]["body_bytes"]),
        (&"HEAD".into(), &0.into())
    );
    let found = report(&["--http2-prior-knowledge", "--cacert", ca, &url]);
    assert_eq!(found["http"], "2");
}

#[test]
fn nobody_is_believed_silently() {
    let nginx = Nginx::start();
    let ca = nginx.ca();
    let ca = ca.to_str().expect("a path");
    let other = nginx.https("/").replace("localhost", "other.example");
    let port = other.trim_end_matches('/').rsplit(':').next().expect("a port").to_owned();
    let resolve = format!("other.example:{port}:127.0.0.1");
    let (class, detail) = failure(&[&nginx.https("/")]);
    assert!(class == "tls" && detail.contains("-k") && detail.contains("--cacert"), "{detail}");
    let (class, detail) = failure(&[&nginx.http("/").replace("http:", "https:")]);
    assert!(class == "tls" && detail.ends_with("does not speak tls"), "{detail}");
    assert_eq!(failure(&["-6", &nginx.http("/")]).0, "usage", "an address of the other family");
    let (class, detail) = failure(&["--cacert", ca, "--resolve", &resolve, &other]);
    assert!(class == "tls" && detail.contains("for another name (localhost"), "{detail}");
    assert!(!detail.contains("--cacert"), "it would not help: {detail}");
    let found = report(&["-k", "--cacert", ca, "--resolve", &resolve, &other]);
    assert_eq!(
        (&found["insecure"], &found["legs"][0]["tls"]["verdict"]),
        (&true.into(), &"name".into()),
        "{found}"
    );
    assert_eq!(found["legs"][0]["dns"]["source"], "given");
    let text = super::said(&super::run(&["-k", "--cacert", ca, "--resolve", &resolve, &other]));
    assert!(text.contains("NOT believed"), "{text}");
    let connect = format!("other.example:{port}:localhost:{port}");
    let (class, _) = failure(&["--cacert", ca, "--connect-to", &connect, &other]);
    assert_eq!(class, "tls", "the name that is asked for counts, not where it leads");
}

/// Each repeat has a connection of its own, and the second and later ones resume the session of the first; what was judged then is
/// judged again.
#[test]
fn sessions_are_resumed_where_that_is_asked_for() {
    let nginx = Nginx::start();
    let (ca, url) = (nginx.ca(), nginx.https("/"));
    let words = ["-c", "4", "--cacert", ca.to_str().expect("a path"), &url];
    let found = report(&[&["--resume"], &words[..]].concat());
    let (repeats, tls) = (&found["repeats"], &found["legs"][0]["tls"]);
    assert_eq!((&repeats["connections"], &repeats["resumed"]), (&4.into(), &3.into()), "{found}");
    assert_eq!(repeats["resumed_in"], serde_json::json!([1, 2, 3]), "{found}");
    assert!(repeats["tls_full_ms"].as_f64() > Some(0.0) && repeats["tls_resumed_ms"].as_f64() > Some(0.0));
    assert_eq!(
        (&tls["resumed"], &tls["verdict"], &tls["chain_count"]),
        (&true.into(), &"ok".into(), &1.into())
    );
    assert!(
        tls["certificate"]["sans"].as_array().is_some_and(|all| all.contains(&"localhost".into())),
        "{tls}"
    );
    let cold = report(&words);
    let (repeats, tls) = (&cold["repeats"], &cold["legs"][0]["tls"]);
    assert_eq!((&repeats["resumed"], &tls["resumed"]), (&0.into(), &false.into()), "{cold}");
    assert!(repeats["tls_resumed_ms"].is_null() && repeats["tls_full_ms"].as_f64() > Some(0.0), "{cold}");
    let text = super::said(&super::run(&[&["--resume"], &words[..]].concat()));
    assert!(text.contains("3 of 4 connections resumed"), "{text}");
}

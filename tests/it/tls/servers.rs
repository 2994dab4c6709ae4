//! Servers of TLS: real ones, gone when dropped, and threads that live as long as the test.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::crypto::{SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use tempfile::TempDir;
use waddleperf::sys::{clock, wait};

use super::pki::Identity;
use crate::tool::tool;

/// A server on a port of 127.0.0.1.
pub(super) struct Server {
    child: Child,
    port: u16,
    _dir: Option<TempDir>,
}

impl Server {
    /// `openssl s_server` that answers with a page, with more `args`.
    pub(super) fn openssl(identity: &Identity, args: &[&str]) -> Self {
        let mut command = tool("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"]).arg(&identity.own);
        command.arg("-key").arg(&identity.key).args(args);
        if let Some(others) = &identity.others {
            command.arg("-cert_chain").arg(others);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut said = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(said.read_line(&mut line).expect("text") > 0, "openssl s_server {args:?} does not start");
            if let Some(at) = line.trim().strip_prefix("ACCEPT 127.0.0.1:") {
                break at.parse().expect("a port");
            }
        };
        // What nobody reads would stop it.
        thread::spawn(move || said.read_to_end(&mut Vec::new()));
        Self { child, port, _dir: None }
    }

    /// nginx with `settings` in its server's block.
    pub(super) fn nginx(identity: &Identity, settings: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let at = dir.path().to_str().expect("UTF-8");
        // It takes no free port by itself.
        let free =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("it").port();
        let (chain, key) = (identity.chain.display(), identity.key.display());
        let text = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error; events {{}}\n\
             http {{ access_log off; client_body_temp_path {at}; proxy_temp_path {at}; fastcgi_temp_path {at};\n\
             uwsgi_temp_path {at}; scgi_temp_path {at};\n\
             server {{ listen 127.0.0.1:{free} ssl http2; ssl_certificate {chain}; ssl_certificate_key {key};\n\
             ssl_session_cache builtin; {settings} location / {{ return 200 ok; }} }} }}\n"
        );
        let file = dir.path().join("nginx.conf");
        fs::write(&file, text).expect("write");
        let mut command = tool("nginx");
        command.args(["-p", at, "-e"]).arg(dir.path().join("error")).arg("-c").arg(&file);
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let server = Self { child, port: free, _dir: Some(dir) };
        let end = clock::now().mono + Duration::from_secs(20);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, free)).is_err() {
            assert!(clock::now().mono < end, "nginx does not start");
            wait::sleep(Duration::from_millis(20));
        }
        server
    }

    /// `host` with its port.
    pub(super) fn name(&self, host: &str) -> String {
        format!("{host}:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Shakes hands by rustls, with these groups.
pub(super) fn greeted_by_rustls(
    identity: &Identity,
    groups: Vec<&'static dyn SupportedKxGroup>,
) -> impl Fn(TcpStream) + Send + Sync + 'static {
    let chain = CertificateDer::pem_file_iter(&identity.chain).expect("a chain");
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(&identity.key).expect("a key");
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = groups;
    let config = ServerConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth();
    let config = Arc::new(config.with_single_cert(chain, key).expect("a certificate"));
    move |mut stream| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).expect("a connection");
        let _ = rustls::Stream::new(&mut tls, &mut stream).read(&mut [0; 64]);
    }
}

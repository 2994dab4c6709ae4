//! A server of HTTP/1.1 that takes its time where it is told to, and answers what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificate;
use crate::lab::Units;

/// What a connection is to the server.
pub(super) trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// Answers a request, whose head this is.
pub(super) type Answer = dyn Fn(&str, &mut dyn Stream) -> std::io::Result<()> + Send + Sync;

/// How long the server waits before its part of each phase.
#[derive(Clone, Copy, Default)]
pub(super) struct Delays {
    pub(super) tls: Duration,
    pub(super) head: Duration,
    pub(super) body: Duration,
}

/// The server. It ends with the process.
pub(super) struct Origin {
    pub(super) at: SocketAddr,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A certificate of its own, for these names, and its key; the former also in a file.
pub(super) fn certified(directory: &Path, names: &[&str]) -> (Arc<ServerConfig>, PathBuf) {
    let file = directory.join("ca.pem");
    (certificate::certified(&file, names), file)
}

impl Origin {
    pub(super) fn http(answer: Box<Answer>) -> Self {
        Self::start(None, Delays::default(), answer)
    }

    pub(super) fn start(tls: Option<Arc<ServerConfig>>, delays: Delays, answer: Box<Answer>) -> Self {
        Self::listening("127.0.0.1:0", tls, delays, answer)
    }

    pub(super) fn listening(
        at: &str,
        tls: Option<Arc<ServerConfig>>,
        delays: Delays,
        answer: Box<Answer>,
    ) -> Self {
        let listener = TcpListener::bind(at).expect("a port");
        let at = listener.local_addr().expect("an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (asked, answer) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(answer));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (heard, answer, tls) = (Arc::clone(&heard), Arc::clone(&answer), tls.clone());
                thread::spawn(move || {
                    // A client that goes away is what some tests are about.
                    let _ = connection(stream, tls, delays, &heard, &**answer);
                });
            }
        });
        Self { at, scheme, asked }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.at)
    }

    /// The heads of requests so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn connection(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    delays: Delays,
    heard: &Mutex<Vec<String>>,
    answer: &Answer,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => requests(stream, delays, heard, answer),
        Some(config) => {
            pause(delays.tls);
            let connection = ServerConnection::new(config).expect("a connection");
            requests(StreamOwned::new(connection, stream), delays, heard, answer)
        }
    }
}

fn requests(
    stream: impl Stream,
    delays: Delays,
    heard: &Mutex<Vec<String>>,
    answer: &Answer,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body)?;
        heard.lock().expect("no panic").push(head.clone() + &String::from_utf8_lossy(&body));
        pause(delays.head);
        let mut slow = SlowBody { inner: stream.get_mut(), delay: delays.body };
        answer(&head, &mut slow)?;
        stream.get_mut().flush()?;
    }
}

/// A head goes out at once, what is written after it later.
struct SlowBody<'a, S> {
    inner: &'a mut S,
    delay: Duration,
}

impl<S: Stream> Read for SlowBody<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(into)
    }
}

impl<S: Stream> Write for SlowBody<'_, S> {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(octets)?;
        if octets[..written].ends_with(b"\r\n\r\n") {
            self.inner.flush()?;
            pause(std::mem::take(&mut self.delay));
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

fn pause(time: Duration) {
    if time > 0.ms() {
        let mut poll = [];
        let timeout = nix::poll::PollTimeout::try_from(time).expect("a short time");
        nix::poll::poll(&mut poll, timeout).expect("wait");
    }
}

/// A whole answer.
pub(super) fn whole(stream: &mut dyn Stream, head: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

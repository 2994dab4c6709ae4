//! A server of files for `geoip update`, over HTTP or HTTPS, that does as it is told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificate::certified;

/// What is answered to a path.
#[derive(Clone)]
pub(super) enum Answer {
    /// This body, with this entity tag; "not modified" to who has it.
    Body(Vec<u8>, &'static str),
    /// The same to who says this word (Basic credentials), 401 to all others.
    Guarded(Vec<u8>, &'static str),
    /// Somewhere else.
    Moved(String),
    /// A length that the body does not have.
    Short(Vec<u8>),
    /// A body without end.
    Endless,
}

/// The server. It ends with the process.
pub(super) struct Origin {
    pub(super) at: SocketAddr,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    pub(super) fn http() -> Self {
        Self::start(None)
    }

    /// With a certificate of its own for 127.0.0.1, which is written to `file`.
    pub(super) fn https(file: &Path) -> Self {
        Self::start(Some(certified(file, &["127.0.0.1"])))
    }

    fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        let (answers, asked) = (Arc::<Mutex<HashMap<_, _>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (known, heard) = (Arc::clone(&answers), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (known, heard, tls) = (Arc::clone(&known), Arc::clone(&heard), tls.clone());
                thread::spawn(move || match tls {
                    None => serve(stream, &known, &heard),
                    Some(config) => {
                        let connection = ServerConnection::new(config).expect("a connection");
                        serve(StreamOwned::new(connection, stream), &known, &heard)
                    }
                });
            }
        });
        Self { at, answers, asked }
    }

    pub(super) fn put(&self, path: &str, answer: Answer) {
        self.answers.lock().expect("no panic").insert(path.to_owned(), answer);
    }

    /// The requests so far, heads alone.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn serve(stream: impl Read + Write, answers: &Mutex<HashMap<String, Answer>>, asked: &Mutex<Vec<String>>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().expect("no panic").push(head.clone());
    let answer = answers.lock().expect("no panic").get(&path).cloned();
    let stream = stream.get_mut();
    // A client that goes away is what some of these are about.
    let _ = answered(stream, &head, answer);
    let _ = stream.flush();
}

fn answered(stream: &mut impl Write, head: &str, answer: Option<Answer>) -> std::io::Result<()> {
    let whole = |stream: &mut dyn Write, body: &[u8], tag: &str| {
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )?;
        stream.write_all(body)
    };
    let status = |stream: &mut dyn Write, text: &str| {
        write!(stream, "HTTP/1.1 {text}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    };
    match answer {
        None => status(stream, "404 Not Found"),
        Some(Answer::Body(_, tag)) if head.contains(&format!("if-none-match: {tag}")) => {
            status(stream, "304 Not Modified")
        }
        Some(Answer::Body(body, tag)) => whole(stream, &body, tag),
        Some(Answer::Guarded(body, word)) => match head.contains(&format!("authorization: Basic {word}")) {
            true => whole(stream, &body, "\"g\""),
            false => status(stream, "401 Unauthorized"),
        },
        Some(Answer::Moved(to)) => status(stream, &format!("302 Found\r\nLocation: {to}")),
        Some(Answer::Short(body)) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len() + 1)?;
            stream.write_all(&body)
        }
        Some(Answer::Endless) => {
            write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            let chunk = [&b"100000\r\n"[..], &[0; 1 << 20], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk)?;
            }
        }
    }
}

//! How much memory a server takes: idle, under a flood of the largest datagrams, with ten thousand sessions.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use waddleperf::wire::wp1::{Body, Cookie, Direction, Kind, Packet, Params, Seal};

use super::Server;
use crate::lab::shared;

/// Sessions that are to be open at the same time.
const SESSIONS: u32 = 10_000;
/// Sources that share them: each has its own limit of handshakes.
const SOURCES: u8 = 250;
/// The longest payload over IPv4.
const LONGEST: usize = 65_507;
const SECRET: &[u8] = b"a shared secret";

/// KiB that the server has in memory, without the pages of its program (RssAnon, proc_pid_status(5)): of a debug build those are
/// three times as many as of the one that is shipped, which takes less than 8 MiB (`make bench`, `process`).
fn resident(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a field");
    line.trim_end_matches("kB").trim().parse().expect("KiB")
}

/// A server with four threads that rations nobody, with or without a key.
fn start(place: &Path, key: bool) -> Server {
    let config = place.join("config.toml");
    let mut settings =
        "[serve.udpping]\nrate_per_source = 1000000\nrate_total = 1000000\nthreads = 4\n".to_owned();
    if key {
        fs::write(place.join("key"), SECRET).expect("write the key");
        fs::set_permissions(place.join("key"), fs::Permissions::from_mode(0o600)).expect("make it private");
        settings += &format!("key_file = {:?}\n", place.join("key"));
    }
    fs::write(&config, settings).expect("write the configuration");
    Server::start(&["--config", config.to_str().expect("UTF-8")])
}

/// Whether a datagram is of a kind.
fn is(kind: Kind) -> impl Fn(&[u8]) -> bool {
    move |octets| Packet::parse(octets).is_some_and(|packet| packet.kind == kind)
}

/// One source's socket, and what it asks for.
struct Client {
    socket: UdpSocket,
    psk: Option<&'static [u8]>,
    open: u32,
}

impl Client {
    fn new(server: SocketAddr, last: u8, psk: Option<&'static [u8]>) -> Self {
        let socket = UdpSocket::bind(SocketAddr::new([127, 0, 1, last].into(), 0)).expect("a socket");
        socket.connect(server).expect("a route");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        Self { socket, psk, open: 0 }
    }

    /// The first answer that `is_it`; what came too late for an earlier question is none.
    fn ask(
        &self,
        body: Body,
        session: u64,
        cookie: &Cookie,
        is_it: impl Fn(&[u8]) -> bool,
    ) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        body.write(session, 0, &Seal::new(self.psk, cookie, session, Direction::Up), &mut out);
        self.socket.send(&out).expect("sent");
        let mut buffer = vec![0; LONGEST];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) if is_it(&buffer[..length]) => return Some(buffer[..length].to_vec()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("receive: {error}"),
            }
        }
    }

    /// Opens one more session, if it is answered now: what is asked for makes it another one.
    fn open(&mut self) -> Option<(u64, Cookie)> {
        let asked = Params { duration_ms: self.open, length: 80, ..Params::default() };
        let cookie = self.ask(Body::Hello(asked), 7, &[0; 16], is(Kind::Cookie))?;
        let packet = Packet::parse(&cookie)?;
        let (cookie, granted) = (packet.cookie(), packet.params());
        let opened = self.ask(Body::Open(cookie, granted), 0, &cookie, is(Kind::Opened))?;
        let session = Packet::parse(&opened)?.session;
        self.open += 1;
        Some((session, cookie))
    }
}

#[test]
fn a_flood_of_the_largest_datagrams_and_ten_thousand_sessions_fit_into_40_mib() {
    let _turn = shared();
    for key in [false, true] {
        let place = tempfile::tempdir().expect("a directory");
        let server = start(place.path(), key);
        server.until_it_answers_to(key.then(|| place.path().join("key")).as_deref());
        let psk = key.then_some(SECRET);
        let address = SocketAddr::new([127, 0, 0, 1].into(), server.port);
        let idle = resident(&server);

        let mut clients: Vec<Client> = (1..=SOURCES).map(|last| Client::new(address, last, psk)).collect();
        let garbage = vec![0xff; LONGEST];
        for client in &mut clients {
            let (session, cookie) = (0..20).find_map(|_| client.open()).expect("a session");
            // As many as the receive buffer takes, of which some are answered.
            (0..8).for_each(|_| drop(client.socket.send(&garbage)));
            let echo = client.ask(Body::Echo(1, LONGEST), session, &cookie, is(Kind::Echoed));
            assert!(echo.is_none_or(|echo| echo.len() == LONGEST));
        }
        let flooded = resident(&server);

        let mut open = u32::from(SOURCES);
        for _ in 0..100 {
            for client in clients.iter_mut().filter(|client| client.open < SESSIONS / u32::from(SOURCES)) {
                open += u32::from(client.open().is_some());
            }
        }
        let full = resident(&server);
        println!("KiB, key {key}: idle {idle}, flooded {flooded}, {open} sessions {full}");
        assert_eq!(open, SESSIONS);
        // Four threads with a batch of the largest datagrams each, there and back.
        assert!(flooded <= idle + 4 * 4 * 1024 + 1024, "{idle} {flooded}");
        // With its program's pages that is the whole process.
        assert!(full <= (40 - 8) * 1024 && full <= flooded + 8 * 1024, "{flooded} {full}");
    }
}

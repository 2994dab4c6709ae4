//! The asking side of the control socket: blocking, one connection a question.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{DEADLINE, Health, MOST_OCTETS, Reply, Request};
use crate::failure::{Class, Failure, reason};
use crate::store::{Answer, Data, Query, Record};

/// How long an answer may take: a verification of a large store takes its time.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long an owner may take to say that he is well.
const HEALTHY: Duration = Duration::from_secs(2);

/// Why the owner gave no answer.
pub(in crate::store) enum Trouble {
    /// Nobody serves the socket, or he went away: trying again can help.
    Away(String),
    /// He said no.
    Refused(Failure),
}

/// How the process is that holds the store of `data`.
///
/// # Errors
/// `unreachable` when none serves its socket or answers within 2 s, `protocol` when something else does.
pub fn health(data: &Data) -> Result<Health, Failure> {
    match ask_within(data, &Request::Health, HEALTHY) {
        Ok(Reply::Health { health }) => Ok(health),
        Ok(_) => Err(Class::Protocol.because("control socket: an answer to another question")),
        Err(Trouble::Refused(failure)) => Err(failure),
        Err(Trouble::Away(why)) => {
            Err(Class::Unreachable.because(format_args!("control socket {}: {why}", data.socket().display())))
        }
    }
}

pub(in crate::store) fn ask(data: &Data, query: &Query) -> Result<Answer, Trouble> {
    match ask_for(data, &Request::Query { query: query.clone() })? {
        Reply::Answer { answer } => Ok(*answer),
        _ => Err(stray()),
    }
}

pub(in crate::store) fn load(data: &Data, key: &str) -> Result<Option<Vec<u8>>, Trouble> {
    match ask_for(data, &Request::Load { key: key.to_owned() })? {
        Reply::Value { value } => Ok(value),
        _ => Err(stray()),
    }
}

pub(in crate::store) fn commit(
    data: &Data,
    records: &[Record],
    states: &[(String, Vec<u8>)],
) -> Result<(), Trouble> {
    let request = Request::Commit { records: records.to_vec(), states: states.iter().cloned().collect() };
    match ask_for(data, &request)? {
        Reply::Done => Ok(()),
        _ => Err(stray()),
    }
}

/// Tells the owner that something is in the spool. Nobody waits for it; he looks every second anyway.
pub(in crate::store) fn nudge(data: &Data) {
    let Ok(mut stream) = UnixStream::connect(data.socket()) else {
        return;
    };
    let _ = stream.set_write_timeout(Some(Duration::from_millis(100)));
    let _ = serde_json::to_vec(&Request::Nudge).map(|request| write_frame(&mut stream, &request));
}

fn stray() -> Trouble {
    Trouble::Refused(Class::Protocol.because("control socket: an answer to another question"))
}

fn ask_for(data: &Data, request: &Request) -> Result<Reply, Trouble> {
    ask_within(data, request, PATIENCE)
}

/// Asks, and waits for an answer at most `patience`.
fn ask_within(data: &Data, request: &Request, patience: Duration) -> Result<Reply, Trouble> {
    let away = |error: &std::io::Error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            Trouble::Away(format!("no answer within {} s", patience.as_secs()))
        }
        _ => Trouble::Away(reason(error)),
    };
    let request =
        serde_json::to_vec(request).map_err(|error| Trouble::Refused(Class::Internal.because(error)))?;
    let mut stream = connect(data, patience).map_err(|error| away(&error))?;
    write_frame(&mut stream, &request).map_err(|error| away(&error))?;
    let reply = read_frame(&mut stream).map_err(|error| away(&error))?;
    match serde_json::from_slice(&reply) {
        Ok(Reply::Failure { failure }) => Err(Trouble::Refused(failure)),
        Ok(reply) => Ok(reply),
        Err(error) => Err(Trouble::Refused(
            Class::Protocol.because(format_args!("control socket: unreadable answer: {error}")),
        )),
    }
}

/// A connection whose waits are bounded, that for an owner with a full queue included.
fn connect(data: &Data, patience: Duration) -> std::io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_write_timeout(Some(patience.min(DEADLINE)))?;
    socket.set_read_timeout(Some(patience))?;
    socket.connect(&SockAddr::unix(data.socket())?)?;
    Ok(UnixStream::from(OwnedFd::from(socket)))
}

fn write_frame(stream: &mut UnixStream, octets: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(octets.len()).ok().filter(|&length| length <= MOST_OCTETS);
    let length =
        length.ok_or_else(|| std::io::Error::new(ErrorKind::InvalidInput, "too much for one frame"))?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(octets)
}

fn read_frame(stream: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MOST_OCTETS {
        return Err(std::io::Error::new(ErrorKind::InvalidData, "an answer too long for a frame"));
    }
    let mut octets = Vec::new();
    stream.take(u64::from(length)).read_to_end(&mut octets)?;
    if octets.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(octets)
}

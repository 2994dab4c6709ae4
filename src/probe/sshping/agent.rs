//! The keys of ssh-agent(1). libssh2 waits for an agent without any limit, be it broken or ask a person whether it may sign. So it is
//! seen to answer at all, and then spoken to through a relay that a guard can end.

use std::fs::{DirBuilder, remove_dir, remove_file};
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;
use std::time::Duration;

use super::line::{Line, said};
use crate::failure::reason;
use crate::sys::random;
use crate::sys::wait::wait;

/// Where an agent listens.
const SOCKET: &str = "SSH_AUTH_SOCK";
/// An agent that has not answered after this time is not asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// Which keys are there? A length, then SSH_AGENTC_REQUEST_IDENTITIES (draft-ietf-sshm-ssh-agent §3.5).
const QUESTION: [u8; 5] = [0, 0, 0, 1, 11];

/// The way between libssh2 and the agent, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Relay {
    end: UnixStream,
    thread: Option<JoinHandle<()>>,
}

/// The agent that the environment names, which tells its keys; `None` where it names none.
///
/// # Errors
/// Why it cannot be asked.
pub(super) fn agent(line: &Line<'_>) -> Option<Result<(Relay, ssh2::Agent), String>> {
    let place = std::env::var_os(SOCKET).filter(|place| !place.is_empty())?;
    let connect = || UnixStream::connect(&place);
    let asked = connect().and_then(|mut socket| {
        socket.set_nonblocking(true)?;
        socket.write_all(&QUESTION)?;
        wait(&[socket.as_fd()], Some(line.stop()), Some(PATIENCE))
    });
    Some(match asked {
        Ok(woken) if woken.readable & 1 == 1 => {
            let real = connect().map_err(|error| reason(&error));
            real.and_then(|real| relayed(line, real))
        }
        Ok(_) => Err("it does not answer".to_owned()),
        Err(error) => Err(reason(&error)),
    })
}

/// libssh2's end of a way to `real`, over which it has asked for the keys.
fn relayed(line: &Line<'_>, real: UnixStream) -> Result<(Relay, ssh2::Agent), String> {
    let io = |error: io::Error| reason(&error);
    let ssh = |error: ssh2::Error| said(&error);
    let mut agent = line.session.agent().map_err(ssh)?;
    // libssh2 knows paths alone: for as long as it takes to connect there is one, below which nobody else can get.
    let directory = std::env::temp_dir().join(format!("waddleperf-agent-{}", random::word().map_err(io)?));
    DirBuilder::new().mode(0o700).create(&directory).map_err(io)?;
    let path = directory.join("agent");
    let connected = UnixListener::bind(&path).map_err(io).and_then(|listener| {
        agent.set_identity_path(&path).and_then(|()| agent.connect()).map_err(ssh)?;
        // It has connected, so this does not wait.
        listener.accept().map(|(theirs, _)| theirs).map_err(io)
    });
    let _ = remove_file(&path);
    let _ = remove_dir(&directory);
    let theirs = connected?;
    line.guard().also(real.try_clone().map_err(io)?);
    let end = theirs.try_clone().map_err(io)?;
    let thread = std::thread::Builder::new().name("sshping-agent".to_owned());
    let thread = thread.spawn(move || {
        let _ = carry(&theirs, &real);
        let _ = (theirs.shutdown(Shutdown::Both), real.shutdown(Shutdown::Both));
    });
    let relay = Relay { end, thread: Some(thread.map_err(io)?) };
    agent.list_identities().map_err(ssh)?;
    Ok((relay, agent))
}

/// Carries octets both ways until one end closes.
fn carry(one: &UnixStream, other: &UnixStream) -> io::Result<()> {
    let mut octets = [0; 4096];
    loop {
        let woken = wait(&[one.as_fd(), other.as_fd()], None, None)?;
        let (mut from, mut to) = if woken.readable & 1 == 1 { (one, other) } else { (other, one) };
        match from.read(&mut octets)? {
            0 => return Ok(()),
            count => to.write_all(&octets[..count])?,
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.end.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

//! The keys of ssh-agent(1). libssh2 waits for an agent without any limit, so it is first seen to answer at all.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::line::Line;
use crate::failure::reason;
use crate::sys::wait::wait;

/// Where an agent listens.
pub(super) const SOCKET: &str = "SSH_AUTH_SOCK";
/// An agent that has not answered after this time is not asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// Which keys are there? A length, then SSH_AGENTC_REQUEST_IDENTITIES (draft-ietf-sshm-ssh-agent §3.5).
const QUESTION: [u8; 5] = [0, 0, 0, 1, 11];

/// Whether an agent answers; `None` where there is none to ask.
pub(super) fn answers(line: &Line<'_>) -> Option<Result<(), String>> {
    let place = std::env::var_os(SOCKET).filter(|place| !place.is_empty())?;
    let asked = UnixStream::connect(place).and_then(|mut socket| {
        socket.set_nonblocking(true)?;
        socket.write_all(&QUESTION)?;
        wait(&[socket.as_fd()], Some(line.stop()), Some(PATIENCE))
    });
    Some(match asked {
        Ok(woken) if woken.readable & 1 == 1 => Ok(()),
        Ok(_) => Err("it does not answer".to_owned()),
        Err(error) => Err(reason(&error)),
    })
}

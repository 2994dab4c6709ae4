//! Which installation this is: the same id over restarts, renames and reinstallations.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::hmac;
use uuid::{Builder, Uuid};

use crate::config;
use crate::failure::{Class, Failure};
use crate::probe::Agent;
use crate::store::Data;
use crate::sys::{host, random};

/// What is hashed with the machine's id as the key, as machine-id(5) asks for.
const APPLICATION: &[u8] = b"waddleperf agent id";

/// Who measures: the configured id, else the one in DATA, else the machine's, hashed, else a random one that is
/// kept in DATA.
pub(super) fn of(section: &config::Agent, data: &Data) -> Result<Agent, Failure> {
    let file = data.path().join("agent-id");
    let id = match (section.id, kept(&file)?) {
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => match host::machine_id() {
            Some(machine) => hashed(&machine),
            None => made(&file)?,
        },
    };
    Ok(Agent {
        id,
        host: section.host.clone().unwrap_or_else(host::name),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn kept(file: &Path) -> Result<Option<Uuid>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| {
            Class::Internal
                .because(format_args!("read {}: not an id; remove it for a new one", file.display()))
        }),
        // Where DATA belongs to another user, he has no say in who we are.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Failure::from_io(format_args!("read {}", file.display()), &error)),
    }
}

fn hashed(machine: &str) -> Uuid {
    let key = hmac::Key::new(hmac::HMAC_SHA256, machine.as_bytes());
    let tag = hmac::sign(&key, APPLICATION);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&tag.as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// A random id, kept in `file`. Of two processes that make one at once, the first wins.
fn made(file: &Path) -> Result<Uuid, Failure> {
    let octets = random::octets().map_err(|error| Failure::from_io("read random octets", &error))?;
    let (bytes, _) = octets.split_first_chunk().expect("32 octets are more than 16");
    let id = Builder::from_random_bytes(*bytes).into_uuid();
    let write = || -> std::io::Result<()> {
        if let Some(dir) = file.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(file)?;
        writeln!(out, "{id}")?;
        out.sync_all()
    };
    match write() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(kept(file)?.unwrap_or(id)),
        Err(error) => {
            tracing::warn!("write {}: {error}; this run has an id of its own", file.display());
            Ok(id)
        }
        Ok(()) => Ok(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_configured_or_kept_or_hashed() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = Data::at(dir.path());
        let id = |section: &config::Agent| of(section, &data).expect("an id").id;
        let none = config::Agent::default();
        let kept: Uuid = "11111111-2222-4333-8444-555555555555".parse().expect("an id");
        fs::write(dir.path().join("agent-id"), format!("{kept}\n")).expect("written");
        assert_eq!(id(&none), kept);
        let configured = config::Agent { id: Some(Uuid::nil()), ..none };
        assert_eq!(id(&configured), Uuid::nil());
    }

    #[test]
    fn a_hashed_id_is_stable_and_hides_the_machine() {
        let machine = "0123456789abcdef0123456789abcdef";
        assert_eq!(hashed(machine), hashed(machine));
        assert_eq!(hashed(machine).get_version_num(), 8);
        assert!(!hashed(machine).simple().to_string().contains("0123456789"));
    }

    #[test]
    fn a_random_id_is_made_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("state/agent-id");
        assert_eq!(made(&file).expect("an id"), made(&file).expect("the same"));
    }
}

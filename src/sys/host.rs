//! Who this machine is.

use std::fs;

/// The host's name, as the kernel knows it; `localhost` where it has none.
pub fn name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

/// The installation's id of machine-id(5): secret-ish, so only a keyed hash of it may leave the machine.
pub fn machine_id() -> Option<String> {
    let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())?;
    let id = id.trim();
    (id.len() == 32).then(|| id.to_owned())
}

/// The number of the user that this process acts for.
pub fn user() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

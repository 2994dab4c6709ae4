//! What this host is: operating system, kernel, how long it has been up, and whether it is a guest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;

/// A host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SysInfoHost")]
pub struct Host {
    /// Its name.
    pub name: Option<String>,
    /// Its operating system, as os-release(5) puts it: `Debian GNU/Linux 12 (bookworm)`.
    pub os: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The machine's architecture, as this program was built for.
    pub architecture: String,
    /// Seconds since it was started.
    pub uptime_s: Option<f64>,
    /// The hypervisor below it, as its firmware or the CPU names it; null where none is known.
    pub hypervisor: Option<String>,
    /// The kind of container that this process is in; null where none is known.
    pub container: Option<String>,
}

impl Host {
    /// `about` is what /proc/cpuinfo says.
    pub(super) fn read(source: &mut Source, about: &str) -> Self {
        Self {
            name: source.word("/proc/sys/kernel/hostname"),
            os: source
                .text_if_any("/etc/os-release")
                .or_else(|| source.text_if_any("/usr/lib/os-release"))
                .and_then(|text| assigned(&text, "PRETTY_NAME")),
            kernel: source.word("/proc/sys/kernel/osrelease"),
            architecture: std::env::consts::ARCH.to_owned(),
            uptime_s: source.word("/proc/uptime"),
            hypervisor: hypervisor(source, about),
            container: container(source),
        }
    }
}

/// The value of `name` in a file of shell assignments.
fn assigned(text: &str, name: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
}

fn hypervisor(source: &mut Source, about: &str) -> Option<String> {
    if let Some(kind) = source.word::<String>("/sys/hypervisor/type") {
        return Some(kind);
    }
    let is_guest = about
        .lines()
        .any(|line| line.starts_with("flags") && line.split(' ').any(|flag| flag == "hypervisor"));
    let maker = source.text_if_any("/sys/class/dmi/id/sys_vendor").map(|text| text.trim().to_owned());
    let known = ["QEMU", "KVM", "VMware", "Microsoft", "Xen", "innotek", "Amazon EC2", "Google", "Parallels"];
    let named = maker.as_deref().and_then(|maker| known.iter().find(|known| maker.contains(**known)));
    match (is_guest, named) {
        (true, Some(_)) => maker,
        (true, None) => Some("unknown".to_owned()),
        (false, _) => None,
    }
}

fn container(source: &mut Source) -> Option<String> {
    // container(7) of systemd: the manager says so to PID 1, and leaves the word here.
    if let Some(kind) = source.word::<String>("/run/systemd/container") {
        return Some(kind);
    }
    let marks = [
        ("/.dockerenv", "docker"),
        ("/run/.containerenv", "podman"),
        ("/var/run/secrets/kubernetes.io", "kubernetes"),
    ];
    marks.iter().find(|(mark, _)| source.path(mark).exists()).map(|(_, kind)| (*kind).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_called_what_its_maker_calls_it() {
        let text = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION_ID=12\n";
        assert_eq!(assigned(text, "PRETTY_NAME").as_deref(), Some("Debian GNU/Linux 12"));
        assert_eq!(assigned(text, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(assigned(text, "ID"), None);
    }
}

//! Memory, swap and file systems.

use nix::sys::statvfs::statvfs;
use procfs_core::Meminfo;
use procfs_core::process::MountInfos;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;

/// Memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// All of it.
    pub total_bytes: u64,
    /// What programs can still have without swapping, by the kernel's estimate.
    pub available_bytes: Option<u64>,
    /// Swap, all of it.
    pub swap_total_bytes: u64,
    /// Swap that is free.
    pub swap_free_bytes: u64,
}

/// A file system on a disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// What is mounted there.
    pub device: String,
    /// Its kind: `ext4`.
    pub filesystem: String,
    /// Its size; null where that cannot be asked.
    pub size_bytes: Option<u64>,
    /// What an ordinary user can still write.
    pub available_bytes: Option<u64>,
    /// The share of it that is used, of what an ordinary user may use (df's figure).
    pub used_ratio: Option<f64>,
    /// The share of its inodes that is used.
    pub inodes_used_ratio: Option<f64>,
}

impl Memory {
    pub(super) fn read(source: &mut Source) -> Option<Self> {
        let memory: Meminfo = source.parsed("/proc/meminfo")?;
        Some(Self {
            total_bytes: memory.mem_total,
            available_bytes: memory.mem_available,
            swap_total_bytes: memory.swap_total,
            swap_free_bytes: memory.swap_free,
        })
    }
}

impl Disk {
    /// The file systems that lie on devices, each once.
    pub(super) fn read(source: &mut Source) -> Vec<Self> {
        let Some(mounts) = source.parsed::<MountInfos>("/proc/self/mountinfo") else { return Vec::new() };
        let mut disks: Vec<Self> = Vec::new();
        for mount in mounts {
            let device = mount.mount_source.unwrap_or_default();
            let is_device =
                device.starts_with("/dev/") || matches!(mount.fs_type.as_str(), "zfs" | "btrfs" | "overlay");
            if !is_device || disks.iter().any(|known| known.device == device && device != "overlay") {
                continue;
            }
            let place = source.path(&mount.mount_point.to_string_lossy());
            // A network's file system could keep a call waiting for ever; those on devices do not.
            let about = statvfs(&place).ok();
            let size = |blocks: u64, about: &nix::sys::statvfs::Statvfs| {
                blocks.saturating_mul(about.fragment_size())
            };
            disks.push(Self {
                mount: mount.mount_point.to_string_lossy().into_owned(),
                device,
                filesystem: mount.fs_type,
                size_bytes: about.as_ref().map(|about| size(about.blocks(), about)),
                available_bytes: about.as_ref().map(|about| size(about.blocks_available(), about)),
                used_ratio: about.as_ref().and_then(|about| {
                    let used = about.blocks() - about.blocks_free();
                    share(used, used + about.blocks_available())
                }),
                inodes_used_ratio: about
                    .as_ref()
                    .and_then(|about| share(about.files() - about.files_free(), about.files())),
            });
        }
        disks
    }
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

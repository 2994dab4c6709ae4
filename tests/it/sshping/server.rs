//! OpenSSH's server in a node, with keys of its own that ssh-keygen made.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use waddleperf::sys::wait::sleep;

use crate::lab::Node;
use crate::tool::{stdout, tool};

pub(super) const PORT: u16 = 2222;
/// Who may log in by a password where there is one, and that password.
pub(super) const GUEST: (&str, &str) = ("waddleguest", "op3n sesame");

/// How a server takes passwords.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Passwords {
    /// Not at all.
    Refused,
    /// By the method `password` (RFC 4252 §8).
    Shown,
    /// As answers to PAM's questions (RFC 4256).
    Asked,
}

pub(super) struct Sshd {
    directory: TempDir,
    target: String,
    server: Child,
}

impl Sshd {
    /// A server at `node` that lets root in with the key `user`.
    pub(super) fn start(node: &Node) -> Self {
        Self::taking(node, Passwords::Refused)
    }

    /// One that also lets [`GUEST`] in, who exists for it alone.
    pub(super) fn taking(node: &Node, passwords: Passwords) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["host", "user"] {
            let path = directory.path().join(name);
            stdout(tool("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path));
        }
        Self::at(node, directory, passwords)
    }

    /// Another server at the same place, with the same files but another key.
    pub(super) fn with_another_key(self, node: &Node) -> Self {
        let mut this = self;
        this.stop();
        let directory = std::mem::replace(&mut this.directory, tempfile::tempdir().expect("a directory"));
        let path = directory.path().join("host");
        fs::remove_file(&path).expect("remove the key");
        stdout(tool("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path));
        Self::at(node, directory, Passwords::Refused)
    }

    fn at(node: &Node, directory: TempDir, passwords: Passwords) -> Self {
        // Where it gives up what it may do; a package's script makes it, and a container has none.
        fs::create_dir_all("/run/sshd").expect("make the directory of sshd");
        let port = PORT;
        let path = |name: &str| directory.path().join(name).display().to_string();
        let yes = |is_it| if is_it { "yes" } else { "no" };
        let config = format!(
            "Port {port}\nListenAddress {}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM {}\n\
             PasswordAuthentication {}\nKbdInteractiveAuthentication {3}\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n",
            node.address4(),
            path("host"),
            path("user.pub"),
            yes(passwords == Passwords::Asked),
            yes(passwords == Passwords::Shown),
        );
        let file = directory.path().join("sshd_config");
        fs::write(&file, config).expect("write");
        // It starts itself again by its whole name.
        let program = tool("sshd").get_program().to_owned();
        let program = program.to_str().expect("a path");
        let mut command = if passwords == Passwords::Refused {
            node.command(program)
        } else {
            users(&directory);
            let mut command = node.command("unshare");
            // Files of its own in place of the machine's, for this process and its children.
            let script = "mount --bind $0/passwd /etc/passwd && mount --bind $0/shadow /etc/shadow && \
                          mount --bind $0/pam /etc/pam.d/sshd && exec \"$@\"";
            command.args(["--mount", "--propagation", "private", "sh", "-c", script]).arg(directory.path());
            command.arg(program);
            command
        };
        let mut server =
            command.args(["-D", "-e", "-f"]).arg(&file).stderr(Stdio::null()).spawn().expect("sshd starts");
        let address = (node.address4(), port);
        let is_there = || node.run(|| TcpStream::connect(address).is_ok());
        let mut tries = 0;
        while !is_there() {
            tries += 1;
            let ended = server.try_wait().expect("a child");
            assert!(ended.is_none() && tries < 600, "sshd does not listen: {ended:?}");
            // (Parking would not do: whoever has run something at the node is unparked once.)
            sleep(Duration::from_millis(50));
        }
        Self { directory, target: format!("root@{}:{port}", node.address4()), server }
    }

    /// `root@192.0.2.1:2222`.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// The same for `user`.
    pub(super) fn target_of(&self, user: &str) -> String {
        let (_, place) = self.target.split_once('@').expect("a user");
        format!("{user}@{place}")
    }

    /// The file with the key that it lets root in with.
    pub(super) fn key(&self) -> String {
        self.path("user").to_str().expect("a path").to_owned()
    }

    /// From now on runs `command`, whatever who logs in asks for.
    pub(super) fn force(&self, command: &str) {
        let public = fs::read_to_string(self.path("user.pub")).expect("a key");
        let key = &public[public.find("ssh-").expect("its kind")..];
        fs::write(self.path("user.pub"), format!("command=\"{command}\" {key}")).expect("write");
    }

    /// A file of this server.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        Path::new(self.directory.path()).join(name)
    }

    fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Files with the users of a server of its own: root, whom sshd gives its rights up to, and the guest.
fn users(directory: &TempDir) {
    let (guest, password) = GUEST;
    let hash = stdout(tool("openssl").args(["passwd", "-6", password]));
    let passwd = format!(
        "root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n{guest}:x:61234:65534::/tmp:/bin/sh\n"
    );
    let shadow = format!("root:*:19000::::::\nsshd:!:19000::::::\n{guest}:{}:19000::::::\n", hash.trim());
    let pam =
        "auth required pam_unix.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n";
    for (name, text) in [("passwd", &passwd[..]), ("shadow", &shadow), ("pam", pam)] {
        fs::write(directory.path().join(name), text).expect("write");
    }
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(directory.path(), open).expect("a mode");
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

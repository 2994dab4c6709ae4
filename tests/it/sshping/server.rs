//! OpenSSH's server in a node, with keys of its own that ssh-keygen made.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::lab::Node;
use crate::tool::{stdout, tool};

pub(super) const PORT: u16 = 2222;

pub(super) struct Sshd {
    directory: TempDir,
    target: String,
    server: Child,
}

impl Sshd {
    /// A server at `node` that lets root in with the key `user`.
    pub(super) fn start(node: &Node) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["host", "user"] {
            let path = directory.path().join(name);
            stdout(tool("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path));
        }
        Self::at(node, directory, PORT)
    }

    /// Another server at the same place, with the same files but another key.
    pub(super) fn with_another_key(self, node: &Node) -> Self {
        let mut this = self;
        this.stop();
        let directory = std::mem::replace(&mut this.directory, tempfile::tempdir().expect("a directory"));
        let path = directory.path().join("host");
        fs::remove_file(&path).expect("remove the key");
        stdout(tool("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path));
        Self::at(node, directory, PORT)
    }

    fn at(node: &Node, directory: TempDir, port: u16) -> Self {
        // Where it gives up what it may do; a package's script makes it, and a container has none.
        fs::create_dir_all("/run/sshd").expect("make the directory of sshd");
        let path = |name: &str| directory.path().join(name).display().to_string();
        let config = format!(
            "Port {port}\nListenAddress {}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n",
            node.address4(),
            path("host"),
            path("user.pub")
        );
        let file = directory.path().join("sshd_config");
        fs::write(&file, config).expect("write");
        // It starts itself again by its whole name.
        let program = tool("sshd").get_program().to_owned();
        let mut command = node.command(program.to_str().expect("a path"));
        let server =
            command.args(["-D", "-e", "-f"]).arg(&file).stderr(Stdio::null()).spawn().expect("sshd starts");
        let address = (node.address4(), port);
        let is_there = || node.run(|| TcpStream::connect(address).is_ok());
        let mut tries = 0;
        while !is_there() {
            tries += 1;
            assert!(tries < 600, "sshd does not listen");
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Self { directory, target: format!("root@{}:{port}", node.address4()), server }
    }

    /// `root@192.0.2.1:2222`.
    pub(super) fn target(&self) -> &str {
        &self.target
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

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

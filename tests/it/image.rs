//! The container image: its Dockerfile by rules, and built, inspected and run by buildah, which
//! needs no engine. Its bases are Debian by debootstrap, kept from run to run below `target/`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::lab::shared;
use crate::tool::{KEPT, output, real_root, stdout, succeeded, tool};

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

fn dockerfile() -> String {
    fs::read_to_string(Path::new(PACKAGE).join("Dockerfile")).expect("read the Dockerfile")
}

/// The rules of the trade that a Dockerfile breaks.
fn broken(dockerfile: &str) -> BTreeSet<&'static str> {
    let lines = || dockerfile.lines().filter(|line| !line.starts_with('#'));
    let with = |word: &'static str| lines().filter(move |line| line.contains(word));
    let bases = || lines().filter_map(|line| line.strip_prefix("ARG BASE_")?.split_once('='));
    let setting = |line: &&str| line.starts_with("ARG ") || line.starts_with("ENV ");
    let secret = |line: &str| ["PASSWORD", "SECRET", "TOKEN", "_KEY"].iter().any(|word| line.contains(word));
    let rules = [
        ("bases are arguments", with("FROM ").all(|line| line.starts_with("FROM ${BASE_"))),
        ("a base has a tag", bases().all(|(_, base)| base.contains(':'))),
        ("no base is latest", bases().all(|(_, base)| !base.ends_with(":latest"))),
        ("an unprivileged user, by number", with("USER ").next_back() == Some("USER 65532:65532")),
        ("no secrets", !lines().filter(setting).any(|line| secret(&line.to_uppercase()))),
        ("no ADD", !lines().any(|line| line.starts_with("ADD "))),
        ("no package lists", with("apt-get update").count() == with("rm -rf /var/lib/apt/lists/*").count()),
        ("no recommends", with("apt-get install").all(|line| line.contains("--no-install-recommends"))),
        (
            "exec form",
            lines()
                .filter(|line| line.contains("CMD ") || line.starts_with("ENTRYPOINT "))
                .all(|line| line.contains('[')),
        ),
        ("locked dependencies", with("cargo ").all(|line| line.contains("--locked"))),
    ];
    rules.into_iter().filter(|(_, kept)| !kept).map(|(rule, _)| rule).collect()
}

#[test]
fn the_dockerfile_keeps_the_rules() {
    assert_eq!(broken(&dockerfile()), BTreeSet::new());
}

#[test]
fn each_rule_can_be_broken() {
    let good = dockerfile();
    let spoiled = [
        ("a base has a tag", good.replace("debian:bookworm-slim", "debian")),
        ("no base is latest", good.replace(":bookworm-slim", ":latest")),
        ("bases are arguments", good.replace("FROM ${BASE_RUN}", "FROM debian:12")),
        ("an unprivileged user, by number", format!("{good}USER root\n")),
        ("no secrets", format!("{good}ENV API_TOKEN=1\n")),
        ("no ADD", format!("{good}ADD https://example.com/x /x\n")),
        ("no package lists", format!("{good}RUN apt-get update\n")),
        ("no recommends", format!("{good}RUN apt-get install vim\n")),
        ("exec form", format!("{good}CMD waddleperf serve\n")),
        ("locked dependencies", format!("{good}RUN cargo build\n")),
    ];
    for (rule, dockerfile) in spoiled {
        assert_eq!(broken(&dockerfile), BTreeSet::from([rule]));
    }
}

/// A storage of images, for one test process at a time.
struct Lab {
    root: PathBuf,
    _alone: File,
}

/// What an engine does with the image: start it, ask for its health until it is well, stop it.
/// A container that has not started is not well.
const LIFE: &str = "! waddleperf health || exit 9
    waddleperf serve --listen udpping=127.0.0.1:0 --listen iperf3=off &
    until waddleperf health; do :; done
    kill -TERM $! && wait $!";

/// Debian as in the default base.
const BASE_RUN: &str = "localhost/waddleperf-base-run";
/// The same with a linker.
const LINKER: &str = "localhost/waddleperf-compilers";
/// The same with this machine's Rust, which each build is lent.
const BASE_BUILD: &str = "localhost/waddleperf-base-build";

impl Lab {
    fn open() -> Self {
        let root = Path::new(KEPT).join("image");
        fs::create_dir_all(&root).expect("make the image lab's directory");
        let alone = File::create(root.join("lock")).expect("make the image lab's lock");
        alone.lock().expect("lock the image lab");
        let lab = Self { root, _alone: alone };
        // What earlier runs left: their images, and their containers if they failed.
        lab.step("rm", &["--all"]);
        lab.step("rmi", &["--prune", "--force"]);
        if !lab.has(BASE_RUN) {
            lab.make_base_run();
        }
        if !lab.has(LINKER) {
            lab.make_linker();
        }
        lab.make_base_build();
        lab
    }

    fn buildah(&self, command: &str) -> Command {
        let mut buildah = tool("buildah");
        buildah
            .arg("--root")
            .arg(self.root.join("storage"))
            .arg("--runroot")
            .arg(self.root.join("run"))
            .args(["--storage-driver", "overlay", command]);
        buildah
    }

    /// One step: a buildah command and what it prints, without the end of line.
    fn step(&self, command: &str, arguments: &[&str]) -> String {
        let printed = sealed(self.buildah(command).args(arguments));
        printed.trim_end().to_owned()
    }

    fn has(&self, image: &str) -> bool {
        let list = self.step("images", &["--format", "{{.Name}}"]);
        list.lines().any(|name| name == image)
    }

    fn make_base_run(&self) {
        let tree = self.root.join("debian");
        // A tree left by an interrupted run is no base.
        if tree.exists() {
            fs::remove_dir_all(&tree).expect("remove an unfinished tree");
        }
        stdout(tool("debootstrap").args(["--variant=minbase", "bookworm"]).arg(&tree));
        let from = self.step("from", &["scratch"]);
        sealed(self.buildah("add").args(["--quiet", &from]).arg(&tree).arg("/"));
        self.commit(&from, BASE_RUN);
        fs::remove_dir_all(&tree).expect("remove the tree, now an image");
    }

    fn make_linker(&self) {
        let from = self.step("from", &["--pull-never", BASE_RUN]);
        let install = "apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libssl-dev pkg-config zlib1g-dev";
        self.run(&from, &["sh", "-c", install]);
        self.commit(&from, LINKER);
    }

    fn make_base_build(&self) {
        let from = self.step("from", &["--pull-never", LINKER]);
        let path = format!("PATH={}/bin:/usr/sbin:/usr/bin:/sbin:/bin", sysroot().display());
        let home = format!("CARGO_HOME={}", cargo_home().display());
        for setting in [&path, &home, "CARGO_NET_OFFLINE=true"] {
            self.step("config", &["--env", setting, &from]);
        }
        self.commit(&from, BASE_BUILD);
    }

    fn commit(&self, container: &str, image: &str) {
        self.step("commit", &["--quiet", container, image]);
        self.step("rm", &[container]);
    }

    fn run(&self, container: &str, command: &[&str]) -> String {
        let mut run = self.buildah("run");
        run.args(["--isolation", "chroot", container, "--"]).args(command);
        sealed(&mut run)
    }

    /// Builds the Dockerfile as it stands. The compiler, the crates and what this machine has
    /// compiled of them come from outside, so that it takes seconds; nothing is written back.
    fn build(&self, image: &str) {
        let mut build = self.buildah("bud");
        build
            .args(["--isolation", "chroot", "--pull-never", "--format", "docker"])
            .args(["--build-arg", &format!("BASE_BUILD={BASE_BUILD}")])
            .args(["--build-arg", &format!("BASE_RUN={BASE_RUN}")])
            .args(["--build-arg", "PROFILE=dev"]);
        lend(&mut build, &sysroot(), &sysroot(), "ro");
        let registry = cargo_home().join("registry");
        lend(&mut build, &registry, &registry, "O");
        // Elsewhere what was compiled here may need a newer C library than the base's.
        if like_the_base() {
            let target = Path::new(KEPT).parent().expect("KEPT is in the target directory");
            lend(&mut build, target, Path::new("/src/target"), "O");
        }
        sealed(build.args(["--tag", image, PACKAGE]));
    }
}

/// What buildah printed. Before it does anything it seals a copy of itself, and the kernel refuses
/// that while a page of the copy is held elsewhere (`EBUSY` of `F_ADD_SEALS`, fcntl(2)): bad luck on a
/// busy machine, which says nothing of the image.
#[track_caller]
fn sealed(buildah: &mut Command) -> String {
    let unlucky = |said: &Output| {
        String::from_utf8_lossy(&said.stderr).contains("sealing memfd copy: Device or resource busy")
    };
    let mut said = output(buildah);
    for _ in 0..4 {
        if !unlucky(&said) {
            break;
        }
        said = output(buildah);
    }
    succeeded(buildah, &said)
}

fn lend(build: &mut Command, here: &Path, there: &Path, how: &str) {
    let volume = format!("{}:{}:{how}", here.display(), there.display());
    build.args(["--volume", &volume]);
}

fn sysroot() -> PathBuf {
    let printed = stdout(Command::new("rustc").args(["--print", "sysroot"]).current_dir(PACKAGE));
    fs::canonicalize(printed.trim_end()).expect("the sysroot is there")
}

fn cargo_home() -> PathBuf {
    std::env::var_os("CARGO_HOME")
        .map_or_else(|| std::env::home_dir().expect("cargo has a home").join(".cargo"), PathBuf::from)
}

fn like_the_base() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| text.contains("\nVERSION_CODENAME=bookworm\n"))
}

#[test]
fn the_image_is_built_and_runs_unprivileged() {
    if !real_root("the image is built and runs unprivileged") {
        return;
    }
    let _turn = shared();
    let lab = Lab::open();
    let image = "localhost/waddleperf";
    lab.build(image);

    let inspected = lab.step("inspect", &["--type", "image", image]);
    let inspected: Value = serde_json::from_str(&inspected).expect("buildah inspect prints JSON");
    let config = &inspected["Docker"]["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["/usr/bin/waddleperf"]));
    assert_eq!(config["Cmd"], json!(["serve"]));
    assert_eq!(config["Healthcheck"]["Test"], json!(["CMD", "/usr/bin/waddleperf", "health"]));
    assert_eq!(config["ExposedPorts"], json!({"2000/udp": {}, "5201/tcp": {}, "5201/udp": {}}));
    assert_eq!(config["Volumes"], json!({"/var/lib/waddleperf": {}}));
    assert_eq!(config["StopSignal"], "SIGTERM");

    let container = lab.step("from", &["--pull-never", image]);
    let root = lab.step("mount", &[&container]);
    let capabilities = stdout(tool("getcap").arg(Path::new(&root).join("usr/bin/waddleperf")));
    let version = lab.run(&container, &["/usr/bin/waddleperf", "--version"]);
    let user = lab.run(&container, &["id", "-u"]);
    let data =
        lab.run(&container, &["sh", "-c", "touch $WADDLEPERF_DATA/here && stat -c %a:%u $WADDLEPERF_DATA"]);
    lab.run(&container, &["timeout", "30", "sh", "-c", LIFE]);
    lab.step("rm", &[&container]);

    assert!(capabilities.ends_with(" cap_net_raw=p\n"), "{capabilities}");
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    assert_eq!(user, "65532\n");
    assert_eq!(data, "700:65532\n");
}

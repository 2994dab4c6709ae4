//! Closed and filtered ports, as the probes of applications tell them.

use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::clock;

use crate::lab::{Hook, Lab};
use crate::tool::{WADDLEPERF, output};

#[test]
fn a_closed_port_refuses_at_once_and_a_filtered_one_is_given_up_in_time() {
    let lab = Lab::line(0).build();
    let filtered = lab.server().rule(Hook::Prerouting, "tcp dport 2222", "drop");
    let data = tempfile::tempdir().expect("a directory");
    let server = lab.server().address4();
    for (port, class, patience) in [(1111, "refused", "60s"), (2222, "timeout", "1s")] {
        let place = format!("{server}:{port}");
        let (http, https) = (format!("http://{place}/"), format!("https://{place}/"));
        let before = filtered.dropped();
        for words in [
            &["httptrace", &http, "--connect-timeout", patience, "-m", "60s"][..],
            &["httptrace", &https, "--connect-timeout", patience, "-m", "60s"],
            &["tls", &place, "--timeout", patience],
            &["tls", &place, "--scan", "--timeout", patience],
            &["tls", &place, "--starttls", "smtp", "--timeout", patience],
            &["sshping", &place, "-F", "none", "--no-auth", "-T", patience],
        ] {
            let mut command = lab.client().command(WADDLEPERF);
            command.arg("--data").arg(data.path()).args(words).args(["--json", "--no-save"]);
            let began = clock::now().mono;
            let output = output(&mut command);
            let took = clock::now().mono - began;
            let record: Value =
                serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{words:?}: {output:?}"));
            let failure = &record["outcome"]["failure"];
            assert_eq!(
                (output.status.code(), &failure["class"]),
                (Some(1), &class.into()),
                "{words:?}: {record}"
            );
            // Far less than anybody's own patience, far more than a busy machine needs.
            assert!(took < Duration::from_secs(30), "{words:?}: {took:?}");
        }
        assert_eq!(filtered.dropped() > before, class == "timeout");
    }
}

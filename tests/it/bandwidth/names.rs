//! A server whose name has addresses of both families.

use std::fs;

use serde_json::Value;

use super::server::Iperf3;
use crate::iperf3::{OPEN, Server};
use crate::lab::Lab;
use crate::tool::WADDLEPERF;

const NAME: &str = "both.example";

#[test]
fn a_name_of_both_families_is_reached_by_the_one_that_is_asked_for() {
    let lab = Lab::line(0).build();
    let directory = tempfile::tempdir().expect("a directory");
    let hosts = directory.path().join("hosts");
    let (four, six) = (lab.server().address4().to_string(), lab.server().address6().to_string());
    fs::write(&hosts, format!("{four} {NAME}\n{six} {NAME}\n")).expect("written");
    let ours = Server::launch(lab.server().command(WADDLEPERF), &format!("[serve.iperf3]\n{OPEN}"), "[::]");
    let _stock = Iperf3::start(lab.server(), "");
    for port in [ours.port, 5201] {
        for (family, addresses) in [("-4", &[&four][..]), ("-6", &[&six]), ("", &[&four, &six])] {
            for transport in ["", "-u"] {
                let about = format!("{port} {family} {transport}");
                let mut client = lab.client().command_with(&hosts, WADDLEPERF);
                client.args(["bandwidth", "--json", "-t", "1", "-b", "5M", "-p", &port.to_string(), NAME]);
                let output = client.args([family, transport].iter().filter(|word| !word.is_empty())).output();
                let output = output.expect("it runs");
                let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
                assert!(output.status.success(), "{about}: {record}");
                let address = record["address"].as_str().unwrap_or_default();
                assert!(addresses.iter().any(|of| *of == address), "{about}: {record}");
                assert_eq!(record["probe"]["target"], NAME, "{about}");
            }
        }
    }
    // A stock client at our server, too.
    for (family, address) in [("-4", &four), ("-6", &six)] {
        let mut client = lab.client().command_with(&hosts, "iperf3");
        client.args(["-c", NAME, family, "-n", "100K", "-J", "-p", &ours.port.to_string()]);
        let report: Value =
            serde_json::from_slice(&client.output().expect("it runs").stdout).expect("a report");
        assert_eq!(report.get("error"), None, "{family}: {report:#}");
        assert_eq!(report["start"]["connected"][0]["remote_host"], address.as_str(), "{report:#}");
    }
}

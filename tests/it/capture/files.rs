//! Files that others read, rings of them, and disks that are full.

use std::collections::BTreeSet;
use std::path::Path;

use waddleperf::wire::pcap::Link;

use super::running::{Running, file, filtered, here, number, packets, read, send};
use crate::lab::Lab;
use crate::stage;
use crate::tool::{stdout, tool};

/// The numbers in the datagrams of a file.
fn numbers(path: &Path) -> BTreeSet<u32> {
    let one = |(_, frame): (u64, Vec<u8>)| u32::from_be_bytes(frame[42..46].try_into().expect("a number"));
    packets(&std::fs::read(path).expect("the file")).into_iter().map(one).collect()
}

#[test]
fn others_read_what_was_written() {
    let lab = Lab::line(0).build();
    let dir = tempfile::tempdir().expect("a directory");
    for extra in [&[][..], &["--pcap"], &["--redact"], &["--anon"]] {
        let path = dir.path().join(format!("a{}", extra.concat()));
        let name = path.to_str().expect("UTF-8");
        let ours = Running::start(lab.client(), &[&["-f", "udp dst port 9", "-w", name], extra].concat());
        send(lab.client(), lab.server().address4(), 200, 300);
        let report = ours.stop();
        assert_eq!(number(&report, "/packets"), 200, "{report}");
        let octets = std::fs::read(&path).expect("the file");
        let tcpdump = filtered("tcpdump", &["-n", "-r", "-"], &octets);
        let lines = String::from_utf8_lossy(&tcpdump.stdout);
        assert_eq!(lines.lines().filter(|line| line.contains(".9: UDP, length 300")).count(), 200, "{lines}");
        let told = stdout(tool("capinfos").args(["-M", "-c", "-s", "-H"]).arg(&path));
        let kept = &report["files"][0];
        assert!(told.contains(kept["sha256"].as_str().expect("a digest")), "{told}");
        assert!(told.contains(&format!("Number of packets:   {}", kept["packets"])), "{told}");
        assert!(told.contains(&format!("File size:           {}", kept["bytes"])), "{told}");
        let malformed = stdout(
            tool("tshark")
                .args(["-r"])
                .arg(&path)
                .args(["-Y", "_ws.malformed || _ws.expert.severity >= 6291456"]),
        );
        assert_eq!(malformed, "", "{extra:?}");
        let again = read(&path, &[]);
        for part in
            ["packets", "bytes", "captured_bytes", "protocols", "talkers", "conversations", "tcp", "span_ms"]
        {
            assert_eq!(again[part], report[part], "{part} with {extra:?}");
        }
        let has = |needle: &[u8]| octets.windows(needle.len()).any(|window| window == needle);
        assert_eq!(has(&[0x55; 8]), !matches!(extra, ["--redact" | "--anon"]), "payload with {extra:?}");
        assert_eq!(has(&lab.server().address4().octets()), extra != ["--anon"], "addresses with {extra:?}");
    }
}

#[test]
fn a_ring_of_files_turns_and_loses_nothing_that_it_keeps() {
    const SENT: u32 = 4000;
    let lab = Lab::line(0).build();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("all");
    let arguments =
        ["-f", "udp dst port 9", "--full", "-C", "1", "-B", "16384", "-w", path.to_str().expect("UTF-8")];
    let all = Running::start(lab.client(), &arguments);
    let ring = dir.path().join("ring");
    let arguments = [
        "-f",
        "udp dst port 9",
        "--full",
        "-C",
        "1",
        "-W",
        "3",
        "-B",
        "16384",
        "-w",
        ring.to_str().expect("UTF-8"),
    ];
    let some = Running::start(lab.client(), &arguments);
    send(lab.client(), lab.server().address4(), SENT, 1200);
    let (all, some) = (all.stop(), some.stop());
    let files = |report: &serde_json::Value| -> Vec<String> {
        let files = report["files"].as_array().expect("files").iter();
        files.map(|kept| kept["file"].as_str().expect("a name").to_owned()).collect()
    };
    let dropped = number(&all, "/dropped_kernel") + number(&some, "/dropped_kernel");
    assert_eq!(dropped, 0, "the machine is too slow for this test");
    let names = files(&all);
    assert!(names.len() >= 5, "{names:?}");
    let found: Vec<BTreeSet<u32>> = names.iter().map(|name| numbers(Path::new(name))).collect();
    assert_eq!(found.iter().map(BTreeSet::len).sum::<usize>(), SENT as usize, "each once");
    assert_eq!(found.into_iter().flatten().collect::<BTreeSet<_>>(), (0..SENT).collect());
    let names = files(&some);
    let here = std::fs::read_dir(dir.path()).expect("the directory").filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("ring"))
    });
    assert_eq!((names.len(), here.count()), (3, 3));
    let latest: BTreeSet<u32> = names.iter().flat_map(|name| numbers(Path::new(name))).collect();
    let first = *latest.first().expect("a packet");
    assert!(first > 1000, "the oldest went: {first}");
    assert_eq!(latest, (first..SENT).collect());
    for name in names {
        assert!(std::fs::metadata(&name).expect("a file").len() <= 1_000_100);
    }
}

/// 4 MB of packets.
fn large() -> Vec<u8> {
    let frame = |number: u32| [&[2; 12][..], &[8, 0], &number.to_be_bytes(), &[0; 1400]].concat();
    file(Link::Ethernet, &(0..2900).map(frame).collect::<Vec<_>>())
}

#[test]
fn a_full_disk_is_one_line_and_what_is_there_is_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("large"), large()).expect("a file");
    stage::play_with_mounts("capture::files::full", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn full() {
    let Some(place) = stage::place() else { return };
    let small = place.join("small");
    std::fs::create_dir(&small).expect("a directory");
    stage::tmpfs(&small, "1m");
    let (from, to) = (place.join("large"), small.join("a.pcapng"));
    let output = here(&["read"]).arg(&from).arg("-w").arg(&to).output().expect("run it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{said}");
    let kept = packets(&std::fs::read(&to).expect("the file"));
    assert!(kept.len() > 500, "{}", kept.len());
    let whole = format!(
        "no space left on device; {} packets, {} octets of it are whole",
        kept.len(),
        std::fs::metadata(&to).expect("the file").len()
    );
    assert!(said.contains(&whole), "{said} but {whole}");
}

#[test]
fn hostile_files_are_told_from_files_and_cost_little() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("hostile");
    let order = u32::to_le_bytes;
    let words = |words: &[u32]| words.iter().flat_map(|word| order(*word)).collect::<Vec<u8>>();
    let section = [0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, 0, 0, 28];
    for (octets, word) in [
        (words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 1, 0, 0, u32::MAX, u32::MAX]), "damaged"),
        (words(&[&section[..], &[6, u32::MAX - 3, 0, 0]].concat()), "damaged"),
        (words(&[&section[..], &[1, 20, 147, 0, 20, 6, 36, 0, 0, 0, 1, 1, 0, 36]].concat()), "link type 147"),
        (vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "gunzip"),
        (Vec::new(), "empty"),
    ] {
        std::fs::write(&path, octets).expect("write");
        let output = here(&["read"]).arg(&path).output().expect("run it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(3) && said.contains(word) && said.lines().count() == 1,
            "{word}: {said}"
        );
    }
    // What ends early is summed up as far as it goes.
    let mut cut = large();
    cut.truncate(100_000);
    std::fs::write(&path, cut).expect("write");
    let report = read(&path, &[]);
    assert_eq!((report["cut"].as_bool(), number(&report, "/packets")), (Some(true), 69), "{report}");
}

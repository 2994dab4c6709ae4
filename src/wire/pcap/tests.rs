//! Files written and read. That others read ours, and we theirs, is shown by `tests/it/capture`.

use proptest::prelude::*;

use super::{BadFile, Format, Link, Next, Packet, Reader, Writer, fuzz_pcap};

/// When, what it begins with, its length on the wire, its octets.
type Seen = (Option<u64>, Link, u32, Vec<u8>);

/// All packets of a file, and what it says of the kernel.
fn read(mut octets: &[u8]) -> Result<(Vec<Seen>, Reader), BadFile> {
    let (mut reader, mut packets) = (Reader::default(), Vec::new());
    while !octets.is_empty() {
        let used = match reader.next(octets)? {
            Next::Packet { used, packet } => {
                packets.push((packet.stamp, packet.link, packet.wire_length, packet.data.to_vec()));
                used
            }
            Next::Passed(used) => used,
            Next::Skip(octets) => octets as usize,
            Next::Need(_) => break,
        };
        octets = octets.get(used..).unwrap_or_default();
    }
    Ok((packets, reader))
}

fn written(format: Format, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let writer = Writer::new(format, Link::Ethernet, 128, "eth0", "host 192.0.2.1");
    let mut out = Vec::new();
    writer.begin(&mut out);
    for (stamp, data) in packets {
        let before = out.len();
        let packet = Packet { stamp: Some(*stamp), link: Link::Ethernet, wire_length: 1500, data };
        writer.packet(&mut out, &packet);
        assert_eq!(out.len() - before, writer.octets(data.len()));
    }
    writer.end(&mut out, 1_700_000_000_000_000_000, 9, 2);
    out
}

/// Words of a file by somebody else.
fn words(order: fn(u32) -> [u8; 4], words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| order(*word)).collect()
}

#[test]
fn the_kernels_counts_are_in_the_file() {
    let (packets, reader) = read(&written(Format::Ng, &[(5, vec![1, 2, 3])])).expect("ours");
    assert_eq!((packets.len(), reader.received(), reader.dropped()), (1, Some(9), Some(2)));
    let (_, reader) = read(&written(Format::Classic, &[])).expect("ours");
    assert_eq!((reader.received(), reader.dropped()), (None, None));
}

#[test]
fn the_latest_count_of_an_interface_holds_and_sections_add_up() {
    let writer = Writer::new(Format::Ng, Link::Raw, 128, "tun0", "");
    let mut file = Vec::new();
    for sections in 1..=2 {
        writer.begin(&mut file);
        [(5, 0), (9, 2)]
            .into_iter()
            .for_each(|(received, dropped)| writer.end(&mut file, 1, received, dropped));
        let (_, reader) = read(&file).expect("ours");
        assert_eq!((reader.received(), reader.dropped()), (Some(9 * sections), Some(2 * sections)));
    }
}

#[test]
fn either_byte_order_and_resolution_is_read() {
    for order in [u32::to_le_bytes as fn(u32) -> [u8; 4], u32::to_be_bytes] {
        for (magic, stamp) in [(0xa1b2_c3d4, 3_000_004_000), (0xa1b2_3c4d, 3_000_000_004)] {
            let version = if order(1) == [1, 0, 0, 0] { 0x0004_0002 } else { 0x0002_0004 };
            let mut file = words(order, &[magic, version, 0, 0, 65535, 101, 3, 4, 2, 60]);
            file.extend([0x45, 0]);
            let (packets, _) = read(&file).expect("pcap");
            assert_eq!(packets, [(Some(stamp), Link::Raw, 60, vec![0x45, 0])]);
        }
        // A section, an interface of Linux cooked packets with 2^-10 s and an offset, a block that nobody knows, and
        // packets of all three kinds.
        let mut file = words(
            order,
            &[0x0a0d_0d0a, 28, 0x1a2b_3c4d, if order(1)[0] == 1 { 1 } else { 1 << 16 }, !0, !0, 28],
        );
        let half = |high: u32, low: u32| if order(1)[0] == 1 { low << 16 | high } else { high << 16 | low };
        file.extend(words(order, &[1, 48, half(276, 0), 0, half(9, 1)]));
        file.extend([0x8a, 0, 0, 0]);
        file.extend(words(order, &[half(14, 8)]));
        let offset = if order(1)[0] == 1 { [100, 0] } else { [0, 100] };
        file.extend(words(order, &[offset[0], offset[1], half(0, 0), 0, 48]));
        file.extend(words(order, &[0xbad, 16, 7, 16]));
        file.extend(words(order, &[6, 36, 0, 0, 1536, 1, 60]));
        file.extend([9, 0, 0, 0]);
        file.extend(words(order, &[36]));
        file.extend(words(order, &[3, 20, 3]));
        file.extend([7, 8, 9, 0]);
        file.extend(words(order, &[20]));
        file.extend(words(order, &[2, 36, half(0, 3), 0, 1024, 2, 2]));
        file.extend([5, 6, 0, 0]);
        file.extend(words(order, &[36]));
        let (packets, _) = read(&file).expect("pcapng");
        let expected = [
            (Some(101_500_000_000), Link::Sll2, 60, vec![9]),
            (None, Link::Sll2, 3, vec![7, 8, 9]),
            (Some(101_000_000_000), Link::Sll2, 2, vec![5, 6]),
        ];
        assert_eq!(packets, expected);
    }
}

#[test]
fn what_is_no_file_of_packets_is_told_so() {
    let order = u32::to_le_bytes;
    for (file, word) in [
        (vec![0; 100], "neither"),
        ([&[0x1f, 0x8b][..], &[0; 100]].concat(), "gunzip"),
        (words(order, &[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 105, 0, 0, 0, 0]), "link type 105"),
        (words(order, &[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 1, 0, 0, 0x7fff_ffff, 0]), "512 KiB"),
        (
            words(order, &[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, 0, 0, 28, 6, 36, 0, 0, 0, 0, 0, 0, 36]),
            "no interface",
        ),
        (words(order, &[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 2, 0, 0, 28]), "version"),
        (words(order, &[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, 0, 0, 28, 6, 7, 0]), "impossible"),
        (words(order, &[0x0a0d_0d0a, 28, 7, 1, 0, 0, 28]), "magic"),
    ] {
        let bad = read(&file).expect_err(word);
        assert!(bad.to_string().contains(word), "{bad}");
    }
}

#[test]
fn a_file_that_ends_early_wants_more_and_not_much() {
    let file = written(Format::Ng, &[(1, vec![7; 100])]);
    for length in 1..file.len() {
        let mut reader = Reader::default();
        let mut rest = &file[..length];
        while !rest.is_empty() {
            match reader.next(rest).expect("it is well so far") {
                Next::Packet { used, .. } | Next::Passed(used) => rest = &rest[used..],
                Next::Skip(octets) => rest = rest.get(octets as usize..).unwrap_or_default(),
                Next::Need(octets) => {
                    assert!(octets > rest.len() && octets < 200, "{octets} at {length}");
                    break;
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(packets in proptest::collection::vec(
        (0u64..1 << 60, proptest::collection::vec(any::<u8>(), 0..300)), 0..20)) {
        for format in [Format::Ng, Format::Classic] {
            // pcap's seconds have 32 bits.
            let fits = |stamp: u64| if format == Format::Ng { stamp } else { stamp % (u64::from(u32::MAX) * 1_000_000_000) };
            let packets: Vec<_> = packets.iter().map(|(stamp, data)| (fits(*stamp), data.clone())).collect();
            let (read, _) = read(&written(format, &packets)).expect("ours");
            let expected: Vec<_> =
                packets.into_iter().map(|(stamp, data)| (Some(stamp), Link::Ethernet, 1500, data)).collect();
            prop_assert_eq!(read, expected);
        }
    }

    #[test]
    fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz_pcap(&octets);
        let begin = written(Format::Ng, &[]);
        fuzz_pcap(&[&begin[..begin.len() - 40], &octets].concat());
    }

    #[test]
    fn no_mangled_file_panics(at in 0usize..400, value in any::<u8>(), cut in 0usize..400) {
        for format in [Format::Ng, Format::Classic] {
            let mut file = written(format, &[(1, vec![7; 100]), (2, vec![8; 33])]);
            let at = at % file.len();
            file[at] = value;
            fuzz_pcap(&file);
            fuzz_pcap(&file[cut.min(file.len())..]);
        }
    }
}

//! The manual page of `bandwidth`.

use crate::probe::Manual;

pub(super) const MANUAL: Manual = Manual {
    name: "bandwidth",
    about: "How much goes through over TCP or UDP, by iperf3's protocol, and what limits it",
    text: "Sends to an iperf3 server, or to waddleperf serve, as much as goes through or as much as is asked for; with -R the \
               server sends, with --bidir both do. Letters mean what they mean to iperf3, sizes (K, M, G, T) are \
               powers of 1024 and rates powers of 1000, and both ends need no more than port 5201.\n\n\
               Throughput is what the receiver counted, goodput: payload of TCP or UDP, without headers. At the end stands what limited it: the \
               network, the window, a processor at either end, or the rate that was asked for or is allowed, each with its \
               evidence. With -O the first seconds do not count.\n\n\
               What is received is thrown away in the kernel, which measures the path; --rx-copy reads it as an application \
               does. Over UDP, datagrams that this host's own socket had no room for are told apart from those that the network \
               has lost. A datagram that comes twice hides one that is lost in iperf3's count, and is told here.\n\n\
               With --find-max -u the highest rate is searched of which no more than --loss is lost, --trial after --trial: the \
               rate doubles from 1 Mbit/s until a trial does not pass, and ever smaller steps follow down to 2 % (RFC 2544); a trial that \
               does not pass is held again, and of three two decide. What was found is tried once more for --time. A queue that \
               grows counts as loss, even if it has not yet overflowed. Datagrams that this host had no room for, and rates that it \
               could not send, are its own limit and not the network's. With -P the rate that is found is that of all streams.\n\n\
               With --latency echoes go there and back for a second before, and all the while: the difference of their medians is what \
               queues on the way add under load.\n\n\
               A server may want a login: --username, --rsa-public-key-path, and the password in IPERF3_PASSWORD or in a file. \
               It is the only part that is encrypted.\n\n\
               --iperf3-json (-J) prints what iperf3 -J does, for scripts that read it, --json-stream the same in lines as it \
               happens; --json is the record. A link named iperf3 to this program takes iperf3's own command line, that of its \
               server (-s) too, names units as iperf3 does (--style iperf3), and says what it leaves out.",
    examples: &[
        ("waddleperf bandwidth server.example", "TCP for ten seconds"),
        ("waddleperf bandwidth -R -P 4 server.example", "the other way, four streams at once"),
        ("waddleperf bandwidth -u -b 50M -l 1200 server.example", "50 Mbit/s over UDP: loss and jitter"),
        (
            "waddleperf bandwidth --bidir -t 30 -O 2 server.example",
            "both ways at once, without the slow start",
        ),
        (
            "waddleperf bandwidth --latency -t 20 server.example",
            "how much slower is everything else meanwhile",
        ),
        (
            "waddleperf bandwidth -u --find-max --loss 0.1% server.example",
            "the highest rate over UDP of which no more than one in a thousand is lost",
        ),
        (
            "waddleperf bandwidth --json --fail-on 'throughput < 100Mbit/s' server.example",
            "a check: end with 1 when less goes through",
        ),
    ],
    files: &[],
    see_also: &["waddleperf-serve(8)", "iperf3(1)", "tcp(7)"],
};

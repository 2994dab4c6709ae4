//! `iperf3`'s command line in our words: options of another spelling, those of its server, and those that do nothing here.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A command line in our words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ours {
    /// The words.
    pub(super) argv: Vec<OsString>,
    /// What is left out, and why that changes nothing.
    pub(super) notes: Vec<String>,
}

/// Where an option may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Server,
    Client,
}

/// Whether it has a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    None,
    /// Behind it, or behind a `=`.
    Needed,
    /// Only behind a `=`.
    Optional,
}

/// iperf3's options, of 3.12 and later: short, long, value, side.
const OPTIONS: [(char, &str, Value, Side); 72] = {
    use Side::{Both, Client, Server};
    use Value::{Needed, None, Optional};
    [
        ('p', "port", Needed, Both),
        ('f', "format", Needed, Both),
        ('i', "interval", Needed, Both),
        ('I', "pidfile", Needed, Both),
        ('F', "file", Needed, Both),
        ('A', "affinity", Needed, Both),
        ('B', "bind", Needed, Both),
        ('\0', "bind-dev", Needed, Both),
        ('V', "verbose", None, Both),
        ('J', "json", None, Both),
        ('\0', "json-stream", None, Both),
        ('\0', "logfile", Needed, Both),
        ('\0', "forceflush", None, Both),
        ('\0', "timestamps", Optional, Both),
        ('\0', "rcv-timeout", Needed, Both),
        ('\0', "snd-timeout", Needed, Both),
        ('\0', "cntl-ka", Optional, Both),
        ('d', "debug", Optional, Both),
        ('v', "version", None, Both),
        ('h', "help", None, Both),
        ('m', "mptcp", None, Both),
        ('\0', "use-pkcs1-padding", None, Both),
        ('s', "server", None, Server),
        ('D', "daemon", None, Server),
        ('1', "one-off", None, Server),
        ('\0', "server-bitrate-limit", Needed, Server),
        ('\0', "server-max-duration", Needed, Server),
        ('\0', "idle-timeout", Needed, Server),
        ('\0', "rsa-private-key-path", Needed, Server),
        ('\0', "authorized-users-path", Needed, Server),
        ('\0', "time-skew-threshold", Needed, Server),
        ('c', "client", Needed, Client),
        ('\0', "sctp", None, Client),
        ('X', "xbind", Needed, Client),
        ('\0', "nstreams", Needed, Client),
        ('u', "udp", None, Client),
        ('\0', "connect-timeout", Needed, Client),
        ('b', "bitrate", Needed, Client),
        ('\0', "bandwidth", Needed, Client),
        ('\0', "pacing-timer", Needed, Client),
        ('\0', "fq-rate", Needed, Client),
        ('\0', "no-fq-socket-pacing", None, Client),
        ('t', "time", Needed, Client),
        ('n', "bytes", Needed, Client),
        ('k', "blockcount", Needed, Client),
        ('l', "length", Needed, Client),
        ('\0', "cport", Needed, Client),
        ('P', "parallel", Needed, Client),
        ('R', "reverse", None, Client),
        ('\0', "bidir", None, Client),
        ('w', "window", Needed, Client),
        ('C', "congestion", Needed, Client),
        ('\0', "linux-congestion", Needed, Client),
        ('M', "set-mss", Needed, Client),
        ('N', "no-delay", None, Client),
        ('4', "version4", None, Both),
        ('6', "version6", None, Both),
        ('S', "tos", Needed, Client),
        ('\0', "dscp", Needed, Client),
        ('L', "flowlabel", Needed, Client),
        ('Z', "zerocopy", None, Client),
        ('O', "omit", Needed, Client),
        ('T', "title", Needed, Client),
        ('\0', "extra-data", Needed, Client),
        ('\0', "get-server-output", None, Client),
        ('\0', "udp-counters-64bit", None, Client),
        ('\0', "repeating-payload", None, Client),
        ('\0', "dont-fragment", None, Client),
        ('\0', "gsro", None, Client),
        ('\0', "skip-rx-copy", None, Client),
        ('\0', "username", Needed, Client),
        ('\0', "rsa-public-key-path", Needed, Client),
    ]
};

/// One of the words of a command line.
enum Word {
    /// An option by its long name, with its value.
    Option(&'static str, Side, Option<OsString>),
    /// What iperf3 does not know: ours, or wrong.
    Other(OsString),
}

/// `args` in our words.
///
/// # Errors
/// What can only be refused, and why.
pub(super) fn ours(args: &[OsString]) -> Result<Ours, String> {
    let words = words(args)?;
    let has = |name: &str| words.iter().any(|word| matches!(word, Word::Option(long, ..) if *long == name));
    match (has("server"), has("client")) {
        (true, true) => Err("-s and -c exclude each other: a server or a client".to_owned()),
        (true, false) => server(words),
        (false, _) => client(words),
    }
}

/// Splits words as getopt_long(3) does.
fn words(args: &[OsString]) -> Result<Vec<Word>, String> {
    let mut found = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let bytes = arg.as_bytes();
        let mut value = |name: &str| args.next().cloned().ok_or_else(|| format!("{name} needs a value"));
        if let Some(long) = bytes.strip_prefix(b"--") {
            let end = long.iter().position(|&octet| octet == b'=');
            let (name, given) = match end {
                Some(end) => (&long[..end], Some(OsStr::from_bytes(&long[end + 1..]).to_owned())),
                None => (long, None),
            };
            match OPTIONS.iter().find(|(_, long, ..)| long.as_bytes() == name) {
                Some(&(_, long, Value::Needed, side)) => {
                    let given = given.map_or_else(|| value(&format!("--{long}")), Ok)?;
                    found.push(Word::Option(long, side, Some(given)));
                }
                Some(&(_, long, _, side)) => found.push(Word::Option(long, side, given)),
                None => found.push(Word::Other(arg.clone())),
            }
            continue;
        }
        let Some(mut letters) = bytes.strip_prefix(b"-").filter(|letters| !letters.is_empty()) else {
            found.push(Word::Other(arg.clone()));
            continue;
        };
        while let Some((&letter, rest)) = letters.split_first() {
            letters = rest;
            match OPTIONS.iter().find(|(short, ..)| *short != '\0' && *short == char::from(letter)) {
                Some(&(short, long, Value::Needed, side)) => {
                    let rest = std::mem::take(&mut letters);
                    // `-p=5301`, which iperf3 does not take, is what was meant.
                    let rest = rest.strip_prefix(b"=").unwrap_or(rest);
                    let given = match rest.is_empty() {
                        true => value(&format!("-{short}"))?,
                        false => OsString::from_vec(rest.to_vec()),
                    };
                    found.push(Word::Option(long, side, Some(given)));
                }
                Some(&(_, long, _, side)) => found.push(Word::Option(long, side, None)),
                None => {
                    let rest = std::mem::take(&mut letters);
                    found.push(Word::Other(OsString::from_vec([&[b'-', letter], rest].concat())));
                }
            }
        }
    }
    Ok(found)
}

/// What neither end does, and why.
fn refusal(name: &str) -> Option<&'static str> {
    Some(match name {
        "file" => "-F: no file is sent or written; the payload is random, or a pattern (--repeating-payload)",
        "sctp" | "xbind" | "nstreams" => "SCTP is not spoken here: TCP, or UDP with -u",
        _ => return None,
    })
}

/// What is to be said to who gives iperf3's option `word` to `bandwidth`, which does not have it, or not by this name.
pub(super) fn explained(word: &str) -> Option<String> {
    let name = word.split('=').next()?;
    let is_it = |short: char, long: &str| {
        name.strip_prefix("--") == Some(long) || short != '\0' && name == format!("-{short}")
    };
    let &(_, long, _, side) = OPTIONS.iter().find(|(short, long, ..)| is_it(*short, long))?;
    if let Some(why) = refusal(long) {
        return Some(why.to_owned());
    }
    let here = match long {
        "verbose" => "-v",
        "debug" => "-vv",
        "version4" => "-4",
        "version6" => "-6",
        "bind-dev" => "--interface",
        "linux-congestion" => "--congestion",
        "pacing-timer" | "skip-rx-copy" | "no-fq-socket-pacing" => {
            return Some(format!("{name} has nothing to change here: leave it out"));
        }
        _ if side == Side::Server => {
            return Some(format!("{name} is for a server: waddleperf serve, or a link named iperf3 with -s"));
        }
        _ => return None,
    };
    Some(format!("{name} is {here} here; a link named iperf3 takes iperf3's own words"))
}

fn client(words: Vec<Word>) -> Result<Ours, String> {
    let mut ours = Ours { argv: vec!["bandwidth".into(), "--style=iperf3".into()], ..Ours::default() };
    for word in words {
        let (name, side, value) = match word {
            Word::Other(word) => {
                ours.argv.push(word);
                continue;
            }
            Word::Option(name, side, value) => (name, side, value),
        };
        if let Some(why) = refusal(name) {
            return Err(why.to_owned());
        }
        if side == Side::Server {
            return Err(format!("--{name} is for the server: with -s"));
        }
        let given = || value.clone().unwrap_or_default();
        match name {
            "verbose" => ours.argv.push("-v".into()),
            "debug" => ours.argv.push("-vv".into()),
            "json" => ours.argv.push("-J".into()),
            "version4" => ours.argv.push("-4".into()),
            "version6" => ours.argv.push("-6".into()),
            "timestamps" if given().is_empty() => ours.push("timestamp-format", "%c".into()),
            "timestamps" => ours.push("timestamp-format", given()),
            "bind-dev" => ours.push("interface", given()),
            "linux-congestion" => ours.push("congestion", given()),
            "gsro" => ours.argv.push("--gso".into()),
            "client" => ours.host(&given()),
            // Lines are always flushed, receivers do not copy unless they are told, and a pace has no timer. Its client
            // writes no file either.
            "forceflush" | "skip-rx-copy" | "pacing-timer" | "no-fq-socket-pacing" | "pidfile" => {}
            name if value.is_none() => ours.argv.push(format!("--{name}").into()),
            name => ours.push(name, given()),
        }
    }
    Ok(ours)
}

fn server(words: Vec<Word>) -> Result<Ours, String> {
    let mut ours = Ours::default();
    let mut form = "text";
    let (mut address, mut port) = (OsString::from("[::]"), OsString::from("5201"));
    let mut rest = Ours::default();
    for word in words {
        let (name, side, value) = match word {
            Word::Other(word) => {
                rest.argv.push(word);
                continue;
            }
            Word::Option(name, side, value) => (name, side, value),
        };
        if let Some(why) = refusal(name) {
            return Err(why.to_owned());
        }
        if side == Side::Client {
            return Err(format!("--{name} is for the client: with -c"));
        }
        let given = || value.clone().unwrap_or_default();
        let mut note = |why: &str| ours.notes.push(format!("--{name} is left out: {why}"));
        match name {
            "server" => {}
            "port" => port = given(),
            "bind" => address = listening(&given())?,
            "version4" => address = "0.0.0.0".into(),
            "version6" => address = "[::]".into(),
            "verbose" => rest.argv.push("-v".into()),
            "debug" => rest.argv.push("-vv".into()),
            "server-bitrate-limit" => {
                let rate = given().to_string_lossy().into_owned();
                // What stock averages over seconds is never exceeded here.
                rest.push(name, rate.split('/').next().unwrap_or_default().into());
            }
            "json" | "json-stream" => form = name,
            "interval" | "format" => rest.push(&format!("iperf3-{name}"), given()),
            "timestamps" if given().is_empty() => rest.push("iperf3-timestamps", "%c".into()),
            "timestamps" => rest.push("iperf3-timestamps", given()),
            // Lines are always flushed.
            "forceflush" => {}
            "rcv-timeout" | "snd-timeout" | "idle-timeout" | "cntl-ka" => {
                note("a client that is silent is let go after 15 s, and no test holds up another");
            }
            "affinity" => note("start it by taskset(1), which binds all its threads"),
            "bind-dev" => return Err("--bind-dev: listen at the device's address instead (-B)".to_owned()),
            name if value.is_none() => rest.argv.push(format!("--{name}").into()),
            name => rest.push(name, given()),
        }
    }
    let mut place = OsString::from("iperf3=");
    [address.as_os_str(), OsStr::new(":"), port.as_os_str()].iter().for_each(|part| place.push(part));
    ours.argv = ["serve", "--listen", "udpping=off", "--listen"].map(OsString::from).to_vec();
    ours.argv.push(place);
    ours.argv.push(format!("--iperf3-show={form}").into());
    ours.argv.extend(rest.argv);
    Ok(ours)
}

/// Where a server is to listen that is bound to `host`.
fn listening(host: &OsStr) -> Result<OsString, String> {
    let text = host.to_string_lossy();
    match text.parse() {
        Ok(std::net::IpAddr::V6(address)) => Ok(format!("[{address}]").into()),
        Ok(std::net::IpAddr::V4(address)) => Ok(address.to_string().into()),
        Err(_) => Err(format!("-B {text}: a server is bound to an address of this host")),
    }
}

impl Ours {
    fn push(&mut self, name: &str, value: OsString) {
        let mut word = OsString::from(format!("--{name}="));
        word.push(value);
        self.argv.push(word);
    }

    /// A host, and behind a `%` the device that leads there; of a link-local address that is its scope.
    fn host(&mut self, host: &OsStr) {
        let text = host.to_string_lossy();
        match text.split_once('%') {
            Some((name, device)) if !text.to_ascii_lowercase().starts_with("fe80:") => {
                self.push("client", name.into());
                self.push("interface", device.into());
            }
            _ => self.push("client", host.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Ours, String> {
        let argv: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        ours(&argv)
    }

    fn argv(line: &str) -> String {
        let ours = of(line).unwrap_or_else(|why| panic!("{line}: {why}"));
        ours.argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_client_is_bandwidth() {
        assert_eq!(argv("-c h"), "bandwidth --style=iperf3 --client=h");
        for (line, expected) in [
            ("-c h", "bandwidth --client=h"),
            ("-c h -p 7 -t5 -P=2", "bandwidth --client=h --port=7 --time=5 --parallel=2"),
            ("-uRc h -b 20M/10", "bandwidth --udp --reverse --client=h --bitrate=20M/10"),
            ("-Vd -c h --debug=2", "bandwidth -v -vv --client=h -vv"),
            ("-4 -c h --json --version6", "bandwidth -4 --client=h -J -6"),
            ("-c h%eth0 --bind-dev eth1", "bandwidth --client=h --interface=eth0 --interface=eth1"),
            ("-c fe80::1%eth0", "bandwidth --client=fe80::1%eth0"),
            ("-c h --timestamps", "bandwidth --client=h --timestamp-format=%c"),
            ("-c h --timestamps=%T", "bandwidth --client=h --timestamp-format=%T"),
            ("-mc h", "bandwidth --mptcp --client=h"),
            ("-c h --forceflush -I /tmp/p --pacing-timer 5 --skip-rx-copy", "bandwidth --client=h"),
            ("-c h --cntl-ka --cntl-ka=60/5/3", "bandwidth --client=h --cntl-ka --cntl-ka=60/5/3"),
            ("-c h --latency=udp --fail-on x<1", "bandwidth --client=h --latency=udp --fail-on x<1"),
            ("h -x", "bandwidth h -x"),
            ("-v", "bandwidth --version"),
            ("-h", "bandwidth --help"),
            ("", "bandwidth"),
        ] {
            assert_eq!(argv(line).replace(" --style=iperf3", ""), expected, "{line}");
        }
    }

    #[test]
    fn a_server_is_serve() {
        let shown = |place: &str, form: &str, more: &str| {
            format!("serve --listen udpping=off --listen iperf3={place} --iperf3-show={form}{more}")
        };
        let at = |place: &str, more: &str| shown(place, "text", more);
        for (line, place, more) in [
            ("-s", "[::]:5201", ""),
            ("-s -p 5301", "[::]:5301", ""),
            ("-p5301 -s", "[::]:5301", ""),
            ("--server --port=5301", "[::]:5301", ""),
            ("-s -4", "0.0.0.0:5201", ""),
            ("-s -B 127.0.0.1 -p 7", "127.0.0.1:7", ""),
            ("-s --bind ::1", "[::1]:5201", ""),
            ("-sD -1 -I /run/p", "[::]:5201", " --daemon --one-off --pidfile=/run/p"),
            ("-s --logfile l --data /tmp/d", "[::]:5201", " --logfile=l --data /tmp/d"),
            ("-s --server-bitrate-limit 5M/3", "[::]:5201", " --server-bitrate-limit=5M"),
            ("-sm -V --use-pkcs1-padding", "[::]:5201", " --mptcp -v --use-pkcs1-padding"),
        ] {
            assert_eq!(argv(line), at(place, more), "{line}");
        }
        for (line, form, more) in [
            ("-s -J --forceflush", "json", ""),
            ("-s --json-stream", "json-stream", ""),
            ("-s -i0.5 -f m", "text", " --iperf3-interval=0.5 --iperf3-format=m"),
            ("-s --timestamps", "text", " --iperf3-timestamps=%c"),
            ("-s --timestamps=%T", "text", " --iperf3-timestamps=%T"),
        ] {
            assert_eq!(argv(line), shown("[::]:5201", form, more), "{line}");
        }
        let notes = of("-s --idle-timeout 5").expect("a server").notes;
        assert!(notes.len() == 1 && notes[0].starts_with("--idle-timeout is left out: "), "{notes:?}");
    }

    #[test]
    fn what_can_only_be_refused_says_why() {
        for (line, word) in [
            ("-s -c h", "exclude"),
            ("-c h --sctp", "SCTP"),
            ("-c h -F f", "no file"),
            ("-c h -D", "--daemon is for the server"),
            ("-s -t 5", "--time is for the client"),
            ("-s -B host.example", "address of this host"),
            ("-s --bind-dev eth0", "address"),
            ("-c", "-c needs a value"),
            ("-c h --port", "--port needs a value"),
        ] {
            assert!(of(line).is_err_and(|why| why.contains(word)), "{line}");
        }
    }

    #[test]
    fn options_of_another_name_are_explained() {
        for (word, said) in [
            ("--sctp", Some("SCTP")),
            ("-F", Some("no file")),
            ("-V", Some("-V is -v here")),
            ("--bind-dev=eth0", Some("--bind-dev is --interface here")),
            ("--pacing-timer", Some("leave it out")),
            ("-1", Some("for a server")),
            ("--mptcp", None),
            ("--nonsense", None),
            ("-x", None),
            ("--port", None),
        ] {
            let told = explained(word);
            assert_eq!(told.is_some(), said.is_some(), "{word}: {told:?}");
            assert!(told.is_none_or(|told| told.contains(said.unwrap_or_default())), "{word}");
        }
    }

    #[test]
    fn no_option_stands_there_twice() {
        for (n, (short, long, ..)) in OPTIONS.iter().enumerate() {
            let others = || OPTIONS[..n].iter();
            assert!(others().all(|(other, ..)| *short == '\0' || other != short), "{short}");
            assert!(others().all(|(_, other, ..)| other != long), "{long}");
        }
    }
}

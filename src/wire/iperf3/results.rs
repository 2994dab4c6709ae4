//! What either end has seen: the frames after `EXCHANGE_RESULTS`.

use std::time::Duration;

use serde_json::{Value, json};

use super::json::{Object, read};
use super::{Code, Refusal, stream_id};

/// What one end has seen of a test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Its processor time.
    pub cpu: Cpu,
    /// It sends, and knows what it sent again; `None` where it only receives.
    pub knows_retransmits: Option<bool>,
    /// The congestion control that it used.
    pub congestion: Option<String>,
    /// What the server printed, as text or as JSON.
    pub output: Option<Value>,
    /// What iperf3's own members do not tell, of a server that is a waddleperf to a client that is one.
    pub inside: Option<Inside>,
    /// One for each stream, of both directions.
    pub streams: Vec<Stream>,
}

/// What a server knows of its end: the member `waddleperf` of its results, which others skip. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Inside {
    /// Share of the test's time that its busiest sending thread ran or waited for a processor.
    pub sender: Option<f64>,
    /// Share of the test's time that its busiest receiving thread ran.
    pub receiver: Option<f64>,
    /// Share of the test's time that its busiest receiving thread ran or waited for a processor.
    pub receiver_ready: Option<f64>,
    /// Bits per second that the server lets a test move at most, both ways together.
    pub rate: Option<u64>,
    /// Datagrams that its sockets had no room for; what was omitted is not among them.
    pub dropped: Option<u64>,
}

/// Processor time in percent of the test's time; may be above 100.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cpu {
    /// All of it.
    pub total: f64,
    /// In the process.
    pub user: f64,
    /// In the kernel, for it.
    pub system: f64,
}

/// What one end has seen of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stream {
    /// Its number: 1, 3, 4, ….
    pub id: u32,
    /// Octets: what the sender's kernel took, or the receiver read; what was omitted is not among them.
    pub bytes: u64,
    /// Segments sent again, of a sender that knows.
    pub retransmits: Option<u64>,
    /// Jitter, of UDP's receiver; `None` where none is told that can be.
    pub jitter: Option<Duration>,
    /// Datagrams lost, what was omitted included; of UDP's receiver.
    pub errors: i64,
    /// The highest sequence number that the receiver saw, or the datagrams that the sender sent; the same.
    pub packets: u64,
    /// What of errors and packets was omitted; since 3.14.
    pub omitted: Option<(i64, u64)>,
    /// Its duration, where one is told that can be.
    pub elapsed: Option<Duration>,
}

/// Seconds that a peer is believed; what is longer is longer than any test.
const MOST_SECONDS: f64 = 1e6;

/// Percent of a processor that are believed.
const MOST_CPU: f64 = 1e6;
/// Octets, datagrams and the like that are believed: 9 PB of one stream.
const MOST_COUNT: i64 = 1 << 53;
/// Streams of a test at most: 128 in each direction.
const MOST_STREAMS: usize = 256;

impl Results {
    /// The frame's JSON.
    pub fn to_json(&self) -> Value {
        let streams = self.streams.iter().copied().map(Stream::to_json);
        let mut all = json!({
            "cpu_util_total": self.cpu.total,
            "cpu_util_user": self.cpu.user,
            "cpu_util_system": self.cpu.system,
            "sender_has_retransmits": self.knows_retransmits.map_or(-1, i32::from),
        });
        if let Some(congestion) = &self.congestion {
            all["congestion_used"] = json!(congestion);
        }
        match &self.output {
            Some(Value::String(text)) => all["server_output_text"] = json!(text),
            Some(output) => all["server_output_json"] = output.clone(),
            None => {}
        }
        if let Some(inside) = &self.inside {
            all["waddleperf"] = inside.to_json();
        }
        all["streams"] = streams.collect();
        all
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`Code::RESULTS`] where something is missing that every version sends.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let members = read(bytes, Code::RESULTS)?;
        let of = Object(&members);
        let missing = |key: &str| Refusal::new(Code::RESULTS, format_args!("results without a `{key}`"));
        let float = |key| of.float(key).map(|share| share.clamp(0.0, MOST_CPU)).ok_or_else(|| missing(key));
        let Some(Value::Array(streams)) = members.get("streams") else {
            return Err(missing("streams"));
        };
        if streams.len() > MOST_STREAMS {
            return Err(Refusal::new(Code::RESULTS, format_args!("results of {} streams", streams.len())));
        }
        let read = |stream: &Value| stream.as_object().and_then(|all| Stream::read(&Object(all)));
        let streams =
            streams.iter().map(read).collect::<Option<_>>().ok_or_else(|| missing("streams[].id, .bytes"))?;
        let output = members.get("server_output_json").filter(|output| output.is_object());
        let text = members.get("server_output_text").filter(|output| output.is_string());
        Ok(Self {
            cpu: Cpu {
                total: float("cpu_util_total")?,
                user: float("cpu_util_user")?,
                system: float("cpu_util_system")?,
            },
            knows_retransmits: of.count("sender_has_retransmits").map(|knows| knows > 0),
            congestion: of.text("congestion_used").map(str::to_owned),
            output: output.or(text).cloned(),
            inside: members
                .get("waddleperf")
                .and_then(Value::as_object)
                .map(|all| Inside::read(&Object(all))),
            streams,
        })
    }
}

impl Results {
    /// These, where each is of a stream of a test that has `count` of them.
    ///
    /// # Errors
    /// [`Code::STREAM_ID`] where another is told of.
    pub fn of_streams(self, count: usize) -> Result<Self, Refusal> {
        let is_known = |stream: &&Stream| (0..count).any(|n| stream_id(n) == stream.id);
        match self.streams.iter().find(|stream| !is_known(stream)) {
            Some(stream) => {
                Err(Refusal::new(Code::STREAM_ID, format_args!("results of a stream {}", stream.id)))
            }
            None => Ok(self),
        }
    }
}

impl Inside {
    fn to_json(self) -> Value {
        let members = [
            ("sender_busy", self.sender.map(Value::from)),
            ("receiver_busy", self.receiver.map(Value::from)),
            ("receiver_ready", self.receiver_ready.map(Value::from)),
            ("rate", self.rate.map(Value::from)),
            ("dropped", self.dropped.map(Value::from)),
        ];
        members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    fn read(of: &Object<'_>) -> Self {
        let share = |key| of.float(key).filter(|share| *share >= 0.0).map(|share| share.min(1.0));
        Self {
            sender: share("sender_busy"),
            receiver: share("receiver_busy"),
            receiver_ready: share("receiver_ready"),
            rate: of.count("rate").filter(|&rate| rate > 0),
            dropped: count(of, "dropped"),
        }
    }
}

/// A count that a peer is believed: sums of 256 streams stay numbers.
fn count(of: &Object<'_>, key: &str) -> Option<u64> {
    of.count(key).map(|count| count.min(MOST_COUNT as u64))
}

impl Stream {
    fn to_json(self) -> Value {
        let (omitted_errors, omitted_packets) = self.omitted.unwrap_or_default();
        json!({
            "id": self.id,
            "bytes": self.bytes,
            "retransmits": self.retransmits.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX)),
            "jitter": self.jitter.unwrap_or_default().as_secs_f64(),
            "errors": self.errors,
            "omitted_errors": omitted_errors,
            "packets": self.packets,
            "omitted_packets": omitted_packets,
            "start_time": 0,
            "end_time": self.elapsed.unwrap_or_default().as_secs_f64(),
        })
    }

    fn read(of: &Object<'_>) -> Option<Self> {
        let span =
            |seconds: f64| (0.0..MOST_SECONDS).contains(&seconds).then(|| Duration::from_secs_f64(seconds));
        let count = |key| count(of, key);
        let int = |key| of.int(key).map(|count| count.clamp(-MOST_COUNT, MOST_COUNT));
        let end = of.float("end_time").map(|end| end - of.float("start_time").unwrap_or(0.0));
        Some(Self {
            id: u32::try_from(of.int("id")?).ok()?,
            bytes: count("bytes")?,
            retransmits: count("retransmits"),
            jitter: of.float("jitter").and_then(span),
            errors: int("errors").unwrap_or(0),
            packets: count("packets").unwrap_or(0),
            omitted: int("omitted_errors").zip(count("omitted_packets")),
            elapsed: end.and_then(span).filter(|elapsed| !elapsed.is_zero()),
        })
    }

    /// Datagrams lost after what was omitted, never below 0. Of a peer that does not say what it omitted: all.
    pub fn lost(&self) -> u64 {
        let omitted = self.omitted.map_or(0, |(errors, _)| errors);
        u64::try_from(self.errors.saturating_sub(omitted)).unwrap_or(0)
    }

    /// Datagrams after what was omitted.
    pub fn counted(&self) -> u64 {
        self.packets.saturating_sub(self.omitted.map_or(0, |(_, packets)| packets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_a_test_does_not_have_is_told() {
        let of = |ids: &[u32], count| {
            let streams = ids.iter().map(|&id| Stream { id, ..Stream::default() }).collect();
            Results { streams, ..Results::default() }.of_streams(count).map_err(|refusal| refusal.code)
        };
        assert!(of(&[4, 1, 3], 3).is_ok() && of(&[], 1).is_ok());
        for (ids, count) in [(&[1, 2][..], 3), (&[5], 3), (&[0], 1), (&[1], 0)] {
            assert_eq!(of(ids, count).err(), Some(Code::STREAM_ID), "{ids:?}");
        }
    }

    #[test]
    fn what_is_told_is_read_again() {
        let stream = Stream {
            id: 3,
            bytes: 1 << 41,
            retransmits: Some(7),
            jitter: Some(Duration::from_micros(125)),
            errors: 12,
            packets: 1000,
            omitted: Some((2, 100)),
            elapsed: Some(Duration::from_millis(9500)),
        };
        assert_eq!((stream.lost(), stream.counted()), (10, 900));
        let results = Results {
            cpu: Cpu { total: 101.5, user: 1.5, system: 100.0 },
            knows_retransmits: Some(true),
            congestion: Some("cubic".to_owned()),
            output: Some("a line\n".into()),
            inside: Some(Inside {
                sender: Some(0.97),
                receiver: None,
                receiver_ready: Some(0.99),
                rate: Some(1 << 40),
                dropped: Some(0),
            }),
            streams: vec![
                stream,
                Stream { id: 4, omitted: Some((0, 0)), jitter: Some(Duration::ZERO), ..Stream::default() },
            ],
        };
        assert_eq!(Results::parse(results.to_json().to_string().as_bytes()), Ok(results));
    }

    #[test]
    fn an_old_peers_minus_one_is_nothing() {
        let text = br#"{"cpu_util_total":1,"cpu_util_user":1,"cpu_util_system":0,"sender_has_retransmits":18446744073709551615,
            "streams":[{"id":1,"bytes":5,"retransmits":18446744073709551615,"jitter":0,"errors":3,"packets":9}]}"#;
        let results = Results::parse(text).expect("results");
        assert_eq!(results.knows_retransmits, None);
        let [stream] = results.streams[..] else { panic!("one stream") };
        assert_eq!((stream.retransmits, stream.omitted, stream.elapsed), (None, None, None));
        assert_eq!((stream.lost(), stream.counted()), (3, 9));
    }

    #[test]
    fn times_that_cannot_be_are_none() {
        let read = |jitter: &str, start: &str, end: &str| {
            let text = format!(
                r#"{{"cpu_util_total":1,"cpu_util_user":1,"cpu_util_system":0,"streams":[
                {{"id":1,"bytes":5,"jitter":{jitter},"start_time":{start},"end_time":{end}}}]}}"#
            );
            let stream = Results::parse(text.as_bytes()).expect("results").streams[0];
            (stream.jitter, stream.elapsed)
        };
        let ms = Duration::from_millis;
        assert_eq!(read("0.25", "0.5", "2"), (Some(ms(250)), Some(ms(1500))));
        assert_eq!(read("0", "0", "0"), (Some(Duration::ZERO), None));
        for wrong in ["-1", "1e6", "1e300", "\"1\"", "null"] {
            assert_eq!(read(wrong, "0", wrong), (None, None), "{wrong}");
        }
        assert_eq!(read("0", "3", "2").1, None);
    }

    #[test]
    fn what_only_waddleperf_tells_may_be_missing_or_strange() {
        let inside = |text: &str| {
            let all = format!(
                r#"{{"cpu_util_total":1,"cpu_util_user":1,"cpu_util_system":0,"waddleperf":{text},"streams":[]}}"#
            );
            Results::parse(all.as_bytes()).expect("results").inside
        };
        assert_eq!(inside("7"), None);
        assert_eq!(inside("{}"), Some(Inside::default()));
        assert_eq!(
            inside(r#"{"sender_busy":-1,"receiver_busy":"x","receiver_ready":[],"rate":0,"dropped":-5}"#),
            Some(Inside::default())
        );
        let most = Inside { sender: Some(1.0), dropped: Some(1 << 53), ..Inside::default() };
        assert_eq!(inside(r#"{"sender_busy":1e308,"dropped":9000000000000000000}"#), Some(most));
    }

    #[test]
    fn results_that_are_none_are_refused() {
        let least = r#""cpu_util_total":1,"cpu_util_user":1,"cpu_util_system":0"#;
        for text in [
            "{}".to_owned(),
            format!("{{{least}}}"),
            format!("{{{least},\"streams\":{{}}}}"),
            format!("{{{least},\"streams\":[1]}}"),
            format!("{{{least},\"streams\":[{{\"id\":-1,\"bytes\":1}}]}}"),
            format!("{{{least},\"streams\":[{{\"id\":1}}]}}"),
            "{\"streams\":[]}".to_owned(),
        ] {
            assert_eq!(
                Results::parse(text.as_bytes()).map_err(|refusal| refusal.code),
                Err(Code::RESULTS),
                "{text}"
            );
        }
    }
}

//! Single bytes and framed JSON of a control connection, which coalesce freely: a stream, never packets.

use super::{Code, Refusal, State};

/// What a frame tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// What a client asks for.
    Params,
    /// What a client has seen.
    ClientResults,
    /// What a server has seen, and its output where that was asked for.
    ServerResults,
}

impl Frame {
    /// Octets that are read at most.
    pub const fn most(self) -> usize {
        match self {
            // As servers from 3.18 on do.
            Self::Params => 8 << 10,
            // Those of all streams.
            Self::ClientResults => 64 << 10,
            // An output may be megabytes.
            Self::ServerResults => 16 << 20,
        }
    }

    const fn code(self) -> Code {
        match self {
            Self::Params => Code::PARAMS,
            Self::ClientResults | Self::ServerResults => Code::RESULTS,
        }
    }
}

/// What came over a control connection and was not yet taken.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
}

impl Frames {
    /// Takes in octets as they come.
    pub fn push(&mut self, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
    }

    /// Octets that wait.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next byte, which is left where it is.
    pub fn first(&self) -> Option<u8> {
        self.buffer.first().copied()
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        (!self.buffer.is_empty()).then(|| self.buffer.remove(0))
    }

    /// The next state, where `awaited` was to come.
    ///
    /// # Errors
    /// [`Code::MESSAGE`] for a byte that nobody sends.
    pub fn state(&mut self, awaited: &str) -> Result<Option<State>, Refusal> {
        let Some(byte) = self.byte() else { return Ok(None) };
        let unknown =
            || Refusal::unexpected(format_args!("a byte {byte}, which no version of iperf3 says"), awaited);
        State::of(byte).ok_or_else(unknown).map(Some)
    }

    /// The next `N` octets, once they are there.
    pub fn octets<const N: usize>(&mut self) -> Option<[u8; N]> {
        let octets = self.buffer.get(..N)?.try_into().ok()?;
        self.buffer.drain(..N);
        Some(octets)
    }

    /// The next frame's JSON, once it is there whole.
    ///
    /// # Errors
    /// Before it comes, a frame that says to be longer than `awaited` may be, or empty: iperf3's number for what it is not.
    pub fn frame(&mut self, awaited: Frame) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(length) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        let most = awaited.most();
        if length == 0 || length > most {
            return Err(Refusal::new(
                awaited.code(),
                format_args!("a frame of {length} octets, where 1 to {most} are taken"),
            ));
        }
        let Some(frame) = self.buffer.get(4..4 + length).map(<[u8]>::to_vec) else { return Ok(None) };
        self.buffer.drain(..4 + length);
        Ok(Some(frame))
    }
}

/// A frame: its length, 32 bits, and the JSON.
pub fn encode(json: &serde_json::Value) -> Vec<u8> {
    let text = json.to_string();
    let mut frame = (text.len() as u32).to_be_bytes().to_vec();
    frame.extend(text.into_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_frame_comes_in_pieces_or_with_bytes_around_it() {
        let frame = encode(&json!({"a": 1}));
        let mut frames = Frames::default();
        frames.push(&[13]);
        for octet in &frame[..frame.len() - 1] {
            frames.push(&[*octet]);
        }
        assert_eq!(frames.byte(), Some(13));
        assert_eq!(frames.frame(Frame::ClientResults), Ok(None));
        frames.push(&[b'}', 14]);
        assert_eq!(frames.frame(Frame::ClientResults), Ok(Some(b"{\"a\":1}".to_vec())));
        assert_eq!((frames.byte(), frames.byte(), frames.waiting()), (Some(14), None, 0));
        frames.push(&[0, 0, 0, 7, 0, 0]);
        assert_eq!(frames.octets::<8>(), None);
        frames.push(&[0, 9]);
        assert_eq!(frames.octets::<8>(), Some([0, 0, 0, 7, 0, 0, 0, 9]));
        frames.push(&[0xff, 77]);
        assert_eq!(frames.state("a state"), Ok(Some(State::AccessDenied)));
        let unknown = frames.state("a state").expect_err("nobody says that");
        assert_eq!(unknown.code, Code::MESSAGE);
        assert_eq!(unknown.what, "a byte 77, which no version of iperf3 says, where a state was expected");
        assert_eq!(frames.state("a state"), Ok(None));
    }

    #[test]
    fn what_says_to_be_too_long_is_refused_before_it_comes() {
        for length in [0, 8193, u32::MAX] {
            let mut frames = Frames::default();
            frames.push(&length.to_be_bytes());
            assert_eq!(frames.frame(Frame::Params).map_err(|refusal| refusal.code), Err(Code::PARAMS));
        }
        let mut frames = Frames::default();
        frames.push(&8192u32.to_be_bytes());
        assert_eq!(frames.frame(Frame::Params), Ok(None));
    }
}

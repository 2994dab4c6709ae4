//! What connections looked like, ten times a second: whether the window was open, and whether there was something to send.

use crate::sys::tcp;

/// What was seen of a connection, one look after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Looks {
    count: u32,
    /// The largest window that was granted so far, octets.
    widest: u32,
    /// How often less than a quarter of it was: it was not read.
    closed: u32,
    /// How often nothing waited to be sent.
    dry: u32,
}

impl Looks {
    /// Notes what the kernel says of a connection through which this host sends or receives.
    pub(super) fn note(&mut self, info: &tcp::Info, sends: bool) {
        let Some(window) = (if sends { info.snd_wnd } else { info.rcv_wnd }) else { return };
        self.count += 1;
        // A window grows; what was small before it has grown was not closed.
        self.widest = self.widest.max(window);
        self.closed += u32::from(window < self.widest / 4);
        self.dry += u32::from(info.unsent == Some(0));
    }

    /// The largest window that was granted, octets.
    pub(super) fn widest(&self) -> Option<f64> {
        (self.widest > 0).then_some(self.widest.into())
    }

    /// At which share of the looks the window was all but closed.
    pub(super) fn closed(&self) -> Option<f64> {
        (self.count > 0).then(|| f64::from(self.closed) / f64::from(self.count))
    }

    /// At which share of the looks nothing waited to be sent.
    pub(super) fn dry(&self) -> Option<f64> {
        (self.count > 0).then(|| f64::from(self.dry) / f64::from(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_grows_is_open_and_one_that_is_not_read_closes() {
        let of = |windows: &[u32]| {
            let mut looks = Looks::default();
            for &window in windows {
                let (snd_wnd, unsent) = (Some(window), Some(u32::from(window > 5000)));
                looks.note(&tcp::Info { snd_wnd, unsent, ..tcp::Info::default() }, true);
            }
            (looks.widest(), looks.closed(), looks.dry())
        };
        assert_eq!(of(&[1000, 2000, 4000, 8000]), (Some(8000.0), Some(0.0), Some(0.75)));
        assert_eq!(of(&[8000, 1000, 0, 1999]), (Some(8000.0), Some(0.75), Some(0.75)));
        assert_eq!(of(&[]), (None, None, None), "nobody has looked");
        let mut received = Looks::default();
        received.note(&tcp::Info { snd_wnd: Some(1), ..tcp::Info::default() }, false);
        assert_eq!(received, Looks::default(), "an older kernel does not tell");
    }
}

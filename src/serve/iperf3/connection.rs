//! TCP connections made ready: what a client asks for, and what ends those of clients that have vanished.

use std::net::TcpStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use super::Iperf3Settings;
use crate::sys::bulk::Options;
use crate::wire::iperf3::{Code, Params, Refusal};

/// How long a client may leave what was sent to it, or questions whether it lives, unanswered.
const SILENCE: Duration = Duration::from_secs(15);
/// How often a quiet one is asked.
const ASKING: Duration = Duration::from_secs(5);
/// `ENOENT`: a congestion control that this kernel does not have.
const UNKNOWN: i32 = nix::libc::ENOENT;

/// Ends the connection once its client is silent (`TCP_USER_TIMEOUT`, keepalive; tcp(7)). One over several paths takes no such
/// timeout: that nothing moves ends its test.
pub(super) fn watch(socket: &SockRef<'_>) {
    let keepalive = TcpKeepalive::new().with_time(ASKING).with_interval(ASKING).with_retries(2);
    let _ = socket.set_tcp_keepalive(&keepalive);
    let _ = socket.set_tcp_user_timeout(Some(SILENCE));
}

/// Makes a data connection, which is watched already, ready for `params`, whose window is cut to the settings' limit. A segment
/// size is the client's: its own socket announces it, and that rules both ways. Here it would change nothing: both sizes are
/// settled by the SYNs (`TCP_MAXSEG`, tcp(7)), and the socket that listens is everybody's.
///
/// # Errors
/// A congestion control that the system does not let us have.
pub(super) fn prepare(stream: &TcpStream, params: &Params, settings: &Iperf3Settings) -> Result<(), Refusal> {
    let socket = SockRef::from(stream);
    let most = if settings.window > 0 { settings.window } else { u32::MAX };
    let asked = Options {
        // The system's own limit (net.core.wmem_max) cuts it further; the client sees it by its own socket.
        window: (params.window > 0).then_some(params.window.min(most)),
        mss: None,
        // As our own client: a paced write must not wait for the answer to the one before.
        no_delay: params.no_delay || params.rate > 0,
        tos: Some(params.tos).filter(|&tos| tos > 0),
        congestion: params.congestion.clone(),
        pacing: (params.fq_rate > 0).then_some(params.fq_rate / 8),
        ..Options::default()
    };
    // What else is not taken is the client's wish, and no reason to refuse the test.
    let Some(untaken) = asked.apply(&socket).into_iter().find(|untaken| untaken.option == "-C") else {
        return Ok(());
    };
    let (name, error) = (asked.congestion.unwrap_or_default(), untaken.error);
    if error.raw_os_error() == Some(UNKNOWN) {
        return Ok(());
    }
    Err(Refusal::new(Code::CONGESTION, format_args!("congestion control {name:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::bulk::congestion;
    use std::net::TcpListener;

    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let near = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        (near, listener.accept().expect("a connection").0)
    }

    #[test]
    fn a_connection_is_what_was_asked_for() {
        let (stream, _far) = connection();
        let params = Params {
            no_delay: true,
            tos: 0x10,
            window: 400 << 20,
            congestion: Some("reno".to_owned()),
            fq_rate: 8_000_000,
            ..Params::default()
        };
        let settings = Iperf3Settings { window: 65_536, ..Iperf3Settings::default() };
        let socket = SockRef::from(&stream);
        watch(&socket);
        prepare(&stream, &params, &settings).expect("ready");
        assert!(socket.tcp_nodelay().expect("told") && socket.keepalive().expect("told"));
        assert_eq!(socket.tos_v4().expect("told"), 0x10);
        assert_eq!(socket.tcp_user_timeout().expect("told"), Some(SILENCE));
        // The kernel doubles it for its own needs (socket(7)).
        assert_eq!(socket.send_buffer_size().expect("told"), 131_072);
        assert_eq!(congestion(&stream).as_deref(), Some("reno"));
    }

    #[test]
    fn a_paced_write_waits_for_no_answer() {
        for (rate, expected) in [(0, false), (1_000_000, true)] {
            let (stream, _far) = connection();
            let params = Params { rate, ..Params::default() };
            prepare(&stream, &params, &Iperf3Settings::default()).expect("ready");
            assert_eq!(SockRef::from(&stream).tcp_nodelay().expect("told"), expected, "{rate}");
        }
    }

    #[test]
    fn a_congestion_control_that_is_unknown_is_the_systems() {
        let (stream, _far) = connection();
        let before = congestion(&stream);
        let params = Params { congestion: Some("nosuch".to_owned()), ..Params::default() };
        assert_eq!(prepare(&stream, &params, &Iperf3Settings::default()), Ok(()));
        assert_eq!(congestion(&stream), before);
        let long = Params { congestion: Some("x".repeat(300)), ..Params::default() };
        let _ = prepare(&stream, &long, &Iperf3Settings::default());
        assert_eq!(congestion(&stream), before);
    }
}

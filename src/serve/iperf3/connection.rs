//! TCP connections made ready: what a client asks for, and what ends those of clients that have vanished.

use std::net::TcpStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use super::Iperf3Settings;
use crate::sys::bulk;
use crate::wire::iperf3::{Code, Params, Refusal};

/// How long a client may leave what was sent to it, or questions whether it lives, unanswered.
const SILENCE: Duration = Duration::from_secs(15);
/// How often a quiet one is asked.
const ASKING: Duration = Duration::from_secs(5);
/// `ENOENT`: a congestion control that this kernel does not have.
const UNKNOWN: i32 = nix::libc::ENOENT;

/// Ends the connection once its client is silent (`TCP_USER_TIMEOUT`, keepalive; tcp(7)).
pub(super) fn watch(socket: &SockRef<'_>) {
    let keepalive = TcpKeepalive::new().with_time(ASKING).with_interval(ASKING).with_retries(2);
    let _ = socket.set_tcp_keepalive(&keepalive);
    let _ = socket.set_tcp_user_timeout(Some(SILENCE));
}

/// Makes a data connection ready for `params`, whose window is cut to the settings' limit. A segment size is the client's: its
/// own socket announces it, and that rules both ways.
///
/// # Errors
/// A congestion control that the system does not let us have.
pub(super) fn prepare(stream: &TcpStream, params: &Params, settings: &Iperf3Settings) -> Result<(), Refusal> {
    let socket = SockRef::from(stream);
    watch(&socket);
    let _ = socket.set_tcp_nodelay(params.no_delay);
    if params.window > 0 {
        let most = if settings.window > 0 { settings.window } else { u32::MAX };
        if params.window > most {
            tracing::info!("iperf3: a window of {} octets is cut to {most}", params.window);
        }
        let window = params.window.min(most) as usize;
        // The system's own limit (net.core.wmem_max) cuts it further; the client sees it by its own socket.
        let _ = socket.set_send_buffer_size(window);
        let _ = socket.set_recv_buffer_size(window);
    }
    if params.tos > 0 {
        let is_v4 = stream.peer_addr().is_ok_and(|peer| peer.is_ipv4());
        let _ = match is_v4 {
            true => socket.set_tos_v4(params.tos.into()),
            false => socket.set_tclass_v6(params.tos.into()),
        };
    }
    if params.fq_rate > 0 {
        let _ = bulk::set_pacing(stream, params.fq_rate / 8);
    }
    match params.congestion.as_deref().map(|name| (name, socket.set_tcp_congestion(name.as_bytes()))) {
        Some((name, Err(error))) if error.raw_os_error() == Some(UNKNOWN) => {
            tracing::warn!("iperf3: no congestion control {name:?} here; the system's is used");
            Ok(())
        }
        Some((name, Err(error))) => {
            Err(Refusal::new(Code::CONGESTION, format_args!("congestion control {name:?}: {error}")))
        }
        Some((_, Ok(()))) | None => Ok(()),
    }
}

/// The congestion control that a connection uses.
pub(super) fn congestion(stream: &TcpStream) -> Option<String> {
    let name = SockRef::from(stream).tcp_congestion().ok()?;
    let end = name.iter().position(|&octet| octet == 0).unwrap_or(name.len());
    String::from_utf8(name[..end].to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        prepare(&stream, &params, &settings).expect("ready");
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().expect("told") && socket.keepalive().expect("told"));
        assert_eq!(socket.tos_v4().expect("told"), 0x10);
        assert_eq!(socket.tcp_user_timeout().expect("told"), Some(SILENCE));
        // The kernel doubles it for its own needs (socket(7)).
        assert_eq!(socket.send_buffer_size().expect("told"), 131_072);
        assert_eq!(congestion(&stream).as_deref(), Some("reno"));
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

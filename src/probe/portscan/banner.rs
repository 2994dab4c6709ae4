//! What open TCP ports say: listened to first, then asked, then greeted by TLS.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::report::{Port, State};
use super::tls;
use crate::probe::{Ctx, Egress};
use crate::wire::text;

/// Octets of a banner.
const MOST: usize = 512;
/// How long a port may take to speak by itself, and to answer.
const LISTEN: Duration = Duration::from_millis(300);
/// How long a port that has just been open may take to be open again.
const CONNECT: Duration = Duration::from_secs(2);
/// Ports that are listened to at the same time.
const ABREAST: usize = 64;
/// Ports where TLS is spoken from the first octet.
const TLS_PORTS: [u16; 16] =
    [443, 465, 563, 636, 853, 990, 992, 993, 994, 995, 2376, 3269, 5061, 5223, 6697, 8443];
/// What most services answer somehow.
const NUDGES: [&[u8]; 2] = [b"\r\n", b"HEAD / HTTP/1.0\r\n\r\n"];

/// Reads the banners of the open ports among `ports`, within `left`.
pub(super) async fn read(ctx: &Ctx, host: SocketAddr, egress: &Egress, ports: &mut [Port], left: Duration) {
    let open: Vec<usize> = (0..ports.len()).filter(|&n| ports[n].state == State::Open).collect();
    let reading = async {
        for some in open.chunks(ABREAST) {
            let mut tasks = tokio::task::JoinSet::new();
            for &n in some {
                let (mut to, egress) = (host, egress.clone());
                to.set_port(ports[n].port);
                tasks.spawn(async move { (n, heard(to, &egress).await) });
            }
            while let Some(done) = tasks.join_next().await {
                if let Ok((n, (banner, tls))) = done {
                    (ports[n].banner, ports[n].tls) = (banner, tls);
                }
            }
        }
    };
    tokio::select! {
        _ = timeout(left, reading) => {}
        () = ctx.cancel.cancelled() => {}
    }
}

/// What a port says, and how it speaks TLS.
async fn heard(to: SocketAddr, egress: &Egress) -> (Option<String>, Option<String>) {
    let tls_first = TLS_PORTS.contains(&to.port());
    if tls_first && let Some(tls) = greet(to, egress).await {
        return (None, Some(tls));
    }
    let Some(mut stream) = connect(to, egress).await else { return (None, None) };
    let mut said = listen(&mut stream).await;
    for nudge in NUDGES {
        if !said.is_empty() || stream.write_all(nudge).await.is_err() {
            break;
        }
        said = listen(&mut stream).await;
    }
    // A server of TLS complains of our words by an alert, or hangs up.
    let tls =
        if !tls_first && (said.is_empty() || tls::is_alert(&said)) { greet(to, egress).await } else { None };
    let banner = (!said.is_empty() && tls.is_none()).then(|| written(&said));
    (banner, tls)
}

/// Says hello in TLS.
async fn greet(to: SocketAddr, egress: &Egress) -> Option<String> {
    let mut stream = connect(to, egress).await?;
    let mut hello = Vec::new();
    tls::hello(&mut hello);
    stream.write_all(&hello).await.ok()?;
    tls::describe(&listen(&mut stream).await)
}

async fn connect(to: SocketAddr, egress: &Egress) -> Option<TcpStream> {
    let socket = socket(to, egress).ok()?;
    timeout(CONNECT, socket.connect(to)).await.ok()?.ok()
}

fn socket(to: SocketAddr, egress: &Egress) -> io::Result<TcpSocket> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(device) = egress.device() {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    if let Some(source) = egress.source() {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    Ok(socket)
}

/// What comes until the sender is silent for a while, or has said enough.
async fn listen(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let mut some = [0; MOST];
    let reading = async {
        while said.len() < MOST {
            match stream.read(&mut some).await {
                Ok(count @ 1..) => said.extend(&some[..count]),
                _ => break,
            }
        }
    };
    let _ = timeout(LISTEN, reading).await;
    said.truncate(MOST);
    said
}

/// Text for people and JSON, without the line ends behind it.
fn written(said: &[u8]) -> String {
    let end = said.iter().rposition(|octet| !b"\r\n".contains(octet)).map_or(0, |last| last + 1);
    text::printable(&said[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_printed_raw() {
        for (said, expected) in [
            (&b"220 mail.example ESMTP\r\n"[..], "220 mail.example ESMTP"),
            (b"\x1b[2Jboo\r\nbar\r\n\r\n", "\\u{1b}[2Jboo\\r\\nbar"),
            (b"\r\n", ""),
        ] {
            assert_eq!(written(said), expected);
        }
    }
}

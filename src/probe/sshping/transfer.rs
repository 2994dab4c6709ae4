//! How much goes through the session: zeros to a program of the far side, or from one; or a file by SFTP, there and back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ssh2::Sftp;

use super::line::{Line, WIDE_WINDOW, WINDOW};
use crate::failure::{Class, Failure};
use crate::sys::wait::Stop;
use crate::sys::{clock, random};
use crate::units::ms;

/// Octets that are handed over at once.
const PIECE: usize = 1 << 20;
/// How long a file that was made may take to be removed.
const CLEARING: Duration = Duration::from_secs(3);
/// Octets of an upload for each that the far side may say of it: SFTP answers 30,000 by about 100.
const PER_WORD: u64 = 64;
/// Where the file of SFTP stands.
const DIRECTORY: &str = "/tmp";

/// What went through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SshTransfer")]
pub struct Transfer {
    /// Octets of the payload.
    pub bytes: u64,
    /// From the first of them to the far side's word that it has the last one, or to the last one here.
    #[serde(rename = "elapsed_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub elapsed: Duration,
    /// Bits of payload a second; null where it was too quick to tell.
    pub throughput_bps: Option<f64>,
}

impl Transfer {
    fn of(bytes: u64, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        let throughput_bps = (seconds > 0.0).then(|| bytes as f64 * 8.0 / seconds);
        Self { bytes, elapsed, throughput_bps }
    }
}

/// Both directions, each measured or not.
pub(super) type Both = (Result<Transfer, Failure>, Result<Transfer, Failure>);

/// `bytes` up into a program and down from one.
pub(super) fn by_programs(line: &Line<'_>, bytes: u64) -> Both {
    (up(line, bytes), down(line, bytes))
}

fn up(line: &Line<'_>, bytes: u64) -> Result<Transfer, Failure> {
    let mut channel = line.exec("cat >/dev/null", WINDOW)?;
    let began = clock::now().mono;
    write(line, &mut channel, bytes)?;
    let ended = line.patiently(|| channel.send_eof());
    ended.map_err(|undone| undone.failure("end the upload"))?;
    // It ends when it has read all of it.
    let closed = line.patiently(|| channel.wait_eof());
    closed.map_err(|undone| undone.failure("wait for the end of the upload"))?;
    Ok(Transfer::of(bytes, clock::now().mono - began))
}

fn down(line: &Line<'_>, bytes: u64) -> Result<Transfer, Failure> {
    let mut channel = line.exec(&format!("head -c {bytes} /dev/zero"), WIDE_WINDOW)?;
    let began = clock::now().mono;
    let got = read(line, &mut channel, bytes)?;
    let elapsed = clock::now().mono - began;
    if got != bytes {
        return Err(Class::Protocol.because(format_args!("the far side sends {got} octets of {bytes}")));
    }
    Ok(Transfer::of(bytes, elapsed))
}

/// `bytes` up into a file and down from it, which is removed whatever happens.
pub(super) fn by_sftp(line: &Line<'_>, bytes: u64) -> Both {
    let opened = line.patiently(|| line.session.sftp());
    let sftp = match opened.map_err(|undone| undone.failure("begin sftp")) {
        Ok(sftp) => sftp,
        Err(failure) => return (Err(failure.clone()), Err(failure)),
    };
    let path = match name() {
        Ok(path) => path,
        Err(failure) => return (Err(failure.clone()), Err(failure)),
    };
    let up = file_up(line, &sftp, &path, bytes);
    let down = match &up {
        Ok(_) => file_down(line, &sftp, &path, bytes),
        Err(failure) => Err(failure.clone()),
    };
    // Also after Ctrl-C, for which the run itself has no time left.
    if let Ok(never) = Stop::new()
        && let Ok(after) = line.afterwards(&never, CLEARING)
    {
        let _ = after.patiently(|| sftp.unlink(&path));
    }
    (up, down)
}

fn file_up(line: &Line<'_>, sftp: &Sftp, path: &Path, bytes: u64) -> Result<Transfer, Failure> {
    let made = line.patiently(|| sftp.create(path));
    let mut file = made.map_err(|undone| undone.failure(&format!("make {} by sftp", path.display())))?;
    let began = clock::now().mono;
    write(line, &mut file, bytes)?;
    let closed = line.patiently(|| file.close());
    closed.map_err(|undone| undone.failure("end the upload"))?;
    Ok(Transfer::of(bytes, clock::now().mono - began))
}

fn file_down(line: &Line<'_>, sftp: &Sftp, path: &Path, bytes: u64) -> Result<Transfer, Failure> {
    let opened = line.patiently(|| sftp.open(path));
    let mut file = opened.map_err(|undone| undone.failure(&format!("open {} by sftp", path.display())))?;
    let began = clock::now().mono;
    let got = read(line, &mut file, bytes)?;
    let elapsed = clock::now().mono - began;
    let _ = line.patiently(|| file.close());
    if got != bytes {
        return Err(Class::Protocol.because(format_args!("sftp gives back {got} octets of {bytes}")));
    }
    Ok(Transfer::of(bytes, elapsed))
}

fn write(line: &Line<'_>, to: &mut impl std::io::Write, bytes: u64) -> Result<(), Failure> {
    let zeros = vec![0; PIECE];
    let mut left = bytes;
    while left > 0 {
        let piece = &zeros[..left.min(PIECE as u64) as usize];
        let count = line.through("upload", || to.write(piece))?;
        if count == 0 {
            return Err(Class::Protocol.because("the far side takes no more of the upload"));
        }
        line.guard().took(count as u64 / PER_WORD);
        left -= count as u64;
    }
    Ok(())
}

/// Reads to the end, or beyond `bytes`: how many there were.
fn read(line: &Line<'_>, from: &mut impl std::io::Read, bytes: u64) -> Result<u64, Failure> {
    let mut room = vec![0; PIECE];
    let mut got = 0;
    while got <= bytes {
        match line.through("download", || from.read(&mut room))? {
            0 => break,
            count => {
                line.guard().took(count as u64);
                got += count as u64;
            }
        }
    }
    Ok(got)
}

/// The name of a file that nobody else has.
fn name() -> Result<PathBuf, Failure> {
    let word = random::word().map_err(|error| Failure::from_io("read random octets", &error))?;
    Ok(Path::new(DIRECTORY).join(format!("waddleperf-sshping-{word}.tmp")))
}

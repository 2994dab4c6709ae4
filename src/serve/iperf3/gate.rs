//! Who is let in: names and passwords that are encrypted for our key, each token once.

use std::collections::HashMap;
use std::hash::RandomState;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::Semaphore;

use super::super::reflector::{SLOTS, network, slot};
use super::Iperf3Settings;
use super::end::End;
use crate::failure::{Class, Failure};
use crate::probe::read_private;
use crate::sys::wait::Stop;
use crate::sys::{clock, random};
use crate::units::Now;
use crate::wire::iperf3::{Claim, Code, PrivateKey, Refusal, Token};

/// Octets of a private key's file: one of 8,192 bits has 6,500.
const MOST_KEY: u64 = 16 << 10;
/// Octets of the file of users.
const MOST_USERS: u64 = 1 << 20;
/// Tokens that are opened at the same time: a millisecond of a processor each.
const AT_ONCE: usize = 2;
/// Logins of a source that may fail in a minute; then it is refused unread.
pub(super) const FAILURES: u8 = 10;
/// Tokens that are remembered.
const MOST_SEEN: usize = 65_536;
const NANOS: i64 = 1_000_000_000;

/// Key and users: what a server that asks for a login needs.
pub struct Gate {
    key: PrivateKey,
    users: Arc<Users>,
    /// What the password of a name that is unknown is compared with.
    nobody: Digest,
    skew: Duration,
    opening: Semaphore,
    failures: Minutes,
    seen: Mutex<Seen>,
}

/// Who may log in: a file, and what it said when it was read last.
pub struct Users {
    path: PathBuf,
    known: RwLock<HashMap<String, Digest>>,
}

type Digest = [u8; 32];

/// Tokens that were taken, by what they are remembered by, and until when.
type Seen = HashMap<Digest, Instant>;

impl Gate {
    /// Reads what `settings` name; `None` where they name no key.
    ///
    /// # Errors
    /// A file that cannot be read, that others may read, or that holds something else.
    pub fn open(settings: &Iperf3Settings, stop: &Stop) -> Result<Option<Self>, Failure> {
        let (Some(key), Some(users)) = (&settings.rsa_private_key_path, &settings.authorized_users_path)
        else {
            return Ok(None);
        };
        let pem = read_private("private key", key, MOST_KEY, stop)?;
        let private = PrivateKey::from_pem(&pem, settings.use_pkcs1_padding)
            .map_err(|why| Class::Config.because(format_args!("private key {}: {why}", key.display())))?;
        let known = read_file(users, stop)?;
        let users = Users { path: users.clone(), known: RwLock::new(known) };
        Self::new(private, users, settings.time_skew_threshold.0).map(Some)
    }

    /// Who may log in.
    pub fn users(&self) -> Arc<Users> {
        Arc::clone(&self.users)
    }

    fn new(key: PrivateKey, users: Users, skew: Duration) -> Result<Self, Failure> {
        let nobody = random::octets().map_err(|error| Failure::from_io("read random octets", &error))?;
        Ok(Self {
            key,
            users: Arc::new(users),
            nobody,
            skew,
            opening: Semaphore::new(AT_ONCE),
            failures: Minutes::new(clock::now().mono),
            seen: Mutex::default(),
        })
    }

    /// The name of who has sent `token` from `source`, if he may come in.
    pub(super) async fn admit(self: &Arc<Self>, source: IpAddr, token: Option<Token>) -> Result<String, End> {
        let refused = |why: &str| Err(Refusal::new(Code::AUTH, why).into());
        if self.failures.count(source, clock::now().mono) >= FAILURES {
            return refused("too many logins from there have failed in this minute");
        }
        let found = match token {
            None => Err("there is no token"),
            Some(token) => {
                let _turn = self.opening.acquire().await.map_err(|_| End::Stopping)?;
                let gate = Arc::clone(self);
                let judged = tokio::task::spawn_blocking(move || gate.judge(&token, clock::now()));
                judged.await.unwrap_or(Err("it could not be looked at"))
            }
        };
        match found {
            Ok(user) => Ok(user),
            Err(why) => {
                let count = self.failures.add(source, clock::now().mono);
                tracing::warn!("iperf3: {source} is not let in: {why}");
                if count == FAILURES {
                    tracing::warn!("iperf3: logins of {source} are refused unread until the minute is over");
                }
                refused(why)
            }
        }
    }

    /// Opens a token: a millisecond's work.
    fn judge(&self, token: &Token, now: Now) -> Result<String, &'static str> {
        let claim = self.key.open(token);
        let is_user = self.knows(&claim);
        let seconds = i64::try_from(now.wall).unwrap_or(i64::MAX) / NANOS;
        let is_fresh = claim.at.abs_diff(seconds) <= self.skew.as_secs();
        match (is_user, is_fresh) {
            (false, _) => Err("name, password or padding is wrong"),
            (true, false) => Err("its clock and ours are too far apart, or the token is old"),
            (true, true) => self.remember(PrivateKey::trace(token), now.mono).map(|()| claim.user),
        }
    }

    /// Whether the password is the name's, in a time that tells neither.
    fn knows(&self, claim: &Claim) -> bool {
        let known = self.users.digest(&claim.user);
        let is_right = verify_slices_are_equal(&claim.digest(), &known.unwrap_or(self.nobody)).is_ok();
        is_right & known.is_some()
    }

    /// Notes a token for as long as its time can hold; one that was noted already is somebody's who has listened.
    fn remember(&self, token: Digest, now: Instant) -> Result<(), &'static str> {
        let mut seen = lock(&self.seen);
        if seen.len() >= MOST_SEEN {
            seen.retain(|_, until| *until > now);
        }
        if seen.len() >= MOST_SEEN {
            return Err("there is no room to remember one more token");
        }
        // A clock that is late by the skew gives a token that holds for two of them.
        let until = now + 2 * self.skew + Duration::from_secs(1);
        match seen.insert(token, until) {
            Some(before) if before > now => Err("this token was used before"),
            _ => Ok(()),
        }
    }
}

impl Users {
    /// Reads the file again, and says how many it names; one that is broken changes nothing.
    ///
    /// # Errors
    /// A file that cannot be read, that others may read, or that holds something else.
    pub fn read_again(&self) -> Result<usize, Failure> {
        let never = Stop::new().map_err(|error| Failure::from_io("eventfd", &error))?;
        let known = read_file(&self.path, &never)?;
        let count = known.len();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(count)
    }

    fn digest(&self, name: &str) -> Option<Digest> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }
}

fn read_file(path: &Path, stop: &Stop) -> Result<HashMap<String, Digest>, Failure> {
    let text = read_private("file of users", path, MOST_USERS, stop)?;
    read_users(&text)
        .map_err(|why| Class::Config.because(format_args!("file of users {}: {why}", path.display())))
}

/// Reads lines of `name,sha256`; `#` begins a comment.
fn read_users(text: &[u8]) -> Result<HashMap<String, Digest>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not text".to_owned())?;
    let mut users = HashMap::new();
    for (n, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let user = line.split_once(',').and_then(|(name, hex)| Some((name.trim(), digest_of(hex.trim())?)));
        let Some((name, digest)) = user.filter(|(name, _)| !name.is_empty()) else {
            return Err(format!(
                "line {} is not NAME,HASH, where HASH is `echo -n '{{NAME}}PASSWORD' | sha256sum`",
                n + 1
            ));
        };
        if users.insert(name.to_owned(), digest).is_some() {
            return Err(format!("line {}: the name is there twice", n + 1));
        }
    }
    if users.is_empty() { Err("it names nobody".to_owned()) } else { Ok(users) }
}

/// The octets of 64 hexadecimal digits.
fn digest_of(hex: &str) -> Option<Digest> {
    let digits: Option<Vec<u8>> = hex.chars().map(|digit| Some(digit.to_digit(16)? as u8)).collect();
    let octets: Vec<u8> =
        digits?.chunks(2).map(|pair| pair.iter().fold(0u8, |sum, digit| sum << 4 | digit)).collect();
    octets.try_into().ok().filter(|_| hex.len() == 64)
}

/// What each source has done in a minute. Sources are hashed with a secret; those that share a slot share the count.
pub(super) struct Minutes {
    hasher: RandomState,
    began: Instant,
    /// The minute, and the count in it.
    slots: Mutex<Vec<(u32, u8)>>,
}

impl Minutes {
    pub(super) fn new(now: Instant) -> Self {
        Self { hasher: RandomState::new(), began: now, slots: Mutex::new(vec![(0, 0); SLOTS]) }
    }

    fn with<T>(&self, source: IpAddr, now: Instant, change: impl FnOnce(&mut u8) -> T) -> T {
        let minute = (now.saturating_duration_since(self.began).as_secs() / 60) as u32;
        let mut slots = lock(&self.slots);
        let (of, count) = &mut slots[slot(&self.hasher, network(source))];
        if *of != minute {
            (*of, *count) = (minute, 0);
        }
        change(count)
    }

    /// How often in this minute.
    fn count(&self, source: IpAddr, now: Instant) -> u8 {
        self.with(source, now, |count| *count)
    }

    /// Once more; how often in this minute.
    pub(super) fn add(&self, source: IpAddr, now: Instant) -> u8 {
        self.with(source, now, |count| {
            *count = count.saturating_add(1);
            *count
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARIO: &str = "bf7a49a846d44b454a5d11e7acfaf13d138bbe0b7483aa3e050879700572709b";

    #[test]
    fn users_are_read_as_stock_servers_do() {
        let text = format!("# people\r\n\r\nmario,{MARIO}\r\n luigi , {} \n", MARIO.to_uppercase());
        let users = read_users(text.as_bytes()).expect("users");
        assert_eq!((users.len(), users["mario"]), (2, users["luigi"]));
        let claim = Claim { user: "mario".to_owned(), password: "rossi".to_owned(), at: 0 };
        assert_eq!(users["mario"], claim.digest());
        for (text, why) in [
            ("", "nobody"),
            ("# only this", "nobody"),
            ("mario", "line 1"),
            ("\nmario,12", "line 2"),
            (&format!(",{MARIO}"), "line 1"),
            (&format!("a,{MARIO}0"), "line 1"),
            (&format!("a,{}g", &MARIO[1..]), "line 1"),
            (&format!("a,{MARIO}\na,{MARIO}"), "twice"),
        ] {
            assert!(read_users(text.as_bytes()).is_err_and(|said| said.contains(why)), "{text:?}");
        }
        assert!(read_users(b"\xff").is_err());
    }

    #[test]
    fn a_minute_forgets_what_was_in_the_last_one() {
        let now = clock::now().mono;
        let minutes = Minutes::new(now);
        let [one, other]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        assert_eq!((1..=3).map(|_| minutes.add(one, now)).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((minutes.count(one, now), minutes.count(other, now)), (3, 0));
        assert_eq!(minutes.count(one, now + Duration::from_secs(60)), 0);
        for _ in 0..300 {
            minutes.add(other, now);
        }
        assert_eq!(minutes.count(other, now), u8::MAX);
    }

    mod judged {
        use super::*;
        use crate::wire::iperf3::{Padding, PublicKey};
        use aws_lc_rs::encoding::AsDer;
        use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;

        fn gate(skew: u64) -> (Gate, PublicKey) {
            let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
            let pem = |label: &str, der: &[u8]| {
                format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
            };
            let private = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).expect("DER");
            let public = key.public_key().as_der().expect("DER");
            let private = PrivateKey::from_pem(pem("PRIVATE KEY", private.as_ref()).as_bytes(), false);
            let public = PublicKey::from_pem(pem("PUBLIC KEY", public.as_ref()).as_bytes());
            let known = read_users(format!("mario,{MARIO}").as_bytes()).expect("users");
            let users = Users { path: PathBuf::new(), known: RwLock::new(known) };
            let gate = Gate::new(private.expect("a key"), users, Duration::from_secs(skew));
            (gate.expect("a gate"), public.expect("a key"))
        }

        #[test]
        fn only_a_fresh_token_of_a_user_is_taken_and_only_once() {
            let (gate, public) = gate(10);
            let now = Now { wall: 1_700_000_000 * 1_000_000_000, ..clock::now() };
            let token = |user: &str, password: &str, at: i64| {
                let claim = Claim { user: user.to_owned(), password: password.to_owned(), at };
                public.seal(&claim, Padding::Oaep).expect("sealed")
            };
            let judge = |token: &Token, later: u64| gate.judge(token, now.after(Duration::from_secs(later)));
            for (user, password, at, is_taken) in [
                ("mario", "rossi", 0, true),
                ("mario", "rossi", -10, true),
                ("mario", "rossi", 10, true),
                ("mario", "rossi", -11, false),
                ("mario", "rossi", 11, false),
                ("mario", "rosso", 0, false),
                ("luigi", "rossi", 0, false),
            ] {
                let token = token(user, password, 1_700_000_000 + at);
                assert_eq!(judge(&token, 0).is_ok(), is_taken, "{user} {password} {at}");
                assert!(judge(&token, 0).is_err(), "twice");
            }
            // For as long as it could hold.
            let early = token("mario", "rossi", 1_700_000_010);
            assert!(judge(&early, 0).is_ok());
            assert_eq!(judge(&early, 20), Err("this token was used before"));
            assert!(judge(&early, 21).is_err_and(|why| why.contains("clock")));
            assert!(judge(&Token::new("AAAA"), 0).is_err());
        }

        #[test]
        fn what_is_remembered_is_bounded_and_forgotten_in_time() {
            let (gate, _) = gate(10);
            let now = clock::now().mono;
            let id = |n: usize| {
                let mut id = [0; 32];
                id[..8].copy_from_slice(&n.to_ne_bytes());
                id
            };
            for n in 0..MOST_SEEN {
                assert_eq!(gate.remember(id(n), now), Ok(()));
            }
            assert!(gate.remember(id(MOST_SEEN), now).is_err_and(|why| why.contains("room")));
            let later = now + Duration::from_secs(22);
            assert_eq!(gate.remember(id(0), later), Ok(()), "its time is over");
            assert_eq!(lock(&gate.seen).len(), 1);
        }

        #[tokio::test]
        async fn a_source_that_fails_is_refused_unread() {
            let (gate, public) = gate(10);
            let gate = Arc::new(gate);
            let [one, other]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
            for _ in 0..FAILURES {
                assert!(gate.admit(one, None).await.is_err());
            }
            let at = (clock::now().wall / 1_000_000_000) as i64;
            let claim = Claim { user: "mario".to_owned(), password: "rossi".to_owned(), at };
            let token = || Some(public.seal(&claim, Padding::Oaep).expect("sealed"));
            let end = gate.admit(one, token()).await.expect_err("it is refused");
            assert!(end.to_string().contains("too many"), "{end}");
            assert_eq!(gate.admit(other, token()).await, Ok("mario".to_owned()));
        }
    }
}

//! Cookies (RFC 7873): who knows them, who only says so, and forgers who know everything but the cookie.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use waddleperf::wire::dns::{Cookie, Edns, Message};

use super::server::{address, octets, reply, serve};
use super::world::{RESOLVER, World, ZONES};
use super::{answers, findings, report, run};
use crate::tool::stdout;

/// The cookie of a query.
fn cookie(query: &Message) -> Option<Cookie> {
    Cookie::parse(query.edns.as_ref()?.cookie.as_deref()?)
}

/// A right answer that bears `cookie`.
fn with(query: &Message, cookie: Option<Vec<u8>>) -> Message {
    let edns = Some(Edns { size: 1232, cookie, ..Edns::default() });
    Message { edns, ..reply(query, vec![address(query, 1)]) }
}

/// What a server bakes for `cookie`.
fn baked(cookie: &Cookie, theirs: &[u8]) -> Option<Vec<u8>> {
    Some([cookie.ours(), theirs].concat())
}

#[test]
fn a_server_that_knows_cookies_gets_its_own_back() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listening = Arc::clone(&heard);
    let at = serve(move |query, _| {
        let cookie = cookie(query).expect("a cookie");
        let mut heard = listening.lock().expect("a lock");
        heard.push((cookie.ours().to_vec(), cookie.theirs().to_vec()));
        vec![octets(&with(query, baked(&cookie, &[heard.len() as u8; 16])))]
    });
    for words in ["", "+tcp"] {
        heard.lock().expect("a lock").clear();
        let found = report(&format!("@{at} a.example -c 3 -i 200ms {words}"));
        let server = &found["servers"][0];
        let all = json!({ "right": 3, "echoed": 0, "missing": 0, "wrong": 0, "refused": 0 });
        assert_eq!((&server["cookies"], findings(&found).len()), (&all, 0), "{found}");
        let heard = heard.lock().expect("a lock");
        let theirs: Vec<&[u8]> = heard.iter().map(|(_, theirs)| theirs.as_slice()).collect();
        assert_eq!(theirs, [&[][..], &[1; 16], &[2; 16]], "each brings the newest back");
        assert!(heard.iter().all(|(ours, _)| *ours == heard[0].0), "ours stays");
    }
    let text = stdout(&mut super::command(
        std::process::Command::new(crate::tool::WADDLEPERF),
        &format!("@{at} a.example -c 1"),
    ));
    assert!(text.contains("cookies right"), "{text}");
}

#[test]
fn a_server_that_insists_is_asked_again() {
    let at = serve(|query, _| {
        let cookie = cookie(query).expect("a cookie");
        let mut said = with(query, baked(&cookie, b"bakedbakedbaked!"));
        if cookie.theirs().is_empty() {
            (said.code, said.answers) = (23, Vec::new());
        }
        vec![octets(&said)]
    });
    let found = report(&format!("@{at} a.example -c 3 -i 200ms"));
    let server = &found["servers"][0];
    assert_eq!(server["rcodes"], json!({ "NOERROR": 3 }), "{server}");
    assert_eq!((&server["cookies"]["refused"], &server["cookies"]["right"]), (&json!(1), &json!(3)));
    // One that is never content is believed, and told.
    let never = serve(|query, _| {
        let cookie = cookie(query).expect("a cookie");
        vec![octets(&Message { code: 23, ..with(query, baked(&cookie, b"12345678")) })]
    });
    let found = report(&format!("@{never} a.example -c 1"));
    assert_eq!(found["servers"][0]["rcode"], "BADCOOKIE");
    assert_eq!(findings(&found), ["error"]);
}

#[test]
fn a_reply_with_another_cookie_is_not_believed() {
    let at = serve(|query, _| {
        let cookie = cookie(query).expect("a cookie");
        // It knows the identifier, the port and the letters' case.
        let forged = |cookie| {
            let mut forged = with(query, cookie);
            forged.answers = vec![address(query, 66)];
            octets(&forged)
        };
        let mut other = cookie.ours().to_vec();
        other[3] ^= 1;
        vec![
            forged(Some([&other, &b"12345678"[..]].concat())),
            forged(Some(cookie.ours()[..7].to_vec())),
            forged(Some([cookie.ours(), &[7; 33]].concat())),
            forged(Some(Vec::new())),
            octets(&with(query, baked(&cookie, b"12345678"))),
        ]
    });
    for words in ["", "+tcp"] {
        let found = report(&format!("@{at} a.example -c 2 -i 200ms {words}"));
        let server = &found["servers"][0];
        assert_eq!(answers(server), ["192.0.2.1"], "{words} {server}");
        assert_eq!(
            (&server["cookies"]["wrong"], &server["counts"]["mismatched"]),
            (&json!(8), &json!(8)),
            "{words} {server}"
        );
        assert_eq!(findings(&found), ["mismatched"]);
        let text = found["findings"][0]["text"].as_str().expect("a text");
        assert!(text.contains("8 of them by their cookie"), "{text}");
    }
    // Nothing but forgeries is silence.
    let liar = serve(|query, _| vec![octets(&with(query, Some(b"0123456789abcdef".to_vec())))]);
    let output = run(&format!("@{liar} a.example -c 1 -W 500ms --json"));
    let server = &super::report_of(&output)["servers"][0];
    assert_eq!((&server["counts"]["received"], &server["rcode"]), (&json!(0), &json!(null)), "{server}");
    // Who is not asked to prove anything is believed.
    let found = report(&format!("@{liar} a.example -c 1 +nocookie"));
    assert_eq!(
        (&found["servers"][0]["cookies"], &found["servers"][0]["counts"]["received"]),
        (&json!(null), &json!(1))
    );
}

#[test]
fn who_knows_no_cookies_is_told_from_who_forgets_them() {
    let none = serve(|query, _| vec![octets(&with(query, None))]);
    let echo = serve(|query, _| {
        let cookie = cookie(query).expect("a cookie");
        vec![octets(&with(query, Some(cookie.octets().to_vec())))]
    });
    let count = AtomicU64::new(0);
    let moody = serve(move |query, _| {
        let cookie = cookie(query).expect("a cookie");
        let knows = count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        vec![octets(&with(query, if knows { baked(&cookie, b"12345678") } else { None }))]
    });
    for (at, key, ids, says) in [
        (none, "missing", &[][..], "no cookies"),
        (echo, "echoed", &[], "cookies echoed"),
        (moody, "missing", &["cookie_missing"], "cookies in 2 of 4"),
    ] {
        let found = report(&format!("@{at} a.example -c 4 -i 50ms"));
        let cookies = &found["servers"][0]["cookies"];
        assert!(cookies[key].as_u64() >= Some(2) && findings(&found) == ids, "{found}");
        let text = run(&format!("@{at} a.example -c 4 -i 50ms"));
        let text = String::from_utf8(text.stdout).expect("text");
        assert!(text.contains(says), "{text}");
    }
}

/// knot has them switched on here, unbound of Debian 12 has none over which it would say something.
#[test]
fn knots_cookies_are_right_and_kdig_says_so_too() {
    let world = World::new();
    let theirs = stdout(&mut world.peer("kdig", &format!("@{ZONES} www.plain A +cookie")));
    assert!(theirs.contains("COOKIE:"), "{theirs}");
    let found = world.report(&format!("@{ZONES} www.plain -c 3 -i 100ms"));
    let cookies = &found["servers"][0]["cookies"];
    assert_eq!((&cookies["right"], &cookies["missing"]), (&json!(3), &json!(0)), "{found}");
    let found = world.report(&format!("@{RESOLVER} www.plain -c 3 -i 100ms"));
    let cookies = &found["servers"][0]["cookies"];
    assert_eq!(cookies["wrong"], 0, "{found}");
    let theirs = stdout(&mut world.peer("kdig", &format!("@{RESOLVER} www.plain A +cookie")));
    assert_eq!(theirs.contains("COOKIE:"), cookies["right"] == 3, "{theirs}");
}

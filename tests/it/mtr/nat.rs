//! Translators: who changes addresses is found, though the kernel takes its change back in what it lets through.

use serde_json::{Value, json};

use super::trace::{cycles, hops, report, report_once, server, unprivileged};
use crate::lab::Lab;
use crate::tool::stdout;

fn nat(report: &Value) -> Vec<Value> {
    hops(report).iter().map(|hop| hop["nat"].clone()).collect()
}

#[test]
fn who_translates_is_found_and_no_hop_before() {
    let (yes, no, unseen) = (json!(true), json!(false), Value::Null);
    for at in [1, 2] {
        let lab = Lab::line(4).build();
        lab.router(at).masquerade();
        let expected: Vec<Value> =
            (1..=5).map(|ttl| if ttl > at { yes.clone() } else { no.clone() }).collect();
        for method in ["", "-u", "-T", "--quic", "-u --strategy classic", "-u --strategy dublin"] {
            let found = report(lab.client(), server(&lab, false), &format!("-c 3 -i 0.1 {method}"));
            assert_eq!(nat(&found), expected, "{method} behind router {at}: {found}");
            let translator = lab.router(at).address4().to_string();
            assert_eq!((&found["translator"], &found["ignored"]), (&json!(translator), &json!(0)), "{found}");
            for hop in hops(&found) {
                assert_eq!((&hop["counts"]["sent"], &hop["loss_ratio"]), (&json!(3), &json!(0.0)), "{hop}");
            }
        }
        // A search asks, too.
        for method in ["--mda", "--mda --icmp"] {
            let found = report(lab.client(), server(&lab, false), method);
            assert_eq!(nat(&found), expected, "{method} behind router {at}: {found}");
            assert_eq!(found["multipath"]["width"], json!(1), "{found}");
        }
        // Without privilege nothing shows it, and nothing is claimed.
        for method in ["", "-u"] {
            let found = unprivileged(lab.client(), server(&lab, false), &format!("-c 2 -i 0.1 {method}"));
            assert_eq!(nat(&found), vec![unseen.clone(); 5], "{method}: {found}");
            assert_eq!(found["translator"], unseen);
        }
    }
}

#[test]
fn a_translator_that_answers_late_is_still_the_one() {
    let lab = Lab::line(4).build();
    let translator = lab.router(1);
    translator.masquerade();
    // Its first error is lost: what goes further passes it before it is asked what it sees.
    let script = "add chain inet nat late { type filter hook output priority 0; }; \
                  add rule inet nat late icmp type time-exceeded quota until 120 bytes drop";
    stdout(translator.command("nft").arg(script));
    let found = report_once(lab.client(), server(&lab, false), "-c 3 -i 0.1");
    assert_eq!(hops(&found)[0]["counts"]["received"], json!(cycles(&found) - 1), "{found}");
    let seen: Vec<Value> = (1..=5).map(|ttl| json!(ttl > 1)).collect();
    assert_eq!(
        (nat(&found), &found["translator"]),
        (seen, &json!(translator.address4().to_string())),
        "{found}"
    );
}

#[test]
fn a_clean_line_has_no_translator() {
    let lab = Lab::line(3).build();
    for method in ["", "-u", "-T", "-u --flows 3", "-u --strategy dublin"] {
        let found = report(lab.client(), server(&lab, false), &format!("-c 3 -i 0.1 {method}"));
        // What the target itself sees of an echo it does not tell.
        assert_eq!(nat(&found), [json!(false), json!(false), json!(false), Value::Null], "{method}: {found}");
        assert_eq!((&found["translator"], &found["ignored"]), (&Value::Null, &json!(0)), "{method}: {found}");
    }
    let found = report(lab.client(), server(&lab, true), "-c 3 -i 0.1");
    assert_eq!(nat(&found), vec![Value::Null; 4], "nobody can say over IPv6: {found}");
}

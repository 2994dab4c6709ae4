//! What an answer must be, from words to exit code.

use serde_json::Value;

use super::origin::{Origin, whole};
use super::{record_of, run};

#[test]
fn what_is_expected_decides_the_exit_code() {
    let origin = Origin::http(Box::new(|_, stream| {
        let body = br#"{"state": "good", "deep": [{"n": 7}], "~": null}"#;
        whole(stream, "203 Fine\r\nX-State: good, mostly", body)
    }));
    let url = origin.url("/");
    for (expected, is_met, found) in [
        ("status=203", true, None),
        ("status=2xx", true, None),
        ("status=200", false, Some("203")),
        ("header:X-State=good, mostly", true, None),
        ("header:x-state", true, None),
        ("header:X-State=bad", false, Some("good, mostly")),
        ("header:X-Other", false, None),
        ("body~\"st.te\": +\"good\"", true, None),
        ("body~nowhere", false, None),
        ("json:/state=good", true, None),
        ("json:/deep/0/n=7", true, None),
        ("json:/deep/0/n=8", false, Some("7")),
        ("json:/nowhere=8", false, None),
    ] {
        let output = run(&["--json", "--expect", expected, &url]);
        let record = record_of(&[expected], &output);
        let told = &record["outcome"]["report"]["expectations"][0];
        assert_eq!((&told["expected"], &told["met"]), (&expected.into(), &is_met.into()), "{record}");
        assert_eq!(output.status.code(), Some(i32::from(!is_met)), "{expected}");
        let text = told["found"].as_str();
        assert!(
            found.is_none_or(|found| text == Some(found)) && (!is_met || told["found"].is_null()),
            "{told}"
        );
    }
    // One that is not met is enough, and the others are told all the same.
    let words = ["--json", "-c", "2", "--expect", "status=203", "--expect", "json:/state=bad", &url];
    let output = run(&words);
    let record = record_of(&words, &output);
    let met: Vec<_> = record["outcome"]["report"]["expectations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["met"] == true)
        .collect();
    assert_eq!((output.status.code(), met), (Some(1), vec![true, false]), "{record}");
    let wrong = run(&["--expect", "json:state=good", &url]);
    assert_eq!(wrong.status.code(), Some(2), "that is no pointer: {}", super::said(&wrong));
    assert_eq!(record["outcome"]["failure"], Value::Null);
}

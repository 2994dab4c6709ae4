//! What is in the store and how it is found: filters, pages, series, roll-ups, retention.

use proptest::prelude::*;
use waddleperf::failure::Class;
use waddleperf::stats::percentile;
use waddleperf::store::{Answer, Filter, Order, Page, Query, Record, Retention, Store, Summary};

use super::{START, at, data, failed, list, plain, records, sampled, store};
use crate::lab::shared;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn summary(store: &Store, scalar: &str, since: u64, until: u64) -> Summary {
    let filter = Filter { since: Some(at(since)), until: Some(at(until)), ..Filter::default() };
    let scalar = scalar.to_owned();
    match store.ask(&Query::Summary { filter, scalar }).expect("an answer") {
        Answer::Summary(summary) => summary,
        other => panic!("another answer: {other:?}"),
    }
}

#[test]
fn what_is_kept_is_found_again_and_twice_is_once() {
    let (_dir, data) = data();
    let all: Vec<Record> = (0..50).map(plain).collect();
    let open = store(&data);
    assert_eq!(open.commit(&all, &[]), Ok(50));
    assert_eq!(open.commit(&all, &[("state".to_owned(), vec![1, 2, 255])]), Ok(0));
    drop(open);
    let again = store(&data);
    assert_eq!(records(again.ask(&list(Filter::default())).expect("an answer")), all);
    assert_eq!(again.load("state"), Ok(Some(vec![1, 2, 255])));
    assert_eq!(again.load("another"), Ok(None));
    let Answer::Verify(verified) = again.ask(&Query::Verify).expect("an answer") else {
        panic!("another answer")
    };
    assert_eq!((verified.records, verified.wrong), (50, 0), "{verified:?}");
}

#[test]
fn filters_meet_kind_target_label_and_time() {
    let (_dir, data) = data();
    let store = store(&data);
    let labelled = |name: &str, value: &str, record: Record| {
        let Record::Measurement(mut measured) = record else { unreachable!() };
        measured.labels.insert(name.to_owned(), value.to_owned());
        Record::Measurement(measured)
    };
    let all = [
        sampled("a.example", START, 0, &[Some(1.0)]),
        labelled("site", "ams", sampled("b.example", START + 1, 1, &[Some(1.0)])),
        labelled("run", "r1", sampled("b.example", START + 2, 2, &[Some(1.0)])),
        failed("c.other", START + 3, 3, Class::Timeout),
    ];
    store.commit(&all, &[]).expect("kept");
    let check = |filter: Filter, expected: &[usize]| {
        let found = records(store.ask(&list(filter.clone())).expect("an answer"));
        let expected: Vec<Record> = expected.iter().map(|&nth| all[nth].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
    };
    let of = |targets: &[&str]| Filter {
        targets: targets.iter().map(ToString::to_string).collect(),
        ..Filter::default()
    };
    let label = |name: &str, value: &str| Filter {
        labels: [(name.to_owned(), value.to_owned())].into(),
        ..Filter::default()
    };
    check(Filter::default(), &[0, 1, 2, 3]);
    check(of(&["b.example"]), &[1, 2]);
    check(of(&["*.example"]), &[0, 1, 2]);
    check(of(&["c.other", "a.example"]), &[0, 3]);
    check(label("site", "ams"), &[1]);
    check(label("run", "r1"), &[2]);
    check(label("site", "nowhere"), &[]);
    check(Filter { kinds: vec!["udpping".to_owned()], ..Filter::default() }, &[]);
    check(Filter { since: Some(at(START + 1)), until: Some(at(START + 3)), ..Filter::default() }, &[1, 2]);
    check(Filter { since: Some(at(START + 2)), ..of(&["b.example"]) }, &[2]);
}

#[test]
fn an_id_is_found_by_an_unambiguous_beginning() {
    let (_dir, data) = data();
    let store = store(&data);
    store.commit(&[plain(0), plain(1)], &[]).expect("kept");
    let show = |id: &str| store.ask(&Query::Show { id: id.to_owned() });
    let whole = plain(1).id().to_string();
    assert_eq!(show(&whole), Ok(Answer::Show(Box::new(plain(1)))));
    for (wrong, text) in
        [(&whole[..8], "more than one"), ("ffff", "no record"), ("xyz", "no record"), ("", "no record")]
    {
        let failure = show(wrong).expect_err("no answer");
        assert!(failure.detail.contains(text), "{wrong}: {failure}");
        assert_eq!(failure.class.exit_code(), 2);
    }
}

#[test]
fn records_that_could_not_be_found_again_are_refused() {
    let (_dir, data) = data();
    let store = store(&data);
    let Record::Measurement(good) = plain(0) else { unreachable!() };
    for (why, wrong) in [
        ("version", {
            let mut wrong = good.clone();
            wrong.v = 2;
            wrong
        }),
        ("another time", {
            let mut wrong = good.clone();
            wrong.at = at(START + 60_000);
            wrong
        }),
        ("asked wrongly", {
            let mut wrong = good.clone();
            wrong.outcome = waddleperf::probe::Outcome::Failure(Class::Usage.because("x"));
            wrong
        }),
    ] {
        let failure = store.commit(&[Record::Measurement(wrong), plain(1)], &[]).expect_err(why);
        assert_eq!(failure.class, Class::Usage, "{why}: {failure}");
    }
    assert_eq!(store.count(), Ok(0), "one refused record refuses its transaction");
}

#[test]
fn clocks_that_are_far_off_harm_nothing() {
    let (_dir, data) = data();
    let store = store(&data);
    // 1970, 2038, 2106 and the year 9999.
    let odd: Vec<Record> = [0, 2_147_483_648_000, 4_294_967_296_000, 253_370_764_800_000]
        .iter()
        .map(|&ms| sampled("a.example", ms, 0, &[Some(1.0)]))
        .collect();
    store.commit(&odd, &[]).expect("kept");
    store.roll_up(at(START)).expect("rolled");
    assert_eq!(records(store.ask(&list(Filter::default())).expect("an answer")), odd);
    // A clock that is ahead of every record removes nothing early.
    let calm = Store::on(super::crash::memory).expect("a store");
    calm.commit(&[plain(0)], &[]).expect("kept");
    let pruned = calm.prune(&Retention::default(), at(START + 3650 * DAY)).expect("pruned");
    assert_eq!(pruned.records, 0);
}

#[test]
fn a_percentile_of_a_month_is_that_of_all_samples() {
    let _turn = shared();
    let (_dir, data) = data();
    let store = store(&data);
    let mut exact = Vec::new();
    let mut seed = 1u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as f64 / f64::from(1u32 << 31)
    };
    let mut all = Vec::new();
    for n in 0..30 * 24 * 4 {
        let ms = START + n * HOUR / 4;
        let samples: Vec<Option<f64>> = (0..10).map(|_| Some(5.0 + 200.0 * next().powi(6))).collect();
        exact.extend(samples.iter().flatten().map(|sample| sample / 1e3));
        all.push(sampled("a.example", ms, n as u32, &samples));
    }
    store.commit(&all, &[]).expect("kept");
    let end = START + 30 * DAY;
    exact.sort_by(f64::total_cmp);
    let check = |store: &Store, why: &str| {
        let found = summary(store, "rtt_p95", START, end);
        assert_eq!((found.records, found.count), (2880, 28_800), "{why}");
        for (q, told) in [(0.50, found.p50), (0.95, found.p95), (0.99, found.p99)] {
            let (told, truth) = (told.expect("a value"), percentile(&exact, q).expect("a value"));
            assert!((told - truth).abs() <= 0.01 * truth, "{why}: p{q}: {told} for {truth}");
        }
    };
    check(&store, "raw");
    assert!(store.roll_up(at(end + DAY)).expect("rolled") >= 720);
    check(&store, "rolled up");
    let pruned = store
        .prune(&Retention { other: "7d".parse().expect("a span"), ..Retention::default() }, at(end))
        .expect("pruned");
    assert!(pruned.records > 2000, "{pruned:?}");
    check(&store, "raw records gone");
}

#[test]
fn loss_over_a_span_is_lost_by_sent() {
    let (_dir, data) = data();
    let store = store(&data);
    let mut few = vec![None; 1];
    few.push(Some(1.0));
    let many: Vec<Option<f64>> = (0..998).map(|_| Some(1.0)).collect();
    store
        .commit(&[sampled("a.example", START, 0, &few), sampled("a.example", START + 1000, 1, &many)], &[])
        .expect("kept");
    for _ in 0..2 {
        let found = summary(&store, "loss_ratio", START, START + DAY);
        assert_eq!((found.sent, found.lost, found.loss_ratio), (1000, 1, Some(0.001)));
        store.roll_up(at(START + DAY)).expect("rolled");
    }
}

#[test]
fn a_late_record_makes_its_hour_be_computed_again() {
    let (_dir, data) = data();
    let store = store(&data);
    let records: Vec<Record> =
        (0..10).map(|n| sampled("a.example", START + n * HOUR / 2, n as u32, &[Some(10.0)])).collect();
    store.commit(&records, &[]).expect("kept");
    assert_eq!(store.roll_up(at(START + DAY)), Ok(5));
    assert_eq!(store.roll_up(at(START + DAY)), Ok(0), "nothing to do twice");
    store.commit(&[sampled("a.example", START + HOUR + 5, 99, &[Some(500.0)])], &[]).expect("kept");
    let stale = summary(&store, "rtt_max", START, START + DAY);
    assert_eq!(stale.records, 11, "a stale hour is read from its points");
    assert_eq!(store.roll_up(at(START + DAY)), Ok(1));
    assert_eq!(summary(&store, "rtt_max", START, START + DAY), stale);
    let Answer::Verify(verified) = store.ask(&Query::Verify).expect("an answer") else {
        panic!("another answer")
    };
    assert_eq!((verified.rollups, verified.wrong), (5, 0), "{verified:?}");
}

#[test]
fn a_record_later_than_retention_still_counts_in_the_roll_ups() {
    let (_dir, data) = data();
    let store = store(&data);
    let end = START + 20 * DAY;
    store
        .commit(
            &[sampled("a.example", START, 0, &[Some(10.0)]), sampled("a.example", end, 1, &[Some(10.0)])],
            &[],
        )
        .expect("kept");
    let retention = Retention { other: "7d".parse().expect("a span"), ..Retention::default() };
    assert_eq!(store.prune(&retention, at(end + HOUR)).expect("pruned").records, 1);
    store.commit(&[sampled("a.example", START + 1, 2, &[Some(30.0), None])], &[]).expect("kept");
    let found = summary(&store, "rtt_p95", START, START + DAY);
    assert_eq!((found.records, found.sent, found.lost), (2, 3, 1));
    // The day's edge inside an hour is answered from five minutes.
    assert_eq!(summary(&store, "rtt_p95", START, START + 600_000).records, 2);
    assert_eq!(store.prune(&retention, at(end + HOUR)).expect("pruned").records, 1);
    assert_eq!(summary(&store, "rtt_p95", START, START + DAY).records, 2);
}

#[test]
fn retention_goes_by_kind_and_tier() {
    let (_dir, data) = data();
    let store = store(&data);
    let now = START + 100 * DAY;
    let mut all = vec![sampled("new", now, 0, &[Some(1.0)])];
    for (n, tier) in ["1", "2", "3"].iter().enumerate() {
        for days in [5u64, 20, 60, 95] {
            let n = (n as u32 + 1) * 100 + days as u32;
            let Record::Measurement(mut record) = sampled("a", now - days * DAY, n, &[Some(1.0)]) else {
                unreachable!()
            };
            record.labels.insert("tier".to_owned(), (*tier).to_owned());
            all.push(Record::Measurement(record));
        }
    }
    store.commit(&all, &[]).expect("kept");
    let due = store.due(&Retention::default(), at(now + HOUR)).expect("counted");
    assert_eq!((due.records, store.count()), (6, Ok(13)), "counting removes nothing");
    assert_eq!(store.prune(&Retention::default(), at(now + HOUR)).expect("pruned").records, 6);
    let left = |tier: &str| {
        let filter = Filter { labels: [("tier".to_owned(), tier.to_owned())].into(), ..Filter::default() };
        records(store.ask(&list(filter)).expect("an answer")).len()
    };
    assert_eq!((left("1"), left("2"), left("3")), (1, 2, 3));
    let kind = Retention {
        kind: [("imported".to_owned(), "1d".parse().expect("a span"))].into(),
        ..Retention::default()
    };
    store.prune(&kind, at(now + HOUR)).expect("pruned");
    assert_eq!((left("1"), left("2"), left("3")), (0, 0, 0));
    assert_eq!(store.count(), Ok(1));
}

#[test]
fn a_series_keeps_its_peak_when_thinned_and_goes_on_in_roll_ups() {
    let (_dir, data) = data();
    let store = store(&data);
    let all: Vec<Record> = (0..3000u32)
        .map(|n| {
            let value = if n == 1234 { 900.0 } else { 10.0 };
            sampled("a.example", START + u64::from(n) * 60_000, n, &[Some(value)])
        })
        .collect();
    store.commit(&all, &[]).expect("kept");
    let series = || match store.ask(&Query::Series {
        filter: Filter::default(),
        scalar: "rtt_mean".to_owned(),
        points: 100,
    }) {
        Ok(Answer::Series(lines)) => lines,
        other => panic!("{other:?}"),
    };
    let peak =
        |lines: &[waddleperf::store::Line]| lines[0].points.iter().map(|point| point.1).fold(0.0, f64::max);
    let lines = series();
    assert_eq!((lines.len(), lines[0].total), (1, 3000));
    assert!(lines[0].points.len() <= 100 && peak(&lines) == 0.9);
    let short = Retention { other: "1d".parse().expect("a span"), ..Retention::default() };
    store.prune(&short, at(START + 3000 * 60_000)).expect("pruned");
    let lines = series();
    assert!(lines[0].total < 3000 && lines[0].points[0].0 == START, "{:?}", lines[0].points[0]);
    assert!(peak(&lines) > 0.1, "the five minutes of the peak stand out");
}

fn page(store: &Store, filter: &Filter, after: Option<uuid::Uuid>, limit: usize, order: Order) -> Page {
    let query = Query::List { filter: filter.clone(), after, limit, order };
    match store.ask(&query).expect("an answer") {
        Answer::List(page) => page,
        other => panic!("another answer: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pages_give_every_record_once_in_order(
        spots in prop::collection::btree_set((0u64..500, 0u32..3), 1..60),
        limit in 1usize..20,
        newest in any::<bool>(),
        only in prop::option::of(0u32..3),
    ) {
        let store = Store::on(super::crash::memory).expect("a store");
        let all: Vec<Record> = spots.iter().map(|&(ms, n)| sampled(&format!("t{n}"), START + ms, n, &[Some(1.0)])).collect();
        store.commit(&all, &[]).expect("kept");
        let order = if newest { Order::Newest } else { Order::Oldest };
        let filter = Filter { targets: only.iter().map(|n| format!("t{n}")).collect(), ..Filter::default() };
        let mut expected: Vec<Record> = all.into_iter()
            .filter(|record| only.is_none_or(|n| record.target() == format!("t{n}"))).collect();
        expected.sort_by_key(Record::id);
        if newest {
            expected.reverse();
        }
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = page(&store, &filter, after, limit, order);
            prop_assert!(page.records.len() <= limit);
            found.extend(page.records);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        prop_assert_eq!(found, expected);
    }
}

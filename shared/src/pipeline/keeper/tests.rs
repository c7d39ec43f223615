//! At every moment the raw order is in the queue, among the dead letters, or in the ledger, until it is exported, and
//! afterwards too where it is always kept: whatever falls, and whenever.

use std::time::Duration;

use serde_json::json;

use crate::clock;
use crate::config::KeepPayload;
use crate::ledger::{Facts, Fault, FindBy, Observation, Status, Told};
use crate::pipeline::bench::{Answer, Bench, Hook, key};
use crate::pipeline::verdict::Verdict;

/// Deliveries of a message before it is among the dead letters.
const DELIVERIES: u32 = 3;
/// More calls to the table than one delivery makes.
const CALLS: usize = 9;

/// What happens before a delivery of the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Nothing,
    Pause,
    Cancel,
    /// The pipeline is configured no more.
    Orphan,
    /// Another webhook of the order takes the export and falls.
    Held,
}

#[derive(Debug, Clone, Copy)]
struct Scenario {
    settings: &'static str,
    answers: &'static [Answer],
    before: (u32, Event),
}

const SCENARIOS: [Scenario; 14] = {
    const fn scenario(settings: &'static str, answers: &'static [Answer], before: (u32, Event)) -> Scenario {
        Scenario { settings, answers, before }
    }
    const BUSY: Answer = Answer::Busy;
    const NO: (u32, Event) = (1, Event::Nothing);
    [
        scenario("", &[], NO),
        scenario("", &[BUSY], NO),
        scenario("", &[BUSY; 9], NO),
        scenario("retries = { max_attempts = 2 }", &[BUSY; 9], NO),
        scenario("", &[Answer::No], NO),
        scenario("delay = '10m'", &[], NO),
        scenario("rate_limit = '1/h'", &[BUSY], NO),
        scenario("filter = { when = 'order.total > 100' }", &[], NO),
        scenario("filter = { when = \"order.extra.colour == 'blue'\" }", &[], NO),
        scenario("", &[BUSY; 9], (1, Event::Pause)),
        scenario("", &[BUSY; 9], (2, Event::Pause)),
        scenario("", &[BUSY; 9], (2, Event::Cancel)),
        scenario("", &[BUSY; 9], (3, Event::Orphan)),
        scenario("", &[BUSY; 9], (3, Event::Held)),
    ]
};

/// The webhook's message, as long as there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Webhook {
    /// In the queue or among the dead letters.
    There,
    Forgotten,
}

fn placed() -> Hook {
    Hook::new("order.placed", json!({ "payment": { "method": "invoice", "state": "paid" } }))
}

fn unpaid() -> Hook {
    Hook::new("order.placed", json!({}))
}

impl Scenario {
    fn bench(self, keep: KeepPayload) -> Bench {
        let keep = if keep == KeepPayload::Always { "always" } else { "until-exported" };
        let settings = ["code = 'erp'", &format!("keep_payload = '{keep}'"), self.settings].join(" | ");
        let bench = Bench::new(settings.trim_end_matches(" | "));
        bench.answers("erp", self.answers);
        bench
    }

    async fn happens(self, bench: &Bench, receive_count: u32) -> Bench {
        let (at, event) = self.before;
        if at != receive_count {
            return bench.another_instance();
        }
        match event {
            Event::Nothing => {}
            Event::Pause => bench.ledger.pause(None, "", clock::now()).await.unwrap(),
            Event::Cancel => {
                let canceled = Hook::new("order.canceled", json!({ "state": "canceled" }));
                assert_eq!(bench.deliver(&canceled, 1).await.unwrap(), Verdict::Done);
            }
            Event::Orphan => {
                return bench.reconfigured("code = 'other'");
            }
            Event::Held => bench.falls_while_it_delivers("erp"),
        }
        bench.another_instance()
    }

    /// Delivers the webhook until its message is done with or among the dead letters. Whoever works on the delivery
    /// `falls.0` falls after so many calls.
    async fn run(self, hook: &Hook, keep: KeepPayload, falls: Option<(u32, usize)>) {
        let bench = self.bench(keep);
        let mut webhook = Webhook::There;
        for receive_count in 1..=DELIVERIES {
            let instance = self.happens(&bench, receive_count).await;
            if let Some((_, calls)) = falls.filter(|(delivery, _)| *delivery == receive_count) {
                bench.table.falls_after(calls);
            }
            let verdict = instance.deliver(hook, receive_count).await;
            bench.table.recovers();
            if matches!(verdict, Ok(Verdict::Done)) {
                webhook = Webhook::Forgotten;
            }
            self.assert_somewhere(&bench, webhook, keep, falls);
            self.deliver_own(&bench, webhook, keep, falls).await;
            if webhook == Webhook::Forgotten {
                break;
            }
            bench.time_is_over("erp");
        }
    }

    /// Delivers the messages of the export's own.
    async fn deliver_own(&self, bench: &Bench, webhook: Webhook, keep: KeepPayload, falls: Option<(u32, usize)>) {
        for receive_count in 1..=DELIVERIES {
            for _ in bench.queue.take() {
                bench.received_long_ago("erp");
                bench.time_is_over("erp");
                drop(bench.deliver_export("erp", receive_count).await);
                self.assert_somewhere(bench, webhook, keep, falls);
            }
        }
    }

    fn assert_somewhere(self, bench: &Bench, webhook: Webhook, keep: KeepPayload, falls: Option<(u32, usize)>) {
        if webhook == Webhook::There {
            return;
        }
        let row = bench.row("erp");
        let is_exported = row.as_ref().is_some_and(|row| row.status == Status::Exported);
        let is_kept = row.as_ref().is_some_and(|row| row.payload.is_some() && !row.envelope.is_empty());
        let is_wanted = keep == KeepPayload::Always || !is_exported;
        assert!(is_kept || !is_wanted, "{self:?} {keep:?} {falls:?}: the order is lost: {row:?}");
        assert!(is_wanted || !is_kept, "{self:?} {keep:?} {falls:?}: the order is kept longer than it should be");
        // What is not over and has no message any more is found by an index.
        let item = bench.table.item("acme#1", "erp").unwrap();
        let is_open = row.is_some_and(|row| row.is_open());
        assert!(!is_open || item.contains_key("status_key"), "{self:?} {keep:?} {falls:?}: nobody finds it: {item:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_order_is_in_the_queue_or_in_the_ledger_whatever_falls() {
    for (keep, hook) in [
        (KeepPayload::Always, placed()),
        (KeepPayload::UntilExported, placed()),
        (KeepPayload::UntilExported, unpaid()),
    ] {
        for scenario in SCENARIOS {
            scenario.run(&hook, keep, None).await;
            for delivery in 1..=DELIVERIES {
                for calls in 0..CALLS {
                    scenario.run(&hook, keep, Some((delivery, calls))).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn of_an_unpaid_order_that_is_to_be_retried_the_ledger_can_tell_a_cancellation() {
    let bench = Bench::new("code = 'erp'");
    bench.answers("erp", &[Answer::Busy]);
    assert!(matches!(bench.deliver(&unpaid(), 1).await.unwrap(), Verdict::Retry(_)));
    let told = Told::by(&[crate::webhook::Event::Canceled], clock::now());
    let said = Observation::named(crate::webhook::Event::Canceled, told).unwrap();
    let facts = Facts::of_cancellation(&bench.rows().await, &said, FindBy::default()).unwrap();
    assert!(facts.kept.is_some());
}

#[tokio::test]
async fn a_message_of_an_export_that_the_webhook_still_has_leaves_it_alone() {
    let (bench, hook) = (Bench::new("code = 'erp'"), placed());
    bench.answers("erp", &[Answer::Busy]);
    assert!(matches!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Retry(_)));
    let row = bench.row("erp").unwrap();
    assert!(row.payload.is_none() && row.wants_order());
    // Queued by somebody who set the row back by hand.
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.row("erp").unwrap(), row);
    bench.time_passes("erp", &["not_before"]);
    assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done);
    assert_eq!(bench.row("erp").unwrap().status, Status::Exported);
}

#[tokio::test]
async fn an_export_whose_order_is_no_longer_kept_says_so_when_it_is_to_be_made_again() {
    let bench = Bench::new("code = 'erp' | keep_payload = 'until-exported'");
    bench.deliver(&placed(), 1).await.unwrap();
    bench.table.edit(&key("erp"), |item| {
        item.insert("status".into(), crate::fake::attribute("pending"));
    });
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.fault), (Status::Error, Some(Fault::Permanent)));
    assert!(row.last_error.unwrap().contains("keep_payload"));
}

#[tokio::test]
async fn a_webhook_is_known_again_by_what_came_with_it() {
    let (bench, hook) = (Bench::new("code = 'erp' | retries = { base = '1h', cap = '1h' }"), placed());
    bench.answers("erp", &[Answer::Busy]);
    bench.deliver(&hook, 1).await.unwrap();
    let row = bench.row("erp").unwrap();
    let began = row.webhook.clone().unwrap();
    assert_eq!((began.len(), row.envelope.len()), (16, 0));
    let later = placed().received_at(hook.received_at + Duration::from_secs(1));
    bench.deliver(&later, 1).await.unwrap();
    assert_eq!(bench.row("erp").unwrap().webhook, Some(began), "another one does not take its place");
}

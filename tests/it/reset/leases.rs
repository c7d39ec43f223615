//! Exports whose holder stopped without a word.

use ordersync::ledger::{ExportKey, Fault, Observation, Outcome, Status, Told};
use ordersync::webhook::Event;

use super::seed::{ago, arrived, back_office, begun, count, drained, key, now, run_only};
use crate::support::stack::Stack;

#[tokio::test]
async fn a_lost_export_goes_on_or_ends_on_record() {
    let (stack, receiver) = (Stack::get(), back_office());
    let (lost, held) = (key("lease-lost"), key("lease-held"));
    begun(&stack, &lost, 2, ago(10)).await;
    // Its lease has ended, but its message may still come again.
    begun(&stack, &held, 1, ago(1)).await;
    let spent = key("lease-spent");
    begun(&stack, &spent, 3, ago(10)).await;
    let canceled = key("lease-canceled");
    begun(&stack, &canceled, 1, ago(10)).await;
    let said = Observation::named(Event::Canceled, Told::by(&[Event::Canceled], ago(5))).unwrap();
    stack.ledger.observe(&canceled.shop, &canceled.order_id, &said, &[], ago(5)).await.unwrap();
    let gone = ExportKey::new("it-reset", "lease-gone", "gone");
    begun(&stack, &gone, 1, ago(10)).await;

    let report = run_only(&stack, "leases").await;
    for (what, least) in [("leases_expired", 1), ("exhausted", 1), ("canceled", 1), ("orphaned", 1)] {
        assert!(count(&report, &format!("/changed/{what}")) >= least, "{what}: {report}");
    }
    let row = arrived(&stack, &lost).await;
    let outcomes: Vec<_> = row.history.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Outcome::Retry, Outcome::Lost, Outcome::Exported]);
    assert_eq!(now(&stack, &held).await.status, Status::Processing);
    let row = now(&stack, &spent).await;
    assert_eq!((row.status, row.fault, row.attempts), (Status::Error, Some(Fault::Exhausted), 3));
    assert_eq!(row.history.last().map(|attempt| attempt.outcome), Some(Outcome::Lost));
    assert_eq!(now(&stack, &canceled).await.status, Status::Canceled);
    let row = now(&stack, &gone).await;
    assert_eq!((row.status, row.fault), (Status::Error, Some(Fault::Orphaned)));
    drained(&stack).await;
    assert_eq!(receiver.about("lease-lost").len(), 1);
    assert_eq!(receiver.requests().len(), 1);
}

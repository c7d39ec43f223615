//! What the processor is for.

use std::sync::LazyLock;

use jiff::ToSpan;
use ordersync::clock;
use ordersync::ledger::{ExportKey, Holder, Parked, Status, Wait, Why};
use ordersync::queue::export_fields;
use serde_json::{Value, json};

use super::role::Grant;
use super::{Need, process, record, restart};
use crate::support::eventually;
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{Signed, example, generic, order};
use crate::support::stack::{Stack, variable};

/// A shop whose orders are put into the stack's bucket.
const SHOP: &str = "it-cleanup";
const PIPELINE: &str = "cleanup-keeps";
const NO_PACK: &str = "an order is not found in an object of many that was never written";
const NO_PACK_ELSEWHERE: &str = "an order is not found in an object of many that was never written to another bucket";

pub(super) fn need(grant: &Grant) -> Option<Need> {
    let elsewhere = grant.sid == "TellWhatIsInPacksElsewhere";
    Some(match (grant.sid.as_str(), grant.action.as_str(), grant.resource.as_str()) {
        ("ConsumeQueue", "sqs:ChangeMessageVisibility", _) => {
            Need::Work("a failed attempt comes back after its back-off", |stack, id| Box::pin(backs_off(stack, id)))
        }
        ("ConsumeQueue", ..) => Need::Lambda("Lambda polls the queue"),
        ("QueueAgainWhatIsPutOff", ..) => {
            Need::Work("an order whose time comes soon is exported then", |stack, id| Box::pin(put_off(stack, id)))
        }
        ("KeepLedger", "dynamodb:GetItem", _) => {
            Need::Work("an export that is handed out is made", |stack, id| Box::pin(named(stack, id)))
        }
        ("KeepLedger", "dynamodb:Query", _) => {
            Need::Work("a payment is recorded", |stack, id| Box::pin(paid(stack, id)))
        }
        ("KeepLedger", "dynamodb:UpdateItem", _) | ("WriteExportsAndPayloads", ..) => {
            Need::Work("an order is exported to the bucket", |stack, id| Box::pin(export(stack, id)))
        }
        ("ReadPayloads", ..) => {
            Need::Work("an order that lies in the bucket is exported", |stack, id| Box::pin(inbound(stack, id)))
        }
        ("TellWhatIsInPacks", ..) => {
            Need::Work("an order is found in its object of many", |stack, id| Box::pin(in_pack(stack, id)))
        }
        ("TellWhichPacksAreThere", ..) => Need::S3(NO_PACK, |stack, id| Box::pin(in_no_pack(stack, id))),
        ("ReadDestinationAndShopSecrets", _, resource) if resource.contains("DestinationSecrets") => {
            Need::Work("an order is delivered with a token", |stack, id| Box::pin(with_token(stack, id)))
        }
        ("ReadDestinationAndShopSecrets", ..) => {
            Need::Work("an order is fetched from its shop", |stack, id| Box::pin(fetched(stack, id)))
        }
        ("WriteExportsElsewhere", ..) => {
            Need::Work("an order is exported to another bucket", |stack, id| Box::pin(elsewhere_export(stack, id)))
        }
        (_, "s3:GetObject", _) if elsewhere => {
            Need::Work("an order is found in its object of many, in another bucket", |stack, id| {
                Box::pin(in_pack_elsewhere(stack, id))
            })
        }
        (_, "s3:ListBucket", _) if elsewhere => {
            Need::S3(NO_PACK_ELSEWHERE, |stack, id| Box::pin(in_no_pack_elsewhere(stack, id)))
        }
        _ => return None,
    })
}

async fn export(stack: &Stack, id: &str) {
    process(stack, record(SHOP, &order(id), &[])).await;
    assert_eq!(stack.row(SHOP, id, PIPELINE).await.unwrap().status, Status::Exported);
}

async fn paid(stack: &Stack, id: &str) {
    export(stack, id).await;
    let mut paid = order(id);
    paid["payment"]["state"] = json!("paid");
    assert!(stack.post(&format!("{SHOP}?topic=paid"), &generic(&paid)).await.status().is_success());
    eventually("the payment", async || stack.row(SHOP, id, PIPELINE).await.filter(|row| !row.is_unpaid).map(drop))
        .await;
}

async fn named(stack: &Stack, id: &str) {
    let key = ExportKey::new(SHOP, id, PIPELINE);
    let facts = crate::reset::seed::facts(stack, &key, clock::now()).await;
    let past = clock::now() - 60.seconds();
    let wait = Wait::Until { why: Why::Delay, at: past, hand_out_at: past };
    assert_eq!(stack.ledger.park(&key, &facts, wait, past).await, Ok(Parked::Waiting));
    let fields = export_fields(&key);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    process(stack, record(SHOP, &json!({ "export": key.idempotency_key() }), &fields)).await;
    assert_eq!(stack.row(SHOP, id, PIPELINE).await.unwrap().status, Status::Exported);
}

async fn put_off(stack: &Stack, id: &str) {
    static BACK_OFFICE: LazyLock<Receiver> = LazyLock::new(|| Receiver::start(19573, |_, _| Reply::ok("")));
    LazyLock::force(&BACK_OFFICE);
    let received_at = clock::now().to_string();
    process(stack, record("it-soon", &order(id), &[("received_at", &received_at)])).await;
    stack.export("it-soon", id, "soon", Status::Exported).await;
}

/// Without its back-off, it would come back when the queue's visibility timeout is over, after eight seconds.
async fn backs_off(stack: &Stack, id: &str) {
    stack.accept("it-reset", &generic(&order(id))).await;
    eventually("the second attempt", async || {
        stack.row("it-reset", id, "reset").await.filter(|row| row.attempts > 1).map(drop)
    })
    .await;
}

async fn inbound(stack: &Stack, id: &str) {
    let key = format!("payloads/inbound/{SHOP}/{id}");
    stack.put(&key, &order(id).to_string()).await;
    process(stack, record(SHOP, &json!({}), &[("payload_key", &key)])).await;
    assert_eq!(stack.row(SHOP, id, PIPELINE).await.unwrap().status, Status::Exported);
}

/// An order that a fallen processor may have put into an object.
async fn fallen(stack: &Stack, key: &ExportKey, place: &str) {
    let past = clock::now() - 60.seconds();
    let facts = crate::reset::seed::facts(stack, key, past).await;
    let holder = Holder { owner: "fallen", pack: Some(place) };
    stack.ledger.claim(key, &facts, holder, past, past + 30.seconds()).await.unwrap();
}

fn of(group: &str, id: &str) -> Value {
    let mut order = order(id);
    order["payment"]["method"] = json!(group);
    order["number"] = json!("1");
    order
}

async fn in_pack_of(stack: &Stack, shop: &str, pipeline: &str, id: &str) {
    // Two orders in one object; of one the row is as if nothing had come of it.
    let (first, second) = (format!("{id}a"), format!("{id}b"));
    for id in [&first, &second] {
        process(stack, record(shop, &of("pack", id), &[])).await;
    }
    let row = stack.row(shop, &first, pipeline).await.unwrap();
    let place = row.destination.clone().unwrap();
    stack.ledger.remove(&row).await.unwrap();
    fallen(stack, &row.key, &place).await;
    process(stack, record(shop, &of("pack", &first), &[])).await;
    let row = stack.row(shop, &first, pipeline).await.unwrap();
    assert_eq!((row.status, row.destination), (Status::Exported, Some(place)));
}

async fn in_no_pack_of(stack: &Stack, shop: &str, pipeline: &str, bucket: &str, id: &str) {
    let key = ExportKey::new(shop, id, pipeline);
    fallen(stack, &key, &format!("s3://{bucket}/packs/never-{id}.jsonl")).await;
    process(stack, record(shop, &of("pack", id), &[])).await;
    assert_eq!(stack.ledger.export(&key).await.unwrap().unwrap().status, Status::Exported);
}

async fn in_pack(stack: &Stack, id: &str) {
    in_pack_of(stack, "it-pack", "pack", id).await;
}

async fn in_no_pack(stack: &Stack, id: &str) {
    in_no_pack_of(stack, "it-pack", "pack", &stack.bucket, id).await;
}

/// The merchant's own bucket.
const ELSEWHERE: &str = "it-elsewhere";

async fn make_elsewhere(stack: &Stack) {
    // It may be there.
    drop(stack.s3.create_bucket().bucket(ELSEWHERE).send().await);
}

async fn elsewhere_export(stack: &Stack, id: &str) {
    make_elsewhere(stack).await;
    process(stack, record(ELSEWHERE, &order(id), &[])).await;
    assert_eq!(stack.row(ELSEWHERE, id, "elsewhere").await.unwrap().status, Status::Exported);
}

async fn in_pack_elsewhere(stack: &Stack, id: &str) {
    make_elsewhere(stack).await;
    in_pack_of(stack, ELSEWHERE, "elsewhere-pack", id).await;
}

async fn in_no_pack_elsewhere(stack: &Stack, id: &str) {
    make_elsewhere(stack).await;
    in_no_pack_of(stack, ELSEWHERE, "elsewhere-pack", ELSEWHERE, id).await;
}

async fn with_token(stack: &Stack, id: &str) {
    static ERP: LazyLock<Receiver> = LazyLock::new(|| Receiver::start(19401, |_, _| Reply::ok(r#"{"id": "E-1"}"#)));
    LazyLock::force(&ERP);
    restart(stack, "FN_PROCESSOR").await;
    let Signed { body, .. } = example("generic", id);
    let record = record("demo-generic", &serde_json::from_slice(&body).unwrap(), &[]);
    // Another of its pipelines has nobody who listens, so that the message comes back.
    stack.invoke(&variable("FN_PROCESSOR"), &json!({ "Records": [record] })).await;
    assert_eq!(stack.row("demo-generic", id, "erp").await.unwrap().status, Status::Exported);
}

async fn fetched(stack: &Stack, id: &str) {
    static SHOP: LazyLock<Receiver> =
        LazyLock::new(|| Receiver::start(19561, |_, request| crate::bigcommerce::answer(request, true)));
    LazyLock::force(&SHOP);
    restart(stack, "FN_PROCESSOR").await;
    let Signed { body, .. } = example("bigcommerce", id);
    process(stack, record("demo-bigcommerce", &serde_json::from_slice(&body).unwrap(), &[])).await;
    assert_eq!(stack.row("demo-bigcommerce", id, "bigcommerce").await.unwrap().status, Status::Exported);
}

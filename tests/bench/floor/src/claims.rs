//! The two writes to the ledger that an export costs: who works on it, and that it has arrived.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::aws::Service;
use crate::documents::PIPELINE;
use crate::environment::now;
use crate::order::Order;

/// Level of the compression of raw orders, as in ordersync.
const LEVEL: i32 = 3;
/// How much longer than the invocation a lease lasts.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(2);
/// Nobody has it, or somebody had it too long.
const FREE: &str = "attribute_not_exists(pk) OR (#status = :processing AND lease_until <= :now)";
const HELD: &str = "#status = :processing AND lease_owner = :owner";
const ARRIVED: &str = "SET #status = :exported, updated_at = :now, exported_at = :now, took_ms = :took_ms, \
    destination = :destination, external_id = :external_id, expires_at = :expires_at, payload = :payload, \
    envelope = :envelope REMOVE lease_owner, lease_until";

/// The ledger's table.
pub(crate) struct Claims {
    pub(crate) dynamodb: Service,
    pub(crate) table: String,
    /// How long a row stays that is over.
    pub(crate) retention: SignedDuration,
}

/// The right to work on an export.
pub(crate) struct Lease {
    key: Item<'static>,
    owner: String,
    began: Timestamp,
}

/// What is written when an order has arrived.
pub(crate) struct Arrival<'a> {
    /// Where the document is.
    pub(crate) destination: &'a str,
    /// What the destination calls it.
    pub(crate) external_id: Option<&'a str>,
    /// The webhook's body.
    pub(crate) raw: &'a str,
    /// The attributes of its message.
    pub(crate) envelope: &'a Envelope<'a>,
}

/// The attributes of a message.
pub(crate) type Envelope<'a> = BTreeMap<&'a str, &'a str>;

/// Attributes by name.
type Item<'a> = BTreeMap<&'static str, Attribute<'a>>;

#[derive(Clone, Serialize)]
enum Attribute<'a> {
    #[serde(rename = "S")]
    Text(Cow<'a, str>),
    #[serde(rename = "N")]
    Number(String),
    #[serde(rename = "B")]
    Bytes(String),
    #[serde(rename = "M")]
    Map(BTreeMap<&'a str, Attribute<'a>>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutItem<'a> {
    table_name: &'a str,
    item: Item<'a>,
    condition_expression: &'static str,
    expression_attribute_names: Names,
    expression_attribute_values: Item<'a>,
    return_values_on_condition_check_failure: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateItem<'a> {
    table_name: &'a str,
    key: &'a Item<'a>,
    update_expression: Cow<'static, str>,
    condition_expression: &'static str,
    expression_attribute_names: Names,
    expression_attribute_values: Item<'a>,
    return_values_on_condition_check_failure: &'static str,
}

/// The one name of an attribute that is a word of expressions too.
#[derive(Serialize)]
struct Names {
    #[serde(rename = "#status")]
    status: &'static str,
}

const NAMES: Names = Names { status: "status" };

/// How the table says that a condition does not hold.
#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(rename = "__type")]
    kind: &'a str,
    #[serde(borrow, default, alias = "Message")]
    message: Cow<'a, str>,
    #[serde(borrow, default, rename = "Item")]
    item: BTreeMap<&'a str, Found<'a>>,
}

/// An attribute of which only a text is of interest.
#[derive(Default, Deserialize)]
struct Found<'a> {
    #[serde(borrow, default, rename = "S")]
    text: Option<Cow<'a, str>>,
}

/// What the table made of a write.
enum Written {
    Done,
    /// The row is in another state, held by this owner.
    Refused {
        status: String,
        owner: String,
    },
}

impl Claims {
    /// Takes an export, until `deadline` and a little longer; nothing where it is over already.
    pub(crate) async fn claim(
        &self,
        order: &Order<'_>,
        envelope: &Envelope<'_>,
        owner: String,
        deadline: Timestamp,
    ) -> Result<Option<Lease>, Error> {
        let began = now();
        let until = deadline.saturating_add(LEASE_MARGIN).unwrap_or(deadline);
        let key = Item::from([("pk", text(format!("{}#{}", order.shop, order.id))), ("sk", text(PIPELINE))]);
        let mut item = key.clone();
        item.extend(facts(order));
        item.extend([
            ("webhook", text(webhook(envelope))),
            ("status", text("processing")),
            ("created_at", time(began)),
            ("updated_at", time(began)),
            ("attempts", Attribute::Number("1".into())),
            ("lease_owner", text(owner.as_str())),
            ("lease_until", time(until)),
        ]);
        let values = Item::from([(":processing", text("processing")), (":now", time(began))]);
        let put = PutItem {
            table_name: &self.table,
            item,
            condition_expression: FREE,
            expression_attribute_names: NAMES,
            expression_attribute_values: values,
            return_values_on_condition_check_failure: "ALL_OLD",
        };
        match self.write("DynamoDB_20120810.PutItem", &put).await? {
            Written::Refused { status, .. } if status == "exported" => Ok(None),
            // The answer to our own write was lost, and it was repeated.
            Written::Refused { owner: held_by, .. } if held_by == owner => Ok(Some(Lease { key, owner, began })),
            Written::Refused { .. } => Err(Error::new("claim", "somebody else has it")),
            Written::Done => Ok(Some(Lease { key, owner, began })),
        }
    }

    /// Records that the destination has it, with the raw order.
    pub(crate) async fn complete(&self, lease: &Lease, arrival: &Arrival<'_>) -> Result<(), Error> {
        let now = now();
        let packed = zstd::bulk::compress(arrival.raw.as_bytes(), LEVEL).map_err(Error::of("payload"))?;
        let expires = now.as_second().saturating_add(self.retention.as_secs());
        let envelope = arrival.envelope.iter().map(|(name, value)| (*name, text(*value))).collect();
        let mut values = Item::from([
            (":processing", text("processing")),
            (":owner", text(lease.owner.as_str())),
            (":exported", text("exported")),
            (":now", time(now)),
            (":took_ms", Attribute::Number((now.as_millisecond() - lease.began.as_millisecond()).to_string())),
            (":destination", text(arrival.destination)),
            (":expires_at", Attribute::Number(expires.to_string())),
            (":payload", Attribute::Bytes(BASE64.encode(packed))),
            (":envelope", Attribute::Map(envelope)),
        ]);
        let mut update = Cow::Borrowed(ARRIVED);
        match arrival.external_id {
            Some(id) => drop(values.insert(":external_id", text(id))),
            None => update = ARRIVED.replace(" external_id = :external_id,", "").into(),
        }
        let update = UpdateItem {
            table_name: &self.table,
            key: &lease.key,
            update_expression: update,
            condition_expression: HELD,
            expression_attribute_names: NAMES,
            expression_attribute_values: values,
            return_values_on_condition_check_failure: "ALL_OLD",
        };
        match self.write("DynamoDB_20120810.UpdateItem", &update).await? {
            Written::Refused { status, .. } if status != "exported" => Err(Error::new("claim", "it ran out")),
            _ => Ok(()),
        }
    }

    async fn write(&self, operation: &str, input: &impl Serialize) -> Result<Written, Error> {
        let answer = self.dynamodb.call(operation, input).await?;
        if answer.status().is_success() {
            return Ok(Written::Done);
        }
        let refusal: Refusal<'_> = serde_json::from_slice(answer.body()).map_err(Error::of("DynamoDB"))?;
        if !refusal.kind.ends_with("ConditionalCheckFailedException") {
            return Err(Error::new("DynamoDB", format_args!("{}: {}", refusal.kind, refusal.message)));
        }
        let text = |name: &str| refusal.item.get(name).and_then(|found| found.text.as_deref()).unwrap_or_default();
        Ok(Written::Refused { status: text("status").to_owned(), owner: text("lease_owner").to_owned() })
    }
}

/// What a row says of its order. Those that are unpaid are in no index here.
fn facts<'a>(order: &'a Order<'_>) -> Item<'a> {
    let optional = |name, value: &'a Option<Cow<'_, str>>| Some((name, text(value.as_deref()?)));
    let customer = order.customer.email.as_deref().map(|email| {
        let digest = digest::digest(&digest::SHA256, email.trim().to_lowercase().as_bytes());
        ("customer", text(hex::encode(&digest.as_ref()[..16])))
    });
    let number = (order.number != order.id).then(|| ("number", text(&*order.number)));
    let told = order.updated_at.as_deref().unwrap_or(&order.placed_at);
    let some = [
        Some(("placed_at", text(&*order.placed_at))),
        Some(("observed_at", text(told))),
        Some(("observed_rank", Attribute::Number("0".into()))),
        optional("order_state", &order.state),
        optional("payment_state", &order.payment.state),
        optional("payment_method", &order.payment.method),
        number,
        customer,
    ];
    some.into_iter().flatten().collect()
}

/// What a webhook is known again by.
fn webhook(envelope: &Envelope<'_>) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in envelope.iter().flat_map(|(name, value)| [name, value]) {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    hex::encode(&context.finish().as_ref()[..8])
}

fn text<'a>(value: impl Into<Cow<'a, str>>) -> Attribute<'a> {
    Attribute::Text(value.into())
}

fn time<'a>(time: Timestamp) -> Attribute<'a> {
    text(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

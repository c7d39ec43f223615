//! Any shop with an HTTP API that speaks JSON: where the order is, how it is cancelled and where in the answers to look
//! is configuration.

mod settings;

use futures_util::future::BoxFuture;
use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::settings::{Cancel, Lookup};
use super::json::{moment, text};
use super::remote::{Ask, Remote, Reply};
use super::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure};
use crate::pipeline::transport::Clients;
use crate::template::Condition;

pub(super) use self::settings::read;

/// The calls to a shop.
#[derive(Debug)]
struct Generic {
    remote: Remote,
    state: Lookup,
    /// Without it orders can be looked at only.
    cancel: Option<Cancel>,
}

impl ShopApi for Generic {
    fn state<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<OrderState, ShopFailure>> {
        Box::pin(async move {
            let url = self.state.path.url(&self.remote, order)?;
            let reply = self.remote.ask(clients, Ask { method: Method::GET, url, body: None }, deadline).await?;
            read_state(&self.state, &reply)
        })
    }

    fn cancel<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Cancellation, ShopFailure>> {
        Box::pin(async move {
            let none =
                || ShopFailure::Refused("the shop's api has no key cancel: its orders cannot be cancelled".into());
            let cancel = self.cancel.as_ref().ok_or_else(none)?;
            let (url, body) = (cancel.path.url(&self.remote, order)?, cancel.body(order)?);
            let ask = Ask { method: cancel.method.clone(), url, body };
            outcome(cancel, &self.remote.ask(clients, ask, deadline).await?)
        })
    }

    fn can_cancel(&self) -> bool {
        self.cancel.is_some()
    }
}

fn read_state(settings: &Lookup, reply: &Reply) -> Result<OrderState, ShopFailure> {
    if is_unknown(reply) {
        return Err(ShopFailure::NotFound);
    }
    let document: Value = reply.json("JSON")?;
    let at = |pointer: &str| text(&document, pointer);
    let order_state = at(&settings.order_state);
    let is_canceled = match &settings.canceled {
        Some(condition) => holds(condition, "state.canceled", reply, &document)?,
        None => order_state.as_deref().is_some_and(is_word_for_canceled),
    };
    Ok(OrderState {
        payment_state: at(&settings.payment_state),
        payment_method: at(&settings.payment_method),
        is_paid: holds(&settings.paid, "state.paid", reply, &document)?,
        is_canceled,
        updated_at: moment(&document, &settings.updated_at),
        order_state,
    })
}

/// As the webhook reader has it.
fn is_word_for_canceled(state: &str) -> bool {
    ["canceled", "cancelled"].iter().any(|word| state.eq_ignore_ascii_case(word))
}

fn outcome(settings: &Cancel, reply: &Reply) -> Result<Cancellation, ShopFailure> {
    if is_unknown(reply) {
        return Err(ShopFailure::NotFound);
    }
    let document: Value = reply.error().unwrap_or_default();
    let said = || settings.error.as_ref().and_then(|pointer| text(&document, pointer));
    let refused = |otherwise: &str| Cancellation::Refused(reply.words(&said().unwrap_or_else(|| otherwise.to_owned())));
    match reply.status() {
        400 | 409 | 422 => return Ok(refused(&format!("HTTP {}", reply.status()))),
        _ if !reply.is_success() => return Err(reply.refused()),
        _ => {}
    }
    if let Some(success) = &settings.success
        && !holds(success, "cancel.success", reply, &document)?
    {
        return Ok(refused("success does not hold"));
    }
    Ok(if reply.status() == 202 { Cancellation::Started } else { Cancellation::Done })
}

fn is_unknown(reply: &Reply) -> bool {
    matches!(reply.status(), 404 | 410)
}

/// Whether a condition holds over `response` and `status`. One that cannot tell is no "no": an order that may be paid
/// must not be cancelled.
fn holds(condition: &Condition, name: &str, reply: &Reply, document: &Value) -> Result<bool, ShopFailure> {
    let values = json!({ "response": document, "status": reply.status() });
    let unclear = |error: crate::template::TemplateError| {
        ShopFailure::Refused(format!("{name} cannot be told from the shop's answer: {}", error.message))
    };
    condition.holds_over(&values).map_err(unclear)
}

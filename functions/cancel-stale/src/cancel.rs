//! Cancels the orders of one shop, one after another: takes an order, asks the shop, cancels, records.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use ordersync::clock;
use ordersync::config::{Config, Shop};
use ordersync::ledger::{Hold, Ledger, LedgerError, Observation, Standing};
use ordersync::pipeline::cancellation;
use ordersync::pipeline::transport::Clients;
use ordersync::queue::Requeue;
use ordersync::schedule::{Report, Run};
use ordersync::shop::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure, has_money_in};
use tokio::time::Instant;

use crate::ended::Ended;
use crate::failure::{self, HOLD, Next};
use crate::listing::{known, would_cancel};
use crate::memory::Memory;
use crate::rules::{Verdict, judge};

/// An order is begun with no less time than this left: to look, to cancel, to look again, to record.
const LEAST: Duration = Duration::from_secs(10);
/// After so many failures in a row, the shop is left alone for this run.
const MOST_FAILURES: u32 = 3;
/// What the ledger has where a shop does not say by which word it calls a cancelled order.
const CANCELED: &str = "canceled";
/// On record where the shop says that a part was paid, or is reserved.
const MONEY_IN: &str =
    "a part of it is paid, or money is reserved for it: whether to cancel it is for people to decide";
/// On record where the shop says afterwards that the order was paid.
const PAID_TOO: &str = "canceled, but it was paid in the meantime: restore the order or refund the payment";

/// One shop in one run.
#[derive(Debug)]
pub(crate) struct AtShop<'a> {
    pub(crate) run: &'a Run,
    pub(crate) config: &'a Config,
    pub(crate) ledger: &'a Ledger,
    pub(crate) requeue: &'a Requeue,
    pub(crate) memory: &'a Memory,
    pub(crate) clients: &'a Clients,
    pub(crate) shop: &'a Shop,
    pub(crate) api: &'a dyn ShopApi,
}

impl AtShop<'_> {
    /// Takes the orders through, one after another, as far as time and the shop allow.
    pub(crate) async fn cancel(&self, orders: &[Standing]) -> Report {
        let mut report = self.run.report();
        let (mut failures, mut rest) = (0, orders.iter());
        while let Some(order) = rest.next() {
            let untouched = 1 + rest.len() as u64;
            if self.memory.is_throttled(&self.shop.code, clock::now()) {
                report.skipped("throttled", untouched);
                break;
            }
            if failures >= MOST_FAILURES || Instant::now() + LEAST > self.run.deadline() {
                report.left(untouched);
                break;
            }
            match self.take(order).await {
                Ok(ended) => {
                    failures = if ended.is_failure() { failures + 1 } else { 0 };
                    ended.count(&mut report);
                }
                Err(error) => {
                    let (shop, order_id) = (&self.shop.code, &order.key.order_id);
                    tracing::error!(
                        shop,
                        order_id,
                        error = %error,
                        "not recorded of order {order_id} of {shop}: {error}"
                    );
                    report.failed(1);
                    failures += 1;
                }
            }
        }
        report
    }

    /// One order. A panic in it touches no other.
    async fn take(&self, order: &Standing) -> Result<Ended, LedgerError> {
        let now = clock::now();
        let Some(hold) = self.ledger.hold(order, clock::later(now, HOLD), now).await? else { return Ok(Ended::Held) };
        let ended = AssertUnwindSafe(self.work_on(order, &hold)).catch_unwind().await;
        let Ok(ended) = ended else {
            let panicked = ShopFailure::Unavailable("the try panicked, see the function's log".to_owned());
            return self.failed(order, &hold, &panicked).await;
        };
        ended
    }

    async fn work_on(&self, order: &Standing, hold: &Hold) -> Result<Ended, LedgerError> {
        // What comes in while the shop answers is newer than the answer.
        let asked_at = clock::now();
        let state = match self.state(order).await {
            Ok(state) => state,
            Err(failure) => return self.failed(order, hold, &failure).await,
        };
        let said = Observation::asked(&state, order.told, asked_at);
        if said.is_canceled {
            self.ledger.conclude(hold, "the shop says that it is canceled").await?;
            // A try that left no word may have done it.
            if order.tries > 0 {
                self.tell_if_paid(order, hold, &state).await?;
            }
            self.record_canceled(order, &said).await?;
            return Ok(Ended::NotedCanceled);
        }
        if !said.is_unpaid {
            self.ledger.conclude(hold, "the shop says that it is paid").await?;
            self.observe(order, &said).await?;
            return Ok(Ended::NotedPaid);
        }
        if has_money_in(state.payment_state.as_deref()) {
            return self.leave_to_people(order, hold, &said).await;
        }
        match judge(&self.config.cancel_stale, known(self.shop, &informed(order, &said)), clock::now()) {
            Verdict::Fits(rule) if !rule.report => self.have_canceled(order, hold, &state).await,
            verdict => {
                self.observe(order, &said).await?;
                self.ledger.let_go(hold).await?;
                if matches!(verdict, Verdict::Not(_)) {
                    return Ok(Ended::LetGo);
                }
                would_cancel(order);
                Ok(Ended::WouldCancel)
            }
        }
    }

    /// An order that is paid in part is not cancelled by a clock.
    async fn leave_to_people(&self, order: &Standing, hold: &Hold, said: &Observation) -> Result<Ended, LedgerError> {
        let (shop, order_id) = (&self.shop.code, &order.key.order_id);
        tracing::warn!(shop, order_id, "order {order_id} of {shop} is not canceled: {MONEY_IN}");
        self.observe(order, said).await?;
        self.ledger.refuse_to_cancel(hold, order.told.max(Some(said.told)), MONEY_IN).await?;
        Ok(Ended::Refused)
    }

    async fn have_canceled(&self, order: &Standing, hold: &Hold, state: &OrderState) -> Result<Ended, LedgerError> {
        let (shop, order_id) = (&self.shop.code, &order.key.order_id);
        match self.api.cancel(self.clients, named(order), self.run.deadline()).await {
            Ok(Cancellation::Done) => {
                tracing::info!(shop, order_id, "canceled order {order_id} of {shop}");
                self.ledger.conclude(hold, CANCELED).await?;
                let asked_at = clock::now();
                let after = self.look_again(order, state).await;
                self.tell_if_paid(order, hold, &after).await?;
                self.record_canceled(order, &Observation::asked(&after, order.told, asked_at)).await?;
                Ok(Ended::Canceled)
            }
            Ok(Cancellation::Started) => {
                tracing::info!(shop, order_id, "the shop is to cancel order {order_id} of {shop}");
                let accepted = "the shop has accepted the cancellation and not carried it out yet";
                let next = failure::after_silence(hold.tries);
                let is_over = self.follow(order, hold, &next, accepted).await?;
                Ok(if is_over { Ended::GivenUp } else { Ended::Started })
            }
            Ok(Cancellation::Refused(words)) => {
                tracing::warn!(
                    shop,
                    order_id,
                    "the shop refuses to cancel order {order_id} of {shop}, its row says why"
                );
                self.ledger.refuse_to_cancel(hold, order.told, &format!("the shop refuses: {words}")).await?;
                Ok(Ended::Refused)
            }
            Err(failure) => self.failed(order, hold, &failure).await,
        }
    }

    /// The order that the shop has just cancelled, in the shop's own words and by its own clock.
    async fn look_again(&self, order: &Standing, before: &OrderState) -> OrderState {
        match self.state(order).await {
            Ok(state) if state.is_canceled => state,
            // It is cancelled all the same: the shop has said so.
            _ => OrderState {
                order_state: Some(CANCELED.to_owned()),
                is_canceled: true,
                updated_at: before.updated_at,
                ..OrderState::default()
            },
        }
    }

    /// Says of an order that was cancelled and turns out to be paid that somebody has to decide what becomes of it.
    async fn tell_if_paid(&self, order: &Standing, hold: &Hold, after: &OrderState) -> Result<(), LedgerError> {
        if !after.is_paid {
            return Ok(());
        }
        let (shop, order_id) = (&self.shop.code, &order.key.order_id);
        tracing::error!(shop, order_id, "order {order_id} of {shop}: {PAID_TOO}");
        self.ledger.conclude(hold, PAID_TOO).await.map(drop)
    }

    /// Records a try that came to nothing, and says so.
    async fn failed(&self, order: &Standing, hold: &Hold, failure: &ShopFailure) -> Result<Ended, LedgerError> {
        let (shop, order_id) = (&self.shop.code, &order.key.order_id);
        if let ShopFailure::Throttled { after } = failure {
            self.memory.throttle(shop, clock::later(clock::now(), *after));
        }
        let is_over = self.follow(order, hold, &failure::after(failure, hold.tries), &failure.to_string()).await?;
        Ok(match failure {
            ShopFailure::NotFound => {
                tracing::warn!(shop, order_id, "{shop} knows no order {order_id}");
                Ended::Refused
            }
            ShopFailure::Unavailable(_) if is_over => Ended::GivenUp,
            ShopFailure::Unavailable(error) => {
                tracing::warn!(shop, order_id, error, "{shop} cannot be asked about order {order_id}: {error}");
                Ended::Unavailable
            }
            ShopFailure::Refused(error) => {
                tracing::error!(shop, order_id, error, "{shop} does not answer about order {order_id}: {error}");
                Ended::Denied
            }
            ShopFailure::Throttled { .. } => {
                tracing::warn!(shop, "{shop} is left alone for now: {failure}");
                Ended::Throttled
            }
        })
    }

    /// Does what follows, and returns whether the order is left alone from now on.
    async fn follow(&self, order: &Standing, hold: &Hold, next: &Next, why: &str) -> Result<bool, LedgerError> {
        match next {
            Next::Again { wait, tries } => {
                self.ledger.postpone(hold, *tries, clock::later(clock::now(), *wait), why).await?;
                Ok(false)
            }
            Next::SetAside => {
                self.ledger.refuse_to_cancel(hold, order.told, why).await?;
                Ok(true)
            }
            Next::GiveUp => {
                let (shop, order_id) = (&self.shop.code, &order.key.order_id);
                tracing::error!(shop, order_id, "gave up canceling order {order_id} of {shop}: {why}");
                let outcome = format!("given up after {} tries: {why}", hold.tries);
                self.ledger.refuse_to_cancel(hold, order.told, &outcome).await?;
                Ok(true)
            }
        }
    }

    async fn state(&self, order: &Standing) -> Result<OrderState, ShopFailure> {
        self.api.state(self.clients, named(order), self.run.deadline()).await
    }

    async fn observe(&self, order: &Standing, said: &Observation) -> Result<(), LedgerError> {
        self.ledger.observe(&self.shop.code, &order.key.order_id, said, &[], clock::now()).await.map(drop)
    }

    async fn record_canceled(&self, order: &Standing, said: &Observation) -> Result<(), LedgerError> {
        cancellation::canceled(self.config, self.ledger, self.requeue, &order.key, said).await
    }
}

fn named(order: &Standing) -> OrderRef<'_> {
    OrderRef { id: &order.key.order_id, number: &order.number }
}

/// The order with what the shop says now; what it does not say stays as it is known.
fn informed(order: &Standing, said: &Observation) -> Standing {
    let mut now = order.clone();
    for (known, word) in [
        (&mut now.order_state, &said.order_state),
        (&mut now.payment_state, &said.payment_state),
        (&mut now.payment_method, &said.payment_method),
    ] {
        if word.is_some() {
            known.clone_from(word);
        }
    }
    now
}

#[cfg(test)]
mod tests {
    use ordersync::ledger::ExportKey;

    use super::*;

    fn order() -> Standing {
        Standing {
            key: ExportKey::new("acme-eu", "7", "erp"),
            number: "N-7".into(),
            placed_at: clock::now(),
            payment_method: Some("invoice".into()),
            order_state: Some("open".into()),
            payment_state: None,
            is_unpaid: true,
            is_canceled: false,
            told: None,
            exports: Vec::new(),
            tries: 0,
            after: None,
        }
    }

    #[test]
    fn what_the_shop_does_not_say_stays_as_it_is_known() {
        let state = OrderState { order_state: Some("packed".into()), ..OrderState::default() };
        let now = informed(&order(), &Observation::asked(&state, None, clock::now()));
        assert_eq!((now.order_state.as_deref(), now.payment_method.as_deref()), (Some("packed"), Some("invoice")));
        let state = OrderState { payment_method: Some("card".into()), ..OrderState::default() };
        let now = informed(&order(), &Observation::asked(&state, None, clock::now()));
        assert_eq!((now.order_state.as_deref(), now.payment_method.as_deref()), (Some("open"), Some("card")));
    }
}

//! End to end, against `template.yaml` on the local stack: `make test` starts one and sets the variables of its
//! `stack.env`. Each scenario has its own shop, pipeline and receiver port in `tests/config`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod admin;
mod adobe;
mod answers;
mod batches;
mod bigcommerce;
mod callbacks;
mod cleanup;
mod cli;
mod configuration;
mod console;
mod duplicates;
mod erase;
mod grants;
mod kill;
mod ledger;
mod metrics;
mod order_state;
mod outcomes;
mod packs;
mod platforms;
mod poison;
mod receivers;
mod reset;
mod responses;
mod schedules;
mod secrets;
mod shops;
mod sizes;
mod stale;
mod support;
mod waits;

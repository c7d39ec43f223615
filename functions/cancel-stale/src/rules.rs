//! Which unpaid orders are to be cancelled, by the rules of `[cancel_stale]`. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use ordersync::config::{Config, StaleRule};
use ordersync::ledger::Status;

/// What an order is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) shop: &'a str,
    /// The zone in which its shop counts days and months.
    pub(crate) zone: &'a TimeZone,
    pub(crate) method: Option<&'a str>,
    /// The order's state; that of its payment where the platform gives the order none.
    pub(crate) state: Option<&'a str>,
    pub(crate) placed_at: Timestamp,
    /// States of its exports; nothing where they are still to be looked up, and the state too if there is none.
    pub(crate) exports: Option<&'a [Status]>,
}

/// What the rules say of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict<'r> {
    /// This rule is the first that fits.
    Fits(&'r StaleRule),
    /// None fits; of the one that came closest, what does not hold.
    Not(Reason),
}

/// What of a rule does not hold for an order, in the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// No rule is for its shop.
    NoRule,
    /// It is paid by another method.
    OtherMethod,
    /// It is in another state.
    OtherState,
    /// It has not been exported.
    NotExported,
    /// It is not old enough.
    TooYoung,
}

impl Reason {
    /// The name that the report counts it under.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoRule => "no_rule",
            Self::OtherMethod => "other_method",
            Self::OtherState => "other_state",
            Self::NotExported => "not_exported",
            Self::TooYoung => "too_young",
        }
    }
}

/// The first rule that fits an order at `now`. Methods and states are compared as the platform writes them.
pub(crate) fn judge<'r>(rules: &'r [StaleRule], order: Subject<'_>, now: Timestamp) -> Verdict<'r> {
    let mut closest = Reason::NoRule;
    for rule in rules {
        match misfit(rule, order, now) {
            None => return Verdict::Fits(rule),
            Some(reason) => closest = closest.max(reason),
        }
    }
    Verdict::Not(closest)
}

fn misfit(rule: &StaleRule, order: Subject<'_>, now: Timestamp) -> Option<Reason> {
    let has_state = order.state.map_or(order.exports.is_none(), |state| rule.statuses.contains(state));
    let has_exports = !rule.only_exported || order.exports.is_none_or(is_exported);
    if !is_for(rule, order.shop) {
        Some(Reason::NoRule)
    } else if order.method != Some(rule.method.as_str()) {
        Some(Reason::OtherMethod)
    } else if !has_state {
        Some(Reason::OtherState)
    } else if !has_exports {
        Some(Reason::NotExported)
    } else if !is_due(order.placed_at, rule.older_than, order.zone, now) {
        Some(Reason::TooYoung)
    } else {
        None
    }
}

fn is_for(rule: &StaleRule, shop: &str) -> bool {
    rule.shops.is_empty() || rule.shops.contains(shop)
}

/// Whether the order has been exported: by one pipeline at least, and by each that wants it.
fn is_exported(exports: &[Status]) -> bool {
    let mut wanted = exports.iter().filter(|status| !matches!(status, Status::Skipped | Status::Canceled)).peekable();
    wanted.peek().is_some() && wanted.all(|status| matches!(status, Status::Exported | Status::Acknowledged))
}

/// Whether an order is as old as `age` at `now`. Days and longer are those of the calendar in the shop's zone.
fn is_due(placed_at: Timestamp, age: Span, zone: &TimeZone, now: Timestamp) -> bool {
    // An age that leads beyond the calendar is never reached.
    placed_at.to_zoned(zone.clone()).checked_add(age).is_ok_and(|due| due.timestamp() <= now)
}

/// Up to when an order may have been placed for any rule to fit it; nothing where no rule is for a shop whose orders
/// can be cancelled.
pub(crate) fn placed_until(config: &Config, now: Timestamp) -> Option<Timestamp> {
    let can_cancel = |code: &str| config.shops[code].api.as_ref().is_some_and(|api| api.can_cancel());
    let shops = || config.shops.values().filter(|shop| can_cancel(&shop.code));
    let bounds = config.cancel_stale.iter().flat_map(|rule| {
        let of_rule = shops().filter(|shop| is_for(rule, &shop.code));
        of_rule.map(|shop| latest(rule.older_than, &shop.time_zone, now))
    });
    bounds.max()
}

/// No order that was placed later is `age` old at `now`.
fn latest(age: Span, zone: &TimeZone, now: Timestamp) -> Timestamp {
    let Ok(back) = now.to_zoned(zone.clone()).checked_sub(age) else { return Timestamp::MIN };
    back.timestamp().saturating_add(slack(age)).unwrap_or(Timestamp::MAX)
}

/// By how much going back by a span can miss the last time from which going forth leads here: months end on different
/// days, days have 23 to 25 hours, and once in a while a zone leaves out a whole one.
fn slack(age: Span) -> SignedDuration {
    let day = SignedDuration::from_hours(24);
    if age.get_years() != 0 || age.get_months() != 0 {
        day * 5
    } else if age.get_weeks() != 0 || age.get_days() != 0 {
        day * 2
    } else {
        SignedDuration::ZERO
    }
}

#[cfg(test)]
mod tests;

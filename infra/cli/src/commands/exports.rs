//! What the commands about exports share: which exports, by filter or by name, and how they are shown.

use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;
use ordersync::clock;
use ordersync::config::Config;
use ordersync::ledger::Status;
use ordersync_admin::{Admin, ExportRow, Filter, Found, Key};

use crate::args::Global;
use crate::configured;
use crate::exit::Failure;
use crate::output::table;
use crate::stack::Stack;
use crate::when::When;

/// Which exports, by what is known of many.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Which {
    /// Of this pipeline.
    #[arg(long, value_name = "CODE")]
    pub(crate) pipeline: Option<String>,
    /// Of this shop.
    #[arg(long, value_name = "CODE")]
    pub(crate) shop: Option<String>,
    /// Whose state changed then or later: 2h, 3 days, 2026-01-31, 2026-01-31T09:30:00Z.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<When>,
    /// Whose state changed then or earlier.
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<When>,
    /// Whose last error has this text in it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) error: Option<String>,
}

impl Which {
    /// The same for the ledger; no status stands for any.
    pub(crate) fn filter(&self, status: BTreeSet<Status>, now: Timestamp) -> Filter {
        Filter {
            status,
            pipeline: self.pipeline.clone(),
            shop: self.shop.clone(),
            since: self.since.map(|when| when.time(now)),
            until: self.until.map(|when| when.time(now)),
            error_text: self.error.clone(),
        }
    }
}

/// A status by its name.
pub(crate) fn status(text: &str) -> Result<Status, String> {
    let names = || Status::ALL.map(Status::name).join(", ");
    Status::from_name(text).ok_or_else(|| format!("expected one of {}", names()))
}

/// The codes of the shops, as far as the configuration is at hand: they are what an order's identifier is looked up in.
pub(crate) async fn shops(global: &Global, stack: &Stack, named: Option<&str>) -> Result<Vec<String>, Failure> {
    if let Some(named) = named {
        return Ok(vec![named.to_owned()]);
    }
    if global.config.is_none() && stack.config.is_none() {
        return Ok(Vec::new());
    }
    Ok(configured::of_stack::<Config>(global, stack).await?.shops.keys().cloned().collect())
}

/// Orders by what people know of them; none is a failure.
pub(crate) async fn found(
    admin: &Admin,
    global: &Global,
    stack: &Stack,
    order: &str,
    shop: Option<&str>,
) -> Result<Vec<Found>, Failure> {
    let shops = shops(global, stack, shop).await?;
    let mut found = admin.search(&shops, order).await?;
    found.retain(|found| shop.is_none_or(|shop| found.order.shop == shop));
    if found.is_empty() {
        let hint = if shops.is_empty() { "; by its identifier it is found with --shop or --config" } else { "" };
        return Err(Failure::NotFound(format!("there is no order {order:?}{hint}")));
    }
    Ok(found)
}

/// The exports that a name means: one by `shop:order:pipeline`, or those of an order in one pipeline, or its only one.
pub(crate) fn meant(name: &str, found: &[Found], pipeline: Option<&str>) -> Result<Key, Failure> {
    let exports: Vec<&Key> = found.iter().flat_map(|found| &found.exports).map(|export| &export.key).collect();
    let exact = Key::parse(name).filter(|key| exports.contains(&key));
    if let Some(key) = exact {
        return Ok(key);
    }
    let meant: Vec<&Key> = exports.into_iter().filter(|key| pipeline.is_none_or(|code| code == key.pipeline)).collect();
    match meant.as_slice() {
        [] => Err(Failure::NotFound(format!("the order {name:?} has no export by that pipeline"))),
        [key] => Ok((*key).clone()),
        several => {
            let names: Vec<String> = several.iter().map(|key| key.export().idempotency_key()).collect();
            Err(Failure::Refused(format!("{name:?} means several exports, name one of them: {}", names.join(", "))))
        }
    }
}

/// Exports as a table.
pub(crate) fn listed(exports: &[ExportRow]) -> String {
    table(
        ["NUMBER", "ORDER", "SHOP", "PIPELINE", "STATUS", "TRIES", "CHANGED", "EXTERNAL ID", "LAST ERROR"],
        exports.iter().map(line),
    )
}

/// An export as a line of it.
pub(crate) fn line(export: &ExportRow) -> [String; 9] {
    let error: String = export.last_error.as_deref().unwrap_or_default().chars().take(80).collect();
    [
        export.number.clone(),
        export.key.order.clone(),
        export.key.shop.clone(),
        export.key.pipeline.clone(),
        export.status.to_string(),
        export.attempts.to_string(),
        export.updated_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        export.external_id.clone().unwrap_or_default(),
        error,
    ]
}

/// The filter that some commands have at once.
pub(crate) fn filter_now(which: &Which, status: &[Status]) -> Filter {
    which.filter(status.iter().copied().collect(), clock::now())
}

#[cfg(test)]
pub(crate) mod tests {
    use ordersync_admin::OrderKey;

    use super::*;

    /// An export in a state.
    pub(crate) fn export(order: &str, pipeline: &str, status: Status) -> ExportRow {
        ExportRow {
            key: Key { shop: "acme".into(), order: order.into(), pipeline: pipeline.into() },
            number: format!("N-{order}"),
            status,
            updated_at: "2026-03-10T12:00:00Z".parse().unwrap(),
            attempts: 2,
            resets: 0,
            fault: None,
            last_error: (status == Status::Error).then(|| "HTTP 400".to_owned()),
            external_id: None,
            placed_at: None,
            exported_at: None,
            not_before: None,
            waits_for: None,
            lease_until: None,
        }
    }

    fn orders() -> Vec<Found> {
        let exports = vec![export("7", "archive", Status::Exported), export("7", "erp", Status::Error)];
        let order = OrderKey { shop: "acme".into(), order: "7".into() };
        vec![Found { order, number: "N-7".into(), exports }]
    }

    #[test]
    fn one_export_is_meant_or_nothing_is_done() {
        let meant = |name: &str, pipeline| meant(name, &orders(), pipeline);
        assert_eq!(meant("N-7", Some("erp")).unwrap().pipeline, "erp");
        assert_eq!(meant("acme:7:archive", None).unwrap().pipeline, "archive");
        let several = meant("N-7", None).unwrap_err();
        assert!(
            matches!(&several, Failure::Refused(text) if text.ends_with("acme:7:archive, acme:7:erp")),
            "{several}"
        );
        assert!(matches!(meant("N-7", Some("other")), Err(Failure::NotFound(_))));
    }

    #[test]
    fn exports_are_listed_with_what_is_wrong() {
        insta::assert_snapshot!(listed(&orders()[0].exports));
    }

    #[test]
    fn a_filter_is_what_was_asked_for() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let which = Which { since: Some("2h".parse().unwrap()), shop: Some("acme".into()), ..Which::default() };
        let filter = which.filter(BTreeSet::from([Status::Error]), now);
        assert_eq!(filter.since, Some("2026-03-10T10:00:00Z".parse().unwrap()));
        assert_eq!((filter.shop.as_deref(), filter.until, filter.status.len()), (Some("acme"), None, 1));
        assert_eq!(status("error"), Ok(Status::Error));
        assert!(status("failed").is_err_and(|error| error.contains("acknowledged")));
    }
}

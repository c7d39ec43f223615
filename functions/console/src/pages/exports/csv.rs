//! The list as CSV, for a spreadsheet.

use axum::extract::{OriginalUri, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Query;
use ordersync::template::guard_formula;
use ordersync_admin::{AdminError, ExportRow, Page};

use super::asked::Asked;
use crate::access::guard::Viewer;
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;

/// Most lines of a file: what fits into an answer.
const MOST: usize = 10_000;
/// Exports of a page of the list.
const AT_ONCE: u32 = 500;
const HEAD: [&str; 11] = [
    "number",
    "shop",
    "order",
    "pipeline",
    "status",
    "attempts",
    "last_error",
    "external_id",
    "placed_at",
    "exported_at",
    "updated_at",
];

/// All exports that the filter takes; where there are more than an answer has room for, the last line says so.
pub(crate) async fn file(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Viewer(_): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let fail = |error| Failure::admin(&place, error);
    let filter = asked.filter().map_err(fail)?;
    let (mut rows, mut cursor) = (Vec::new(), asked.cursor());
    loop {
        let page = Page { limit: Some(AT_ONCE), cursor: cursor.take() };
        let listing = console.admin.list(&filter, &page).await.map_err(fail)?;
        rows.extend(listing.exports);
        cursor = listing.cursor;
        if cursor.is_none() || rows.len() >= MOST {
            break;
        }
    }
    let text = text(&rows, cursor.is_some()).map_err(|error| fail(AdminError::unavailable(error.to_string())))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"exports.csv\""),
    ];
    Ok((headers, text).into_response())
}

fn text(rows: &[ExportRow], is_cut: bool) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(HEAD)?;
    for row in rows {
        let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let fields = [
            row.number.clone(),
            row.key.shop.clone(),
            row.key.order.clone(),
            row.key.pipeline.clone(),
            row.status.name().to_owned(),
            row.attempts.to_string(),
            row.last_error.clone().unwrap_or_default(),
            row.external_id.clone().unwrap_or_default(),
            time(row.placed_at),
            time(row.exported_at),
            time(Some(row.updated_at)),
        ];
        writer.write_record(fields.iter().map(|field| guard_formula(field).into_owned()))?;
    }
    if is_cut {
        writer.write_record([format!("There are more: these are the latest {}.", rows.len())])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

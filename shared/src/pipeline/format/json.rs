//! `json`: the order as it is, see `docs/order.schema.json`.

use super::{Document, Export, Failure, Format, Packing};
use crate::config::document::Table;
use crate::config::value;

#[derive(Debug)]
struct JsonFormat {
    pretty: bool,
}

/// `pretty`: indented over several lines; false where not given.
pub(super) fn read(table: Table<'_>) -> Box<dyn Format> {
    let pretty = table.read("pretty", value::boolean).unwrap_or(false);
    table.finish();
    Box::new(JsonFormat { pretty })
}

impl Format for JsonFormat {
    fn render(&self, export: Export<'_>) -> Result<Document, Failure> {
        let written =
            if self.pretty { serde_json::to_vec_pretty(export.order) } else { serde_json::to_vec(export.order) };
        let body = written.map_err(|_| Failure::permanent("the order cannot be written as JSON"))?;
        Ok(Document { body, media_type: "application/json".into(), headers: Vec::new() })
    }

    fn packing(&self) -> Result<Packing, String> {
        if self.pretty { Err("each order stands on one line: remove `pretty`".into()) } else { Ok(Packing::Lines) }
    }
}

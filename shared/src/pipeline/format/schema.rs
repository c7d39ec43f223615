//! `docs/order.schema.json` describes what the `json` format writes. Run this test with `UPDATE_SCHEMA=1` in the
//! environment to write it anew.

use std::path::Path;

use schemars::generate::SchemaSettings;

use crate::order::Order;

#[test]
#[expect(clippy::disallowed_methods, reason = "whether to write the file is asked of whoever runs the test")]
fn the_schema_of_the_order_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/order.schema.json");
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Order>();
    let current = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &current).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == current, "docs/order.schema.json is not current: run the tests with UPDATE_SCHEMA=1");
}

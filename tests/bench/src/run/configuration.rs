//! ordersync's configuration for a work: one shop, one pipeline.

use std::fs;
use std::io;
use std::path::Path;

use super::target::{DESTINATION_SECRET, WEBHOOK_SECRET};
use crate::stand_in::StandIns;
use crate::work::{Format, Transport, Variant, Work, intake};

/// The template that all targets render.
const TEMPLATE: &str = "erp-order.json.j2";
/// The columns that all targets write.
const COLUMNS: &str = "columns.json";

/// Where orders of a batch share an object.
const PACKED: &str = "transport = { type = \"s3\", key = \"packs/{{ order.shop }}/{{ pack.id }}.jsonl\", pack = {} }";

/// Writes it to `config/` in `directory`, where the functions look.
pub(super) fn write(work: Work, stand_ins: &StandIns, root: &Path, directory: &Path) -> io::Result<()> {
    let config = directory.join("config");
    fs::create_dir_all(&config)?;
    let shared = root.join("tests/bench/work");
    let document = match work {
        Work::Intake(_) | Work::Console(..) => pipeline("shopify", "format = { type = \"json\" }", &s3("json")),
        Work::ResetErrors(_) => {
            let (to, egress) = http(stand_ins, &config)?;
            let settings = "\n[reset_errors]\nafter = \"1s\"\nfaults = [\"permanent\"]\n";
            format!("{}{settings}{egress}", pipeline("standard-webhooks", "format = { type = \"json\" }", &to))
        }
        Work::Processor { transport, format, variant, .. } => {
            let form = match format {
                Format::Json => "format = { type = \"json\" }".to_owned(),
                Format::Template => {
                    fs::copy(shared.join(TEMPLATE), config.join(TEMPLATE))?;
                    format!(
                        "format = {{ type = \"template\", template = \"{TEMPLATE}\", media_type = \"application/json\" }}"
                    )
                }
                Format::Csv => {
                    format!("format = {{ type = \"csv\", columns = [{}] }}", columns(&shared.join(COLUMNS))?)
                }
            };
            let (to, egress) = match transport {
                Transport::S3 if variant == Variant::Packed => (PACKED.to_owned(), String::new()),
                Transport::S3 => (s3(format.extension()), String::new()),
                Transport::Http => http(stand_ins, &config)?,
            };
            let keep = if variant == Variant::UntilExported { "keep_payload = \"until-exported\"\n" } else { "" };
            format!("{}{keep}{egress}", pipeline("standard-webhooks", &form, &to))
        }
    };
    fs::write(config.join("ordersync.toml"), document)
}

fn pipeline(platform: &str, format: &str, transport: &str) -> String {
    let shop = intake::SHOP;
    format!(
        "[[shops]]\ncode = \"{shop}\"\nplatform = \"{platform}\"\nsecrets = [\"{WEBHOOK_SECRET}\"]\n\n\
         [[pipelines]]\ncode = \"erp\"\n{format}\n{transport}\n"
    )
}

fn s3(extension: &str) -> String {
    format!("transport = {{ type = \"s3\", key = \"orders/{{{{ order.shop }}}}/{{{{ order.number }}}}.{extension}\" }}")
}

/// The transport to the destination, and the rule that allows it, with its certificate's authority.
fn http(stand_ins: &StandIns, config: &Path) -> io::Result<(String, String)> {
    let address = stand_ins.destination_address();
    fs::copy(&stand_ins.ca, config.join("ca.pem"))?;
    let transport = format!(
        "transport = {{ type = \"http\", url = \"https://{address}/orders\", auth = \"{DESTINATION_SECRET}\", timeout = \"10s\" }}\n\
         response = {{ type = \"json\", external_id = \"/id\" }}"
    );
    Ok((transport, format!("\n[egress]\nallow = [\"{address}\"]\nca = \"ca.pem\"\n")))
}

/// The columns, which stand in a file of JSON so that every target reads them, as TOML.
fn columns(file: &Path) -> io::Result<String> {
    #[derive(serde::Deserialize)]
    struct Column {
        header: String,
        value: String,
    }
    let columns: Vec<Column> = serde_json::from_str(&fs::read_to_string(file)?)?;
    let column = |Column { header, value }: &Column| format!("{{ header = {header:?}, value = {value:?} }}");
    Ok(columns.iter().map(column).collect::<Vec<_>>().join(", "))
}

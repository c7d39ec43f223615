//! `ordersync render`.

mod input;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use ordersync::clock;
use ordersync::config::{Config, Pipeline};
use ordersync::pipeline::filter::Verdict;
use ordersync::pipeline::format::{self, Format};
use ordersync::pipeline::{Document, Export, idempotency_key};
use ordersync::webhook::Event;
use serde::Serialize;

pub(crate) use self::input::read_file;
use self::input::{Input, Sample};
use crate::args::Global;
use crate::configured;
use crate::exit::{Exit, Failure, file_failure};
use crate::output::Out;

const EXAMPLES: &str = "\
Examples:
  ordersync render webhook.json --config config --shop acme-eu --pipeline erp
  ordersync render webhook.json --config config --shop acme-eu --pipeline erp --headers headers.txt --explain
  ordersync render --sample shopify --config config --pipeline erp
  ordersync render webhook.json --config config --shop acme-eu --template config/erp-order.json.j2

The document goes to the output as it would be delivered; what --explain says goes beside it.";

/// Show the document that a pipeline, or a template, makes of an order
///
/// Nothing is sent and nothing is asked of AWS.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Render {
    /// The webhook's body; - for the input.
    #[arg(value_name = "FILE", required_unless_present = "sample", requires = "shop")]
    webhook: Option<PathBuf>,
    /// The webhook of a platform that comes with this program instead.
    #[arg(long, value_enum, conflicts_with = "webhook")]
    sample: Option<Sample>,
    /// Code of the shop that sent it, which says how it is read.
    #[arg(long, value_name = "CODE")]
    shop: Option<String>,
    /// File with the webhook's headers, `Name: value` on each line.
    #[arg(long, value_name = "FILE", requires = "webhook")]
    headers: Option<PathBuf>,
    /// What the URL of the webhook has in `topic`.
    #[arg(long, value_name = "TOPIC", requires = "webhook")]
    topic: Option<String>,
    #[command(flatten)]
    with: With,
    /// Say also what the filter decides, and where the document would go under which key.
    #[arg(long)]
    explain: bool,
    /// The stack's bucket in what --explain says.
    #[arg(long, value_name = "NAME", default_value = "BUCKET", hide_default_value = true)]
    bucket: String,
}

/// What makes the document.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct With {
    /// Code of the pipeline.
    #[arg(long, value_name = "CODE")]
    pipeline: Option<String>,
    /// A template by itself.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
}

/// What was made, as JSON.
#[derive(Debug, Serialize)]
struct Rendered {
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    media_type: Option<String>,
    document: String,
}

/// What became of the order in a pipeline.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Explanation {
    order: String,
    number: String,
    events: Vec<String>,
    runs_on: Vec<String>,
    is_run: bool,
    filter: String,
    is_taken: bool,
    target: String,
    idempotency_key: String,
}

impl Render {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let (_, config) = configured::of_directory::<Config>(global).await?;
        let input = Input::read(self, &config)?;
        if let Some(file) = &self.with.template {
            let document = template(file)?.render(input.export("", ""));
            print(None, document.map_err(|failure| wrong(&failure))?, out);
            return Ok(Exit::Done);
        }
        let pipeline = configured::pipeline(&config, self.with.pipeline.as_deref().unwrap_or_default())?;
        let key = idempotency_key(&input.order.shop, &input.order.id, &pipeline.code);
        let export = input.export(&pipeline.code, &key);
        let explanation = self.explain.then(|| self.explain(pipeline, &input, export)).transpose()?;
        print(explanation, pipeline.format.render(export).map_err(|failure| wrong(&failure))?, out);
        Ok(Exit::Done)
    }

    fn explain(&self, pipeline: &Pipeline, input: &Input, export: Export<'_>) -> Result<Explanation, Failure> {
        let verdict = pipeline.filter.decide(&input.order, clock::now());
        let verdict = verdict.map_err(|error| Failure::Wrong(error.to_string()))?;
        let (filter, is_taken) = match verdict {
            Verdict::Take => ("takes it".to_owned(), true),
            Verdict::Decline(reason) => (format!("declines it: {reason}"), false),
        };
        let names = |events: &BTreeSet<Event>| events.iter().map(ToString::to_string).collect();
        Ok(Explanation {
            order: input.order.id.clone(),
            number: input.order.number.clone(),
            events: names(&input.events),
            runs_on: names(&pipeline.on),
            is_run: pipeline.serves(&input.order.shop) && !pipeline.on.is_disjoint(&input.events),
            filter,
            is_taken,
            target: pipeline.transport.target(&self.bucket, export).map_err(|failure| wrong(&failure))?,
            idempotency_key: export.idempotency_key.to_owned(),
        })
    }
}

/// A step of the pipeline that fails for this order.
fn wrong(failure: &ordersync::pipeline::Failure) -> Failure {
    Failure::Wrong(failure.on_record())
}

/// A template that no pipeline names.
fn template(file: &Path) -> Result<Box<dyn Format>, Failure> {
    let source = std::fs::read_to_string(file).map_err(|error| file_failure(file, &error))?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format::by_name(&name, &source).map_err(|error| Failure::Wrong(error.to_string()))
}

fn print(explanation: Option<Explanation>, document: Document, out: Out) {
    if out.json {
        let media_type = Some(document.media_type).filter(|media_type| !media_type.is_empty());
        let document = String::from_utf8_lossy(&document.body).into_owned();
        out.result(&Rendered { explanation, media_type, document }, String::new);
        return;
    }
    if let Some(explanation) = explanation {
        out.note(&explanation.text(&document.media_type));
    }
    Out::document(&document.body);
}

impl Explanation {
    fn text(&self, media_type: &str) -> String {
        let run = if self.is_run { "" } else { ": the pipeline does not run on it" };
        format!(
            "order     {} (number {})\nevents    {} (the pipeline runs on {}){run}\nfilter    {}\ntarget    {}\nkey       \
             {}\ndocument  {media_type}\n",
            self.order,
            self.number,
            self.events.join(", "),
            self.runs_on.join(", "),
            self.filter,
            self.target,
            self.idempotency_key
        )
    }
}

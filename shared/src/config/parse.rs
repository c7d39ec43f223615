//! From the text of the document to a checked configuration, or to every problem that it has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::document::{Node, Problems, Table};
use super::intake::{Keys, read_code, read_keys};
use super::{
    Config, Files, Invalid, KeepPayload, Part, Pipeline, Rate, Reservation, Retries, Shop, ledger, schedules, value,
};
use crate::ledger::FindBy;
use crate::pipeline::result::{By, Responses};
use crate::pipeline::transport::egress::{self, Egress};
use crate::pipeline::{filter, format, response, result, transport};
use crate::shop::{self, ShopApi};
use crate::webhook::{Event, Needs, Platform};

const RESERVATIONS: [(&str, Option<Reservation>); 4] = [
    ("standard", None),
    ("on-transport", Some(Reservation::OnTransport)),
    ("on-transport-success", Some(Reservation::OnTransportSuccess)),
    ("on-response-success", Some(Reservation::OnResponseSuccess)),
];

const KEEP_PAYLOAD: [(&str, KeepPayload); 2] =
    [("always", KeepPayload::Always), ("until-exported", KeepPayload::UntilExported)];

/// Longest time that an export is put off or waited for.
const LONGEST_DELAY: Duration = Duration::from_hours(366 * 24);

/// Reads `text`, the contents of `file`, whose other files are given. `max_receive_count` is the queue's redrive limit:
/// no pipeline can have more attempts than the queue makes.
pub fn parse(file: &str, text: &str, files: &Files, max_receive_count: u32) -> Result<Config, Invalid> {
    parse_part(file, text, files, max_receive_count)
}

/// Reads a part of the document as [`parse`] reads all of it.
pub fn parse_part<P: Part>(file: &str, text: &str, files: &Files, max_receive_count: u32) -> Result<P, Invalid> {
    let problems = Problems::new(file, text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        problems.add(error.span().map_or(0, |span| span.start), "", error.message());
    }
    let root = Table::root(document.get_ref(), &problems);
    let part = syntax.is_empty().then(|| P::read(&root, files, max_receive_count));
    match (part, problems.into_sorted()) {
        (Some(part), problems) if problems.is_empty() => Ok(part),
        (_, problems) => Err(Invalid(problems)),
    }
}

/// The names of the files that a part of the document refers to; empty when it cannot be read.
pub(super) fn file_names<P: Part>(text: &str) -> BTreeSet<String> {
    P::files(DeTable::parse_recoverable(text).0.get_ref())
}

/// The name of the file of root certificates.
pub(super) fn certificates(document: &DeTable<'_>) -> Option<String> {
    text_of(document.get("egress")?.get_ref(), "ca")
}

fn text_of(value: &DeValue<'_>, key: &str) -> Option<String> {
    Some(value.get(key)?.get_ref().as_str()?.to_owned())
}

impl Part for Config {
    fn files(document: &DeTable<'_>) -> BTreeSet<String> {
        let pipelines = document.get("pipelines").and_then(|node| node.get_ref().as_array());
        let template = |pipeline: &DeValue<'_>| text_of(pipeline.get("format")?.get_ref(), "template");
        let templates = pipelines.into_iter().flatten().filter_map(|pipeline| template(pipeline.get_ref()));
        templates.chain(certificates(document)).collect()
    }

    fn read(root: &Table<'_>, files: &Files, max_receive_count: u32) -> Self {
        let config = read_document(root, files, max_receive_count);
        root.check();
        config
    }
}

/// What a pipeline is checked against.
struct Context<'a> {
    egress: &'a Egress,
    files: &'a Files,
    /// The code of every shop, of those with problems too.
    shops: &'a BTreeSet<String>,
    max_receive_count: u32,
    find_by: FindBy,
}

fn read_document(root: &Table<'_>, files: &Files, max_receive_count: u32) -> Config {
    let egress = egress::read(root.get("egress").as_ref(), files);
    let (shops, codes) = read_shops(root, &egress);
    let find_by = ledger::read(root.get("ledger"));
    let context = Context { egress: &egress, files, shops: &codes.all, max_receive_count, find_by };
    let pipelines = read_pipelines(root, &context);
    let pipeline_codes: BTreeSet<String> = pipelines.iter().map(|pipeline| pipeline.code.clone()).collect();
    let cancel_stale = schedules::read_cancel_stale(root.get("cancel_stale"), &codes);
    ledger::check_cancellations(root.get("cancel_stale"), &cancel_stale, shops.keys(), &pipelines);
    Config {
        shops,
        cancel_stale,
        reset_errors: schedules::read_reset_errors(root.get("reset_errors")),
        cleanup: schedules::read_cleanup(root.get("cleanup"), &pipeline_codes),
        find_by,
        pipelines,
        egress,
    }
}

/// Codes of the document's shops, of those with problems too.
#[derive(Debug, Default)]
pub(super) struct ShopCodes {
    /// Of every shop.
    pub(super) all: BTreeSet<String>,
    /// Of those whose orders cannot be cancelled: without an `api`, or with one that cannot.
    pub(super) without_cancel: BTreeSet<String>,
}

fn read_shops(root: &Table<'_>, egress: &Egress) -> (BTreeMap<String, Shop>, ShopCodes) {
    let mut codes = ShopCodes::default();
    let Some(node) = root.required("shops") else { return (BTreeMap::new(), codes) };
    let shops = node.each(|node| {
        let table = node.table()?;
        let (code, is_new) = read_code(&node, &table, &mut codes.all);
        // What is wrong with an `api` is said there.
        let has_api = table.get("api").is_some();
        let shop = read_shop(&table, code.clone(), egress);
        let can_cancel = shop.as_ref().and_then(|shop| Some(shop.api.as_ref()?.can_cancel()));
        if let Some(code) = code.filter(|_| is_new && !can_cancel.unwrap_or(has_api)) {
            codes.without_cancel.insert(code);
        }
        Some((shop.as_ref()?.code.clone(), shop?))
    });
    (shops.into_iter().collect(), codes)
}

fn read_shop(table: &Table<'_>, code: Option<String>, egress: &Egress) -> Option<Shop> {
    // Secrets and topics are intake's, and are checked here all the same.
    let Keys { platform, needs, secrets, .. } = read_keys::<Arc<dyn Platform>>(table, egress);
    let api_node = if needs == Needs::SecretsAndApi { table.required("api") } else { table.get("api") };
    let api = platform.as_ref().and(api_node).and_then(|node| read_api(table, &node, egress));
    let time_zone = table.read("time_zone", value::time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    table.check();
    secrets?;
    Some(Shop { code: code?, platform: platform?, api, time_zone })
}

/// The calls back to a shop whose platform is known.
fn read_api(shop: &Table<'_>, node: &Node<'_>, egress: &Egress) -> Option<Arc<dyn ShopApi>> {
    shop::read(&shop.read("platform", value::text)?, node, egress)
}

fn read_pipelines(root: &Table<'_>, context: &Context<'_>) -> Vec<Pipeline> {
    let Some(node) = root.required("pipelines") else { return Vec::new() };
    let mut codes = BTreeSet::new();
    node.each(|node| {
        let pipeline = read_pipeline(&node.table()?, context)?;
        if !codes.insert(pipeline.code.clone()) {
            node.problem(format!("the code {:?} is used by another pipeline already", pipeline.code));
        }
        Some(pipeline)
    })
}

fn read_pipeline(table: &Table<'_>, context: &Context<'_>) -> Option<Pipeline> {
    let code = table.require("code", value::code);
    let shops = table.list("shops", known_code("shop", context.shops));
    let on = table.get("on").map(|node| node.each(|event| event.parse(value::one_of(&Event::NAMES))));
    let filter = filter::read(table.get("filter").as_ref());
    let format = table.required("format").and_then(|node| format::read(&node, context.files));
    let transport_node = table.required("transport");
    let transport = transport_node.as_ref().and_then(|node| transport::read(node, context.egress));
    if let (Some(format), Some(transport), Some(node)) = (&format, &transport, &transport_node)
        && transport.packed().is_some()
        && let Err(why) = format.packing()
    {
        node.problem(format!("pack: {why}"));
    }
    let response = table.get("response").and_then(|node| read_response(&node, transport.as_deref()));
    let reservation = table.read("reservation", value::one_of(&RESERVATIONS)).flatten();
    let retries = read_retries(table.get("retries"), context.max_receive_count);
    let delay = table.read("delay", value::duration(LONGEST_DELAY));
    let not_before = table.read("not_before", value::timestamp);
    let responses = table.get("responses").and_then(|node| read_responses(&node, code.as_deref(), context.find_by));
    let acknowledge_within = table.read("acknowledge_within", value::duration(LONGEST_DELAY));
    let keep_payload = table.read("keep_payload", value::one_of(&KEEP_PAYLOAD)).unwrap_or(KeepPayload::Always);
    let rate = table.get("rate_limit").and_then(|node| read_rate(&node, transport.as_deref()));
    table.check();
    Some(Pipeline {
        code: code?,
        shops: shops.into_iter().collect(),
        on: on.unwrap_or_else(|| vec![Event::Placed]).into_iter().collect(),
        filter,
        format: format?,
        transport: transport?,
        response,
        reservation,
        retries,
        delay,
        not_before,
        rate,
        responses,
        acknowledge_within,
        keep_payload,
    })
}

fn read_responses(node: &Node<'_>, code: Option<&str>, find_by: FindBy) -> Option<Responses> {
    let responses = result::read(node, code)?;
    if responses.by == By::Number && !find_by.number {
        node.problem("these name their orders by number, which needs \"number\" in ledger.find_by");
    }
    Some(responses)
}

/// The code of a shop or pipeline of this document.
pub(super) fn known_code(what: &str, codes: &BTreeSet<String>) -> impl Fn(&DeValue<'_>) -> Result<String, String> {
    move |value| {
        let code = value::text(value)?;
        let known = || codes.iter().map(|code| format!("{code:?}")).collect::<Vec<_>>().join(", ");
        if codes.contains(&code) { Ok(code) } else { Err(format!("the code of a {what} ({})", known())) }
    }
}

fn read_response(
    node: &Node<'_>,
    transport: Option<&dyn transport::Transport>,
) -> Option<Box<dyn response::ResponseReader>> {
    if transport.is_some_and(|transport| !transport.has_response()) {
        node.problem("this transport has no response to read; remove it or use an http transport");
        return None;
    }
    response::read(node)
}

fn read_rate(node: &Node<'_>, transport: Option<&dyn transport::Transport>) -> Option<Rate> {
    let interval = node.parse(value::rate)?;
    let Some(destination) = transport?.endpoint() else {
        node.problem("this transport calls no endpoint of the merchant's; remove it or use an http transport");
        return None;
    };
    Some(Rate { destination, interval })
}

fn read_retries(node: Option<Node<'_>>, max_receive_count: u32) -> Retries {
    let defaults = Retries::default_for(max_receive_count);
    let Some(table) = node.and_then(|node| node.table()) else { return defaults };
    let day = Duration::from_hours(24);
    let attempts = table.get("max_attempts").and_then(|node| read_max_attempts(&node, max_receive_count));
    let base = table.read("base", value::duration(day));
    let cap = table.read("cap", value::duration(Duration::from_hours(11)));
    let retries = Retries {
        max_attempts: attempts.unwrap_or(defaults.max_attempts),
        base: base.unwrap_or(defaults.base),
        cap: cap.unwrap_or_else(|| defaults.cap.max(base.unwrap_or_default())),
    };
    if retries.base > retries.cap {
        table.problem(format!("base ({:?}) is longer than cap ({:?})", retries.base, retries.cap));
    }
    table.check();
    retries
}

fn read_max_attempts(node: &Node<'_>, max_receive_count: u32) -> Option<u32> {
    let attempts = u32::try_from(node.parse(value::integer(1..=1000))?).ok()?;
    if attempts > max_receive_count {
        node.problem(format!(
            "expected at most {max_receive_count}, the queue's maximum receive count (parameter MaxReceiveCount), \
             found {attempts}"
        ));
        return None;
    }
    Some(attempts)
}

//! The configuration that a command works with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ordersync::config::{Config, Live, Location, Part, Pipeline, Shop, Source};

use crate::args::Global;
use crate::exit::Failure;
use crate::stack::Stack;

/// The configuration that `--config` names, else the stack's own.
pub(crate) async fn of_stack<P: Part>(global: &Global, stack: &Stack) -> Result<Arc<P>, Failure> {
    let location = match &global.config {
        Some(named) => named_location(named)?,
        None => stack.config.clone().ok_or_else(|| {
            let message = "the stack's configuration is bundled with its functions: name its directory with --config";
            Failure::Usage(message.into())
        })?,
    };
    load(location.open(&stack.sdk), stack.max_receive_count).await
}

/// The configuration in a directory, without any stack: `--config`, else the working directory.
pub(crate) async fn of_directory<P: Part>(global: &Global) -> Result<(PathBuf, Arc<P>), Failure> {
    // Whatever the queue does, nothing is delivered here.
    const ANY: u32 = 1000;
    match named_location(global.config.as_deref().unwrap_or("."))? {
        Location::Directory(directory) => Ok((directory.clone(), load(Source::Directory(directory), ANY).await?)),
        Location::S3 { .. } => Err(Failure::Usage("--config: expected a directory here".into())),
    }
}

fn named_location(named: &str) -> Result<Location, Failure> {
    if named.starts_with("s3://") {
        return Ok(Location::from_uri(Some(named), Path::new("."))?);
    }
    Ok(Location::Directory(PathBuf::from(named)))
}

async fn load<P: Part>(source: Source, max_receive_count: u32) -> Result<Arc<P>, Failure> {
    Ok(Live::start(source, max_receive_count).await?.current().await)
}

/// A shop of the configuration.
pub(crate) fn shop<'c>(config: &'c Config, code: &str) -> Result<&'c Shop, Failure> {
    config.shops.get(code).ok_or_else(|| unknown("shop", code, config.shops.keys()))
}

/// A pipeline of the configuration.
pub(crate) fn pipeline<'c>(config: &'c Config, code: &str) -> Result<&'c Pipeline, Failure> {
    let found = config.pipelines.iter().find(|pipeline| pipeline.code == code);
    found.ok_or_else(|| unknown("pipeline", code, config.pipelines.iter().map(|pipeline| &pipeline.code)))
}

/// Something that the configuration does not have; what it has.
pub(crate) fn unknown<'a>(what: &str, code: &str, known: impl Iterator<Item = &'a String>) -> Failure {
    let known: Vec<_> = known.map(String::as_str).collect();
    Failure::NotFound(format!("no {what} {code:?} is configured; there are: {}", known.join(", ")))
}

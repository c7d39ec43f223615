//! Who is measured, and how each is started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::configuration;
use super::process::Launch;
use crate::results::Target;
use crate::stand_in::{StandIns, signature};
use crate::work::{Work, console, intake};

/// Names that all targets are given.
pub const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/bench";
/// The queue of what was given up.
const DEAD_LETTERS: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/bench-dead-letters";
/// The bucket of exports.
pub const BUCKET: &str = "bench-bucket";
/// The ledger.
pub const TABLE: &str = "bench-ledger";
/// The secret that webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "bench-webhook";
/// The secret with the console's users.
pub const CONSOLE_SECRET: &str = "bench-console";
/// The secret with the destination's token.
pub const DESTINATION_SECRET: &str = "bench-destination";

/// Where things are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The repository.
    pub root: PathBuf,
    /// Cargo's target directory.
    pub target: PathBuf,
    /// Where the release binaries of the functions are.
    pub binaries: PathBuf,
}

/// How one function of a target is started, from `targets.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Described {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Working directory.
    pub directory: String,
    /// What becomes `_HANDLER`.
    pub handler: String,
    /// What would be deployed.
    #[serde(default)]
    pub zip: Vec<String>,
    /// What its environment has beside what all are given.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// The functions of the targets that are not ours, by target and function.
#[derive(Debug, Clone, Default)]
pub struct Peers(BTreeMap<String, BTreeMap<String, Described>>);

/// A target cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The description is not as expected.
    #[error("{file}: {reason}")]
    Description {
        /// Which file.
        file: String,
        /// What was expected.
        reason: String,
    },
    /// It is not built.
    #[error("{0} is not there: `make bench` builds it")]
    NotBuilt(String),
    /// Its configuration cannot be written.
    #[error("the configuration cannot be written: {0}")]
    Configuration(#[from] std::io::Error),
}

impl Peers {
    /// Reads `targets.toml`; nobody where there is none.
    ///
    /// # Errors
    /// It is not as expected.
    pub fn read(file: &Path) -> Result<Self, TargetError> {
        let failed = |reason: String| TargetError::Description { file: file.display().to_string(), reason };
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
        let tables: BTreeMap<String, toml::Table> = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
        let mut peers = BTreeMap::new();
        for (target, functions) in tables {
            let functions = functions.into_iter().filter(|(name, _)| matches!(name.as_str(), "intake" | "processor"));
            let read = |(name, value): (String, toml::Value)| Ok((name, value.try_into::<Described>()?));
            let functions: Result<_, toml::de::Error> = functions.map(read).collect();
            peers.insert(target, functions.map_err(|error| failed(error.to_string()))?);
        }
        Ok(Self(peers))
    }

    /// How a target's function is started.
    pub fn get(&self, target: Target, function: &str) -> Option<&Described> {
        self.0.get(&target.to_string())?.get(function)
    }
}

/// How a target is started for a work; `directory` is for what it needs.
///
/// # Errors
/// It is not built, or its configuration cannot be written.
pub fn launch(
    target: Target,
    work: Work,
    places: &Places,
    peers: &Peers,
    stand_ins: &StandIns,
    directory: &Path,
) -> Result<Launch, TargetError> {
    let mut environment = common(work, stand_ins);
    if target == Target::Ordersync {
        let binary = places.binaries.join(work.function());
        if !binary.is_file() {
            return Err(TargetError::NotBuilt(binary.display().to_string()));
        }
        configuration::write(work, stand_ins, &places.root, directory)?;
        environment.insert("LAMBDA_TASK_ROOT".into(), directory.display().to_string());
        environment.insert("AWS_CA_BUNDLE".into(), stand_ins.ca.display().to_string());
        let command = vec![binary.display().to_string()];
        return Ok(Launch { command, directory: directory.to_owned(), environment });
    }
    let described = peers.get(target, work.function());
    let described = described.ok_or_else(|| TargetError::NotBuilt(format!("{} of {target}", work.function())))?;
    let resolve = |text: &String| resolved(text, places, &stand_ins.ca);
    let command: Vec<String> = described.command.iter().map(resolve).collect();
    let missing = command.iter().find(|part| part.starts_with('/') && !Path::new(part).exists());
    if let Some(missing) = missing {
        return Err(TargetError::NotBuilt(missing.clone()));
    }
    let root = resolve(&described.directory);
    environment.insert("LAMBDA_TASK_ROOT".into(), root.clone());
    environment.insert("_HANDLER".into(), described.handler.clone());
    environment.extend(described.environment.iter().map(|(name, value)| (name.clone(), resolve(value))));
    Ok(Launch { command, directory: root.into(), environment })
}

/// A text of the description with its places put in.
pub fn resolved(text: &str, places: &Places, ca: &Path) -> String {
    [("{root}", &*places.root), ("{target}", &*places.target), ("{ca}", ca)]
        .iter()
        .fold(text.to_owned(), |text, (name, place)| text.replace(name, &place.display().to_string()))
}

/// What Lambda and the template give every function, and where the stand-ins are.
fn common(work: Work, stand_ins: &StandIns) -> BTreeMap<String, String> {
    let aws = format!("https://{}", stand_ins.aws_address());
    let destination = format!("https://{}/orders", stand_ins.destination_address());
    let memory = match work.function() {
        "intake" => "256",
        "console" => "1769",
        _ => "512",
    };
    let mut environment: BTreeMap<String, String> = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/08/01/[$LATEST]bench"),
        ("_HANDLER", "bootstrap"),
        ("AWS_REGION", signature::REGION),
        ("AWS_DEFAULT_REGION", signature::REGION),
        ("AWS_ACCESS_KEY_ID", signature::ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", signature::SECRET_KEY),
        ("AWS_SESSION_TOKEN", signature::SESSION_TOKEN),
        ("AWS_ENDPOINT_URL", &aws),
        ("QUEUE_URL", QUEUE),
        ("BUCKET", BUCKET),
        ("TABLE", TABLE),
        ("LOG_LEVEL", "info"),
        ("MAX_RECEIVE_COUNT", "10"),
        ("RETENTION_DAYS", "365"),
        ("WEBHOOK_SECRET_NAME", WEBHOOK_SECRET),
        ("DESTINATION_SECRET_NAME", DESTINATION_SECRET),
        ("DESTINATION_URL", &destination),
        ("SHOP", intake::SHOP),
        ("DLQ_URL", DEAD_LETTERS),
        ("VISIBILITY_TIMEOUT", "180"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    environment.insert("BENCH_CA".into(), stand_ins.ca.display().to_string());
    if let Work::Processor { transport, format, .. } = work {
        environment.insert("TRANSPORT".into(), transport.name().into());
        environment.insert("FORMAT".into(), format.name().into());
    }
    if let Work::Console(..) = work {
        let own = [
            ("CONSOLE_SECRET", CONSOLE_SECRET),
            ("CONSOLE_NAME_CLAIM", console::NAME_CLAIM),
            ("CONSOLE_ROLE_CLAIM", console::ROLE_CLAIM),
            ("DEAD_LETTER_QUEUE_URL", DEAD_LETTERS),
            ("PROCESSOR", "bench-processor"),
        ];
        environment.extend(own.map(|(name, value)| (name.into(), value.into())));
    }
    environment
}

//! `processor check DIR`: what is wrong with the configuration in a directory, for whoever is about to deploy it.

use std::path::Path;
use std::process::ExitCode;

use ordersync::aws;
use ordersync::config::{Config, load_directory};

/// Does it, if that is what the program was started for.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "somebody asked at a terminal")]
pub(crate) fn asked() -> Option<ExitCode> {
    let directory = directory(std::env::args())?;
    match check(Path::new(&directory)) {
        Ok(summary) => println!("{directory}: {summary}"),
        Err(problems) => {
            eprintln!("{directory}: {problems}");
            return Some(ExitCode::FAILURE);
        }
    }
    Some(ExitCode::SUCCESS)
}

/// The directory that is to be checked. Lambda starts a function without arguments.
fn directory(arguments: impl Iterator<Item = String>) -> Option<String> {
    let arguments: Vec<_> = arguments.skip(1).collect();
    let [command, directory] = arguments.as_slice() else { return None };
    (command == "check").then(|| directory.clone())
}

fn check(directory: &Path) -> Result<String, String> {
    let max_receive_count = aws::max_receive_count().map_err(|error| error.to_string())?;
    let config: Config = load_directory(directory, max_receive_count).map_err(|error| error.to_string())?;
    let (shops, pipelines) = (config.shops.len(), config.pipelines.len());
    Ok(format!("nothing is wrong (shops: {shops}, pipelines: {pipelines})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_for_by_name() {
        let asked = |arguments: &[&str]| directory(arguments.iter().map(|text| (*text).to_owned()));
        assert_eq!(asked(&["processor", "check", "config"]), Some("config".to_owned()));
        for arguments in [&["bootstrap"][..], &[], &["processor", "check"], &["processor", "try", "config"]] {
            assert_eq!(asked(arguments), None);
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_what_is_right() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let right = check(&root.join("tests/config")).unwrap();
        assert!(right.starts_with("nothing is wrong (shops: "), "{right}");
        let missing = check(&root.join("docs")).unwrap_err();
        assert!(missing.contains("ordersync.toml cannot be read"), "{missing}");
    }
}

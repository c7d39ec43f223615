//! How large what is deployed is.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::measure::{number, number_u64};
use super::target::resolved;
use super::{Bench, RunError};
use crate::results::Target;

/// Bytes that an archive has for each file beside its contents and its name, which stands there twice.
const PER_FILE: usize = 30 + 46;
/// Bytes at the end of an archive.
const AT_END: usize = 22;

impl Bench {
    /// Sizes of the binaries and of what would be deployed.
    pub(super) fn sizes(&mut self, targets: &[Target]) -> Result<(), RunError> {
        for target in targets {
            for function in functions(&self.places.root)? {
                if *target == Target::Ordersync {
                    let binary = self.places.binaries.join(&function);
                    if binary.is_file() {
                        let zip = archive_bytes(&binary, "bootstrap")? + AT_END;
                        self.results.add(
                            *target,
                            &function,
                            "binary_bytes",
                            vec![number_u64(fs::metadata(&binary)?.len())],
                        );
                        self.results.add(*target, &function, "zip_bytes", vec![number(zip)]);
                    }
                    continue;
                }
                let Some(described) = self.peers.get(*target, &function) else { continue };
                let paths = described.zip.iter().map(|path| resolved(path, &self.places, &self.stand_ins.ca));
                let paths: Vec<_> = paths.collect();
                if paths.is_empty() || paths.iter().any(|path| !Path::new(path).exists()) {
                    continue;
                }
                let mut zip = AT_END;
                for path in paths {
                    zip += archive_bytes(Path::new(&path), "")?;
                }
                self.results.add(*target, &function, "zip_bytes", vec![number(zip)]);
            }
        }
        Ok(())
    }
}

/// The functions of the workspace, by their folders.
fn functions(root: &Path) -> io::Result<Vec<String>> {
    let folders = fs::read_dir(root.join("functions"))?.filter_map(Result::ok);
    let mut names: Vec<String> = folders.filter_map(|folder| folder.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Bytes that a file takes in an archive under a name, deflated at the highest level; for a folder those of all below it.
fn archive_bytes(path: &Path, name: &str) -> io::Result<usize> {
    if path.is_dir() {
        let mut sum = 0;
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let below = entry.file_name().to_string_lossy().into_owned();
            let name = if name.is_empty() { below } else { format!("{name}/{below}") };
            sum += archive_bytes(&entry.path(), &name)?;
        }
        return Ok(sum);
    }
    let own = path.file_name().map_or(0, std::ffi::OsStr::len);
    let name = if name.is_empty() { own } else { name.len() };
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&fs::read(path)?)?;
    Ok(encoder.finish()?.len() + PER_FILE + 2 * name)
}

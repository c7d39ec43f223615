//! How far a backfill came, so that it can be taken up: written beside the source, replaced as a whole.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::judge::{Declines, Judgement};
use crate::exit::{Failure, file_failure};

/// Rejected lines that are shown at the end; the file has all of them.
const SHOWN: usize = 10;
const VERSION: u32 = 1;

/// What a backfill is of. Another file, shop or queue is another backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Of {
    /// Of the bytes of the source.
    pub(super) sha256: String,
    pub(super) shop: String,
    pub(super) queue: String,
}

/// What became of the lines so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Orders, blank lines left out.
    pub(super) lines: u64,
    pub(super) sent: u64,
    /// No pipeline takes them.
    pub(super) skipped: u64,
    pub(super) rejected: u64,
    /// How many orders a pipeline does not take, by pipeline and reason.
    pub(super) declined: BTreeMap<String, BTreeMap<String, u64>>,
    /// The first that were rejected.
    pub(super) first_rejects: Vec<Reject>,
}

/// A line that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reject {
    pub(super) line: u64,
    pub(super) error: String,
}

impl Tally {
    fn add(&mut self, line: u64, judgement: &Judgement) {
        let declines = match judgement {
            Judgement::Blank => return,
            Judgement::Reject(error) => {
                self.rejected += 1;
                if self.first_rejects.len() < SHOWN {
                    self.first_rejects.push(Reject { line, error: error.clone() });
                }
                &Declines::new()
            }
            Judgement::Skip(declines) => {
                self.skipped += 1;
                declines
            }
            Judgement::Send(declines) => {
                self.sent += 1;
                declines
            }
        };
        self.lines += 1;
        for (pipeline, reason) in declines {
            *self.declined.entry(pipeline.clone()).or_default().entry(reason.clone()).or_default() += 1;
        }
    }
}

/// What is on record.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    #[serde(flatten)]
    of: Of,
    /// All lines up to here are dealt with.
    after_line: u64,
    finished: bool,
    /// How long the list of rejects was then: what a run added that fell before it could say so is cut off.
    rejects_bytes: u64,
    tally: Tally,
}

/// How far it came.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) tally: Tally,
    after_line: u64,
    record: Option<(PathBuf, Of)>,
    rejects: Option<Rejects>,
}

/// The list of rejected lines.
#[derive(Debug)]
struct Rejects {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
}

impl Progress {
    /// One that nobody takes up.
    pub(super) fn of_one_run(rejects: Option<PathBuf>) -> Result<Self, Failure> {
        let rejects = rejects.map(|path| Rejects::open(path, 0)).transpose()?;
        Ok(Self { tally: Tally::default(), after_line: 0, record: None, rejects })
    }

    /// Goes on where the record says that an earlier run stopped, or begins.
    pub(super) fn take_up(state: PathBuf, rejects: PathBuf, of: Of, anew: bool) -> Result<Self, Failure> {
        let saved = if anew { None } else { read(&state)? };
        if let Some(saved) = &saved {
            may_go_on(saved, &of, &state)?;
        }
        let (after_line, bytes, tally) =
            saved.map_or((0, 0, Tally::default()), |saved| (saved.after_line, saved.rejects_bytes, saved.tally));
        let rejects = Some(Rejects::open(rejects, bytes)?);
        Ok(Self { tally, after_line, record: Some((state, of)), rejects })
    }

    /// The last line that is dealt with.
    pub(super) fn after(&self) -> u64 {
        self.after_line
    }

    pub(super) fn state_file(&self) -> Option<&PathBuf> {
        self.record.as_ref().map(|(path, _)| path)
    }

    pub(super) fn rejects_file(&self) -> Option<&PathBuf> {
        self.rejects.as_ref().map(|rejects| &rejects.path)
    }

    /// Records what became of the next line.
    pub(super) fn add(&mut self, line: u64, judgement: &Judgement) -> Result<(), Failure> {
        self.tally.add(line, judgement);
        self.after_line = line;
        match (judgement, &mut self.rejects) {
            (Judgement::Reject(error), Some(rejects)) => rejects.add(&Reject { line, error: error.clone() }),
            _ => Ok(()),
        }
    }

    /// Writes down how far it came.
    pub(super) fn save(&self, finished: bool) -> Result<(), Failure> {
        let Some((path, of)) = &self.record else { return Ok(()) };
        let saved = Saved {
            version: VERSION,
            of: of.clone(),
            after_line: self.after_line,
            finished,
            rejects_bytes: self.rejects.as_ref().map_or(0, |rejects| rejects.bytes),
            tally: self.tally.clone(),
        };
        write(path, &saved).map_err(|error| file_failure(path, &error))
    }
}

/// Whether what is on record is of this backfill, and not over.
fn may_go_on(saved: &Saved, of: &Of, path: &Path) -> Result<(), Failure> {
    let path = path.display();
    let other = |what: &str| {
        let message = format!("{path} is of another {what}: name another with --state, or begin anew with --restart");
        Err(Failure::Refused(message))
    };
    if saved.of.sha256 != of.sha256 {
        return other("file than this one");
    }
    if saved.of.shop != of.shop {
        return other("shop than this one");
    }
    if saved.of.queue != of.queue {
        return other("stack than this one");
    }
    if saved.finished {
        let message = format!("{path} says that it is finished: to do it once more, begin anew with --restart");
        return Err(Failure::Refused(message));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Option<Saved>, Failure> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_failure(path, &error)),
    };
    let saved = serde_json::from_slice::<Saved>(&text).ok().filter(|saved| saved.version == VERSION);
    let unknown = || Failure::Refused(format!("{} is no state of a backfill that this version knows", path.display()));
    saved.ok_or_else(unknown).map(Some)
}

/// As a whole or not at all.
fn write(path: &Path, saved: &Saved) -> io::Result<()> {
    let beside = with_suffix(path, ".new");
    let mut file = File::create(&beside)?;
    serde_json::to_writer(&mut file, saved)?;
    file.sync_data()?;
    std::fs::rename(beside, path)
}

/// The path with something added to its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Rejects {
    /// The list as it was when it was so long. An empty one is no file.
    fn open(path: PathBuf, bytes: u64) -> Result<Self, Failure> {
        let cut = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file.set_len(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        cut.map_err(|error| file_failure(&path, &error))?;
        Ok(Self { path, file: None, bytes })
    }

    fn add(&mut self, reject: &Reject) -> Result<(), Failure> {
        let written = || -> io::Result<u64> {
            if self.file.is_none() {
                self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
            }
            let line = serde_json::to_string(reject)? + "\n";
            self.file.as_mut().map_or(Ok(()), |file| file.write_all(line.as_bytes()))?;
            Ok(line.len() as u64)
        };
        let mut written = written;
        let bytes = written().map_err(|error| file_failure(&self.path, &error))?;
        self.bytes += bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sha256: &str) -> Of {
        Of { sha256: sha256.into(), shop: "acme".into(), queue: "https://sqs/1/q".into() }
    }

    fn reject() -> Judgement {
        Judgement::Reject("expected JSON".into())
    }

    fn taken_up(folder: &Path, of: Of) -> Result<Progress, Failure> {
        Progress::take_up(folder.join("state.json"), folder.join("rejects.jsonl"), of, false)
    }

    #[test]
    fn it_goes_on_where_it_was_saved_whatever_came_after() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = taken_up(folder.path(), of("a")).unwrap();
        first.add(1, &Judgement::Send(Declines::new())).unwrap();
        first.add(2, &reject()).unwrap();
        first.save(false).unwrap();
        // It falls here: nothing of this is on record.
        first.add(3, &reject()).unwrap();
        let mut second = taken_up(folder.path(), of("a")).unwrap();
        assert_eq!((second.after(), second.tally.sent, second.tally.rejected), (2, 1, 1));
        second.add(3, &Judgement::Blank).unwrap();
        second.add(4, &reject()).unwrap();
        second.save(true).unwrap();
        let rejects = std::fs::read_to_string(folder.path().join("rejects.jsonl")).unwrap();
        assert_eq!(rejects, "{\"line\":2,\"error\":\"expected JSON\"}\n{\"line\":4,\"error\":\"expected JSON\"}\n");
        let finished = taken_up(folder.path(), of("a")).unwrap_err();
        assert!(matches!(&finished, Failure::Refused(text) if text.contains("--restart")), "{finished}");
    }

    #[test]
    fn another_backfill_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        taken_up(folder.path(), of("a")).unwrap().save(false).unwrap();
        for (other, what) in [
            (of("b"), "another file"),
            (Of { shop: "other".into(), ..of("a") }, "another shop"),
            (Of { queue: "other".into(), ..of("a") }, "another stack"),
        ] {
            let refused = taken_up(folder.path(), other.clone()).unwrap_err();
            assert!(matches!(&refused, Failure::Refused(text) if text.contains(what)), "{refused}");
            let (state, rejects) = (folder.path().join("state.json"), folder.path().join("rejects.jsonl"));
            assert!(Progress::take_up(state, rejects, other, true).is_ok());
        }
        std::fs::write(folder.path().join("state.json"), "{}").unwrap();
        assert!(matches!(taken_up(folder.path(), of("a")), Err(Failure::Refused(_))));
    }

    #[test]
    fn reasons_are_counted_by_pipeline() {
        let mut tally = Tally::default();
        let declines = Declines::from([("erp".to_owned(), "placed before 2026".to_owned())]);
        tally.add(1, &Judgement::Skip(declines.clone()));
        tally.add(2, &Judgement::Send(declines));
        tally.add(3, &Judgement::Blank);
        assert_eq!((tally.lines, tally.sent, tally.skipped), (2, 1, 1));
        assert_eq!(tally.declined["erp"]["placed before 2026"], 2);
    }
}

//! Where the lines come from.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws_sdk_s3::operation::get_object::GetObjectError;
use ordersync::aws::{self, Sdk, reason};
use ring::digest;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::exit::{Failure, file_failure};

/// Longer than what intake takes of a webhook.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;
/// Lines that are read ahead.
const AHEAD: usize = 64;

/// What a caller may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    File(PathBuf),
    Object { bucket: String, key: String },
    Input,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Input);
        }
        let Some(place) = text.strip_prefix("s3://") else { return Ok(Self::File(text.into())) };
        match place.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self::Object { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err("expected s3://bucket/key".into()),
        }
    }
}

impl Source {
    /// What files about it are called after.
    pub(super) fn beside(&self) -> PathBuf {
        match self {
            Self::File(file) => file.clone(),
            Self::Object { key, .. } => PathBuf::from(key.rsplit('/').next().unwrap_or("backfill")),
            Self::Input => PathBuf::from("backfill"),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File(file) => file.display().to_string(),
            Self::Object { bucket, key } => format!("s3://{bucket}/{key}"),
            Self::Input => "the input".into(),
        }
    }
}

/// How the bytes are packed, by the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    fn of(name: &str) -> Self {
        match Path::new(name).extension().and_then(|extension| extension.to_str()) {
            Some("gz") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// One line and its number, from 1; what is too long has no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) text: Option<Vec<u8>>,
}

/// The lines of a source.
#[derive(Debug)]
pub(super) struct Lines {
    name: String,
    packing: Packing,
    /// Nothing for the input.
    file: Option<Known>,
}

/// A file that can be read again.
#[derive(Debug)]
struct Known {
    path: PathBuf,
    /// Holds what was fetched, until the end.
    _fetched: Option<tempfile::TempPath>,
    sha256: String,
    /// How many lines there are, where that is known without unpacking.
    lines: Option<u64>,
}

impl Lines {
    /// Makes ready to read. An object is fetched first, so that its lines are read at the pace at which they are sent.
    pub(super) async fn open(source: &Source, sdk: &Sdk) -> Result<Self, Failure> {
        let name = source.name();
        let packing = Packing::of(&name);
        let (path, fetched) = match source {
            Source::Input => return Ok(Self { name, packing: Packing::Plain, file: None }),
            Source::File(path) => (path.clone(), None),
            Source::Object { bucket, key } => {
                let fetched = fetch(sdk, bucket, key).await?;
                (fetched.to_path_buf(), Some(fetched))
            }
        };
        let (sha256, lines) = digest_of(&path).map_err(|error| file_failure(Path::new(&name), &error))?;
        let lines = (packing == Packing::Plain).then_some(lines);
        Ok(Self { name, packing, file: Some(Known { path, _fetched: fetched, sha256, lines }) })
    }

    /// What the source is known again by; nothing for the input.
    pub(super) fn digest(&self) -> Option<&str> {
        self.file.as_ref().map(|file| file.sha256.as_str())
    }

    /// How many lines there are, where that is known.
    pub(super) fn count(&self) -> Option<u64> {
        self.file.as_ref()?.lines
    }

    /// Reads the lines after `after`, on a thread of their own.
    pub(super) fn read(&self, after: u64) -> Result<mpsc::Receiver<Result<Line, Failure>>, Failure> {
        let mut reader = self.reader().map_err(|error| file_failure(Path::new(&self.name), &error))?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let name = self.name.clone();
        std::thread::spawn(move || {
            let mut number = 0;
            loop {
                let line = next(&mut *reader, number + 1);
                let line = line.map_err(|error| Failure::Wrong(format!("{name}, after line {number}: {error}")));
                let Some(line) = line.transpose() else { return };
                number += 1;
                let is_end = line.is_err();
                // Nobody listens any more where it was interrupted.
                if is_end || number > after {
                    let is_heard = sender.blocking_send(line).is_ok();
                    if is_end || !is_heard {
                        return;
                    }
                }
            }
        });
        Ok(receiver)
    }

    fn reader(&self) -> io::Result<Box<dyn BufRead + Send>> {
        let Some(file) = &self.file else { return Ok(Box::new(BufReader::new(io::stdin()))) };
        let file = File::open(&file.path)?;
        Ok(match self.packing {
            Packing::Plain => Box::new(BufReader::new(file)),
            Packing::Gzip => Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file))),
            Packing::Zstd => Box::new(BufReader::new(zstd::stream::read::Decoder::new(file)?)),
        })
    }
}

/// The next line without its end; nothing after the last.
fn next(reader: &mut dyn BufRead, number: u64) -> io::Result<Option<Line>> {
    let mut text = Vec::new();
    let read = reader.take(LONGEST_LINE).read_until(b'\n', &mut text)?;
    if read == 0 {
        return Ok(None);
    }
    let is_whole = text.ends_with(b"\n") || (read as u64) < LONGEST_LINE;
    if !is_whole {
        skip_line(reader)?;
        return Ok(Some(Line { number, text: None }));
    }
    while text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        text.pop();
    }
    Ok(Some(Line { number, text: Some(text) }))
}

/// What is left of a line.
fn skip_line(reader: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let available = reader.fill_buf()?;
        let end = available.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(available.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() || used == 0 {
            return Ok(());
        }
    }
}

/// The digest of a file's bytes, and how many lines they are.
fn digest_of(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut context, mut buffer) = (digest::Context::new(&digest::SHA256), vec![0; 256 * 1024]);
    let (mut lines, mut is_open) = (0, false);
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        context.update(bytes);
        lines += bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        is_open = !bytes.ends_with(b"\n");
    }
    Ok((hex::encode(context.finish()), lines + u64::from(is_open)))
}

/// Fetches an object into a file of its own.
async fn fetch(sdk: &Sdk, bucket: &str, key: &str) -> Result<tempfile::TempPath, Failure> {
    let place = format!("s3://{bucket}/{key}");
    let answer = aws::s3_client(sdk).get_object().bucket(bucket).key(key).send().await;
    let mut answer = answer.map_err(|failure| {
        let is_missing = failure.as_service_error().is_some_and(GetObjectError::is_no_such_key);
        let said = format!("{place}: {}", reason(&failure));
        if is_missing { Failure::NotFound(said) } else { Failure::Unreachable(said) }
    })?;
    let unwritable = |error: io::Error| Failure::Wrong(format!("{place} cannot be kept here: {error}"));
    let (file, path) = tempfile::NamedTempFile::new().map_err(unwritable)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    while let Some(bytes) = answer.body.next().await {
        let bytes = bytes.map_err(|error| Failure::Unreachable(format!("{place}: {error}")))?;
        file.write_all(&bytes).await.map_err(unwritable)?;
    }
    file.flush().await.map_err(unwritable)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    async fn all(lines: &Lines, after: u64) -> Vec<(u64, Option<String>)> {
        let mut read = lines.read(after).unwrap();
        let mut all = Vec::new();
        while let Some(line) = read.recv().await {
            let line = line.unwrap();
            all.push((line.number, line.text.map(|text| String::from_utf8(text).unwrap())));
        }
        all
    }

    fn sdk() -> Sdk {
        Sdk::at("http://127.0.0.1:9").unwrap()
    }

    #[test]
    fn a_source_is_a_file_an_object_or_the_input() {
        let object = Source::Object { bucket: "b".into(), key: "a/orders.jsonl.gz".into() };
        assert_eq!("s3://b/a/orders.jsonl.gz".parse(), Ok(object.clone()));
        assert_eq!(object.beside(), PathBuf::from("orders.jsonl.gz"));
        assert_eq!("-".parse(), Ok(Source::Input));
        assert_eq!("a/b.jsonl".parse(), Ok(Source::File("a/b.jsonl".into())));
        for wrong in ["s3://", "s3://b", "s3://b/", "s3:///key"] {
            assert_eq!(wrong.parse::<Source>(), Err("expected s3://bucket/key".to_owned()), "{wrong}");
        }
    }

    #[tokio::test]
    async fn the_same_lines_come_from_each_packing() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"id\":1}\r\n\n{\"id\":3}";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let zstd = zstd::stream::encode_all(text.as_bytes(), 1).unwrap();
        let packed =
            [("o.jsonl", text.as_bytes().to_vec()), ("o.jsonl.gz", gzip.finish().unwrap()), ("o.jsonl.zst", zstd)];
        for (name, bytes) in packed {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let lines = Lines::open(&Source::File(path), &sdk()).await.unwrap();
            let (one, blank, three) =
                ((1, Some("{\"id\":1}".to_owned())), (2, Some(String::new())), (3, Some("{\"id\":3}".to_owned())));
            assert_eq!(all(&lines, 0).await, [one, blank.clone(), three.clone()], "{name}");
            assert_eq!(all(&lines, 1).await, [blank, three], "{name}");
            assert_eq!(all(&lines, 3).await, [], "{name}");
            assert_eq!(lines.count(), (name == "o.jsonl").then_some(3), "{name}");
        }
    }

    #[tokio::test]
    async fn a_packed_file_that_is_cut_off_is_an_error_and_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("o.jsonl.zst");
        let packed = zstd::stream::encode_all("{\"id\":1}\n".repeat(9_999).as_bytes(), 1).unwrap();
        std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
        let lines = Lines::open(&Source::File(path), &sdk()).await.unwrap();
        let mut read = lines.read(0).unwrap();
        let mut last = None;
        while let Some(line) = read.recv().await {
            last = Some(line);
        }
        assert!(matches!(last, Some(Err(Failure::Wrong(_)))), "{last:?}");
    }

    #[test]
    fn what_is_too_long_is_one_line_without_text() {
        let long = "x".repeat(usize::try_from(LONGEST_LINE).unwrap() + 10);
        let text = format!("{long}\nshort\n");
        let mut reader = BufReader::new(text.as_bytes());
        assert_eq!(next(&mut reader, 1).unwrap(), Some(Line { number: 1, text: None }));
        assert_eq!(next(&mut reader, 2).unwrap(), Some(Line { number: 2, text: Some(b"short".to_vec()) }));
        assert_eq!(next(&mut reader, 3).unwrap(), None);
    }
}

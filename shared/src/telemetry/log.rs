//! Lines of the log: one JSON object each. There are no spans, so nothing is kept between two events.

use std::fmt;
use std::io::Write as _;

use jiff::Timestamp;
use serde::Serializer as _;
use serde::ser::SerializeMap;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;

use crate::clock;

/// Writes events that `targets` let pass to standard output.
pub(super) struct Log {
    targets: Targets,
}

impl Log {
    pub(super) fn new(targets: Targets) -> Self {
        Self { targets }
    }
}

impl Subscriber for Log {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && self.targets.would_enable(metadata.target(), metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.targets.iter().map(|(_, level)| level).chain(self.targets.default_level()).max()
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = line(clock::now(), metadata.level().as_str(), |visitor| event.record(visitor));
        line.push(b'\n');
        // At once, as a line in pieces is no line to CloudWatch. Without an output there is no log to say so in.
        std::io::stdout().lock().write_all(&line).unwrap_or_default();
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The line of an event whose fields `record` gives.
fn line(at: Timestamp, level: &str, record: impl FnOnce(&mut dyn Visit)) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    let written = serde_json::Serializer::new(&mut line).serialize_map(None).and_then(|mut map| {
        map.serialize_entry("timestamp", &format_args!("{at:.6}"))?;
        map.serialize_entry("level", level)?;
        let mut fields = Fields { map, written: Ok(()) };
        record(&mut fields);
        fields.written.and(fields.map.end())
    });
    debug_assert!(written.is_ok(), "a vector takes every line");
    line
}

/// Writes fields into the line.
struct Fields<M: SerializeMap> {
    map: M,
    written: Result<(), M::Error>,
}

impl<M: SerializeMap> Fields<M> {
    fn entry(&mut self, field: &Field, value: &(impl serde::Serialize + ?Sized)) {
        if self.written.is_ok() {
            self.written = self.map.serialize_entry(field.name(), value);
        }
    }
}

impl<M: SerializeMap> Visit for Fields<M> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.entry(field, &format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.entry(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.entry(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.entry(field, &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.entry(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.entry(field, &value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps the lines of events instead of writing them.
    struct Kept(Log, Arc<Mutex<Vec<String>>>);

    impl Subscriber for Kept {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            self.0.enabled(metadata)
        }

        fn event(&self, event: &Event<'_>) {
            let line = line(Timestamp::UNIX_EPOCH, event.metadata().level().as_str(), |fields| event.record(fields));
            self.1.lock().unwrap().push(String::from_utf8(line).unwrap());
        }

        fn new_span(&self, attributes: &Attributes<'_>) -> Id {
            self.0.new_span(attributes)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    fn lines(targets: &str, act: impl FnOnce()) -> Vec<String> {
        let kept = Arc::default();
        let log = Kept(Log::new(targets.parse().unwrap()), Arc::clone(&kept));
        tracing::subscriber::with_default(log, act);
        std::mem::take(&mut *kept.lock().unwrap())
    }

    #[test]
    fn a_line_is_json_whatever_its_fields_hold() {
        let error = fmt::Error;
        let lines = lines("info", || {
            let (shop, status) = ("a\"b\n\u{1}ü", 503);
            tracing::warn!(shop, status, ratio = 0.5, is_last = true, below = -1, error = %error, code = ?Some(1), "no {shop}");
        });
        assert_eq!(
            lines,
            ["{\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"WARN\",\"message\":\"no a\\\"b\\n\\u0001ü\",\
              \"shop\":\"a\\\"b\\n\\u0001ü\",\"status\":503,\"ratio\":0.5,\"is_last\":true,\"below\":-1,\
              \"error\":\"an error occurred when formatting an argument\",\"code\":\"Some(1)\"}"]
        );
    }

    #[test]
    fn no_field_begins_another_line_or_colours_the_log() {
        let texts =
            ["a\nb", "a\r\n{\"level\":\"ERROR\"}", "\u{1b}[31mred\u{1b}[0m", "\u{8}\u{0}\u{c}", "\",\"level\":\"x"];
        for text in texts {
            let lines = lines("info", || tracing::warn!(text, code = ?text, error = %text, "of {text}"));
            assert_eq!(lines.len(), 1);
            assert!(!lines[0].chars().any(|c| c < ' '), "{}", lines[0]);
            let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
            assert_eq!((line["level"].as_str(), line["text"].as_str()), (Some("WARN"), Some(text)));
        }
    }

    #[test]
    fn what_is_below_its_targets_level_is_left_out() {
        let lines = lines("info,chatty=warn", || {
            tracing::debug!("not said");
            tracing::info!(target: "chatty::inside", "not said");
            let _span = tracing::info_span!("no span").entered();
            tracing::error!(target: "chatty", "said");
            tracing::info!("said too");
        });
        let messages =
            lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["message"].clone());
        assert_eq!(messages.collect::<Vec<_>>(), ["said", "said too"]);
    }

    #[test]
    fn the_most_talkative_level_is_known() {
        for (targets, expected) in [("info", LevelFilter::INFO), ("warn,a=debug", LevelFilter::DEBUG)] {
            assert_eq!(Log::new(targets.parse().unwrap()).max_level_hint(), Some(expected));
        }
    }
}

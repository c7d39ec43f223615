//! A table and a versioned bucket in memory, as far as this function uses them, and the faults that they can have.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::operation::delete_objects::{DeleteObjectsInput, DeleteObjectsOutput};
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectInput, HeadObjectOutput};
use aws_sdk_s3::operation::list_object_versions::{ListObjectVersionsInput, ListObjectVersionsOutput};
use aws_sdk_s3::operation::list_objects_v2::{ListObjectsV2Input, ListObjectsV2Output};
use aws_sdk_s3::types::error::NotFound;
use aws_sdk_s3::types::{DeleteMarkerEntry, DeletedObject, Object, ObjectVersion};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use ordersync::clock;
use ordersync::config::{Live, Source};
use ordersync::ledger::Ledger;
use ordersync::schedule::Run;
use serde_json::Value;

use crate::bucket::Bucket;
use crate::handler::Cleanup;

mod table;
mod written;

type Item = HashMap<String, AttributeValue>;

/// The table, the bucket, and what they do wrong.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) rows: BTreeMap<(String, String), Item>,
    /// By key, oldest first.
    pub(crate) objects: BTreeMap<String, Vec<Stored>>,
    /// Every call that changes something, in order.
    pub(crate) calls: Vec<String>,
    /// How often the removal of a key is refused, and by which code.
    pub(crate) refuse: BTreeMap<String, (usize, &'static str)>,
    /// How many requests to the table that change it are throttled.
    pub(crate) throttle: usize,
    /// Rows of a page when the table is walked through; without it, all there are.
    pub(crate) rows_at_once: Option<usize>,
    /// Done just before an object is removed.
    pub(crate) meanwhile: Option<fn(&mut World)>,
    /// Done just after an object is read.
    pub(crate) after_read: Option<fn(&mut World)>,
    versions: usize,
}

/// A version of an object.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    id: String,
    metadata: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    is_marker: bool,
}

/// The world, shared with the clients that work in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<World>>);

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn plain<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

impl World {
    /// A row of an order of the shop `acme` that came to its status in 2020, with further attributes.
    pub(crate) fn row(&mut self, order_id: &str, pipeline: &str, status: &str, more: &[(&str, &str)]) {
        let own = format!("acme#{order_id}");
        let pk = more.iter().find(|(name, _)| *name == "pk").map_or(own, |(_, pk)| (*pk).to_owned());
        let fixed = [
            ("pk", pk.as_str()),
            ("sk", pipeline),
            ("status", status),
            ("number", &format!("N-{order_id}")),
            ("created_at", "2020-01-01T00:00:00.000Z"),
            ("updated_at", "2020-01-01T00:00:00.000Z"),
        ];
        let item = fixed.iter().chain(more).map(|(name, value)| ((*name).to_owned(), text(value))).collect();
        self.rows.insert((pk.clone(), pipeline.to_owned()), item);
    }

    /// Says where the body of the webhook lies that a row was begun by.
    pub(crate) fn came_by(&mut self, order_id: &str, pipeline: &str, key: &str) {
        let envelope = AttributeValue::M(HashMap::from([("payload_key".to_owned(), text(key))]));
        let row = self.rows.get_mut(&(format!("acme#{order_id}"), pipeline.to_owned())).unwrap();
        row.insert("envelope".to_owned(), envelope);
    }

    /// One more version of an object.
    pub(crate) fn object(&mut self, key: &str, written_by: Option<&str>) {
        let metadata = written_by.map(|by| ("ordersync-export".to_owned(), by.to_owned())).into_iter().collect();
        self.store(key, metadata, Vec::new());
    }

    fn next_version(&mut self) -> String {
        self.versions += 1;
        format!("v{}", self.versions)
    }

    /// Keys of the objects that can be read.
    pub(crate) fn visible(&self) -> Vec<&str> {
        let is_visible = |versions: &Vec<Stored>| versions.last().is_some_and(|last| !last.is_marker);
        self.objects.iter().filter(|(_, versions)| is_visible(versions)).map(|(key, _)| key.as_str()).collect()
    }

    /// Every version and marker: key and identifier.
    pub(crate) fn versions(&self) -> Vec<String> {
        let versions =
            self.objects.iter().flat_map(|(key, all)| all.iter().map(move |one| format!("{key} {}", one.id)));
        versions.collect()
    }

    /// The rows that are left: order, pipeline, status.
    pub(crate) fn left(&self) -> Vec<String> {
        self.rows.iter().map(|((pk, sk), item)| format!("{pk} {sk} {}", plain(item, "status"))).collect()
    }

    /// The partition key where the last run stopped.
    pub(crate) fn stopped_at(&self) -> Option<String> {
        let item = self.rows.get(&("control".to_owned(), "walk#cleanup".to_owned()))?;
        Some(plain(item, "next_pk").to_owned())
    }

    /// A run has stopped there.
    pub(crate) fn stop_at(&mut self, pk: &str, sk: &str) {
        let key = ("control".to_owned(), "walk#cleanup".to_owned());
        let item = [("pk", key.0.as_str()), ("sk", key.1.as_str()), ("next_pk", pk), ("next_sk", sk)];
        self.rows.insert(key.clone(), item.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect());
    }

    fn list(&self, input: &ListObjectsV2Input) -> ListObjectsV2Output {
        let prefix = input.prefix().unwrap_or_default();
        let keys = self.visible().into_iter().filter(|key| key.starts_with(prefix));
        let objects = keys.map(|key| Object::builder().key(key).size(100).build()).collect();
        ListObjectsV2Output::builder().set_contents(Some(objects)).build()
    }

    fn list_versions(&self, input: &ListObjectVersionsInput) -> ListObjectVersionsOutput {
        let prefix = input.prefix().unwrap_or_default();
        let output = ListObjectVersionsOutput::builder();
        let under = self.objects.iter().filter(|(key, _)| key.starts_with(prefix));
        let all = under.flat_map(|(key, versions)| versions.iter().map(move |version| (key, version)));
        let output = all.fold(output, |output, (key, version)| {
            if version.is_marker {
                output.delete_markers(DeleteMarkerEntry::builder().key(key).version_id(&version.id).build())
            } else {
                let is_latest = self.objects[key].last().is_some_and(|last| last.id == version.id);
                let version = ObjectVersion::builder().key(key).version_id(&version.id).size(100);
                output.versions(version.is_latest(is_latest).build())
            }
        });
        output.build()
    }

    fn head(&self, input: &HeadObjectInput) -> MockResponse<HeadObjectOutput, HeadObjectError> {
        let versions = self.objects.get(input.key().unwrap_or_default());
        let wanted = |version: &&Stored| input.version_id().is_none_or(|id| id == version.id);
        match versions.and_then(|versions| versions.iter().rev().find(wanted)).filter(|version| !version.is_marker) {
            Some(version) => {
                let head = HeadObjectOutput::builder().content_length(100);
                MockResponse::Output(head.set_metadata(Some(version.metadata.clone())).build())
            }
            None => MockResponse::Error(HeadObjectError::NotFound(NotFound::builder().build())),
        }
    }

    fn delete(&mut self, input: &DeleteObjectsInput) -> DeleteObjectsOutput {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile(self);
        }
        let mut output = DeleteObjectsOutput::builder();
        for object in input.delete().map(aws_sdk_s3::types::Delete::objects).unwrap_or_default() {
            let (key, version) = (object.key().to_owned(), object.version_id().map(ToOwned::to_owned));
            if let Some((times, code)) = self.refuse.get_mut(&key).filter(|(times, _)| *times > 0) {
                *times -= 1;
                let error = aws_sdk_s3::types::Error::builder().key(&key).set_version_id(version).code(*code);
                output = output.errors(error.build());
                continue;
            }
            self.calls.push(format!("object {key}{}", version.as_ref().map(|id| format!(" {id}")).unwrap_or_default()));
            let deleted = DeletedObject::builder().key(&key).set_version_id(version.clone());
            let deleted = if let Some(version) = version {
                self.objects.entry(key).or_default().retain(|stored| stored.id != version);
                deleted
            } else {
                let id = self.next_version();
                let marker = Stored { id: id.clone(), metadata: HashMap::new(), body: Vec::new(), is_marker: true };
                self.objects.entry(key).or_default().push(marker);
                deleted.delete_marker(true).delete_marker_version_id(id)
            };
            output = output.deleted(deleted.build());
        }
        self.objects.retain(|_, versions| !versions.is_empty());
        output.build()
    }
}

impl Shared {
    /// Works on the world.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }

    /// The function in this world, with the configuration of the end-to-end tests and a retention of a year.
    pub(crate) async fn cleanup(&self) -> Cleanup {
        let world = || self.clone();
        let (w1, w2, w3, w4, w5, w6, w7, w8) = (world(), world(), world(), world(), world(), world(), world(), world());
        let (w10, w11, w12) = (world(), world(), world());
        let scan = mock!(aws_sdk_dynamodb::Client::scan).then_compute_output(move |input| w10.with(|w| w.scan(input)));
        let get =
            mock!(aws_sdk_dynamodb::Client::get_item).then_compute_output(move |input| w11.with(|w| w.row_of(input)));
        let update = mock!(aws_sdk_dynamodb::Client::update_item).then_compute_output(move |input| {
            w12.with(|w| w.update(input));
            UpdateItemOutput::builder().build()
        });
        let w9 = world();
        let query =
            mock!(aws_sdk_dynamodb::Client::query).then_compute_output(move |input| w1.with(|w| w.query(input)));
        let delete_row = mock!(aws_sdk_dynamodb::Client::delete_item)
            .then_compute_response(move |input| w2.with(|w| w.delete_row(input)));
        let put_row =
            mock!(aws_sdk_dynamodb::Client::put_item).then_compute_response(move |input| w3.with(|w| w.put_row(input)));
        let dynamodb = mock_client!(
            aws_sdk_dynamodb,
            RuleMode::MatchAny,
            [&query, &delete_row, &put_row, &scan, &get, &update],
            |config| { config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled()) }
        );
        let list =
            mock!(aws_sdk_s3::Client::list_objects_v2).then_compute_output(move |input| w4.with(|w| w.list(input)));
        let versions = mock!(aws_sdk_s3::Client::list_object_versions)
            .then_compute_output(move |input| w5.with(|w| w.list_versions(input)));
        let head =
            mock!(aws_sdk_s3::Client::head_object).then_compute_response(move |input| w6.with(|w| w.head(input)));
        let delete =
            mock!(aws_sdk_s3::Client::delete_objects).then_compute_output(move |input| w7.with(|w| w.delete(input)));
        let put = mock!(aws_sdk_s3::Client::put_object).then_compute_response(move |input| w8.with(|w| w.put(input)));
        let get = mock!(aws_sdk_s3::Client::get_object).then_compute_response(move |input| w9.with(|w| w.get(input)));
        let s3 =
            mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&list, &versions, &head, &delete, &put, &get], |config| {
                config.retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            });
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/config");
        let retention = Duration::from_hours(365 * 24);
        Cleanup {
            config: Live::start(Source::Directory(directory), 10).await.unwrap(),
            ledger: Ledger::new(dynamodb, "ledger".into(), retention),
            bucket: Bucket::new(s3, "stack".into()),
            retention,
        }
    }
}

/// A run with this input that has so many seconds left.
pub(crate) fn run(input: &Value, seconds: i64) -> Run {
    let deadline = clock::now().as_millisecond() + seconds * 1000;
    Run::of(input, u64::try_from(deadline).unwrap()).unwrap()
}

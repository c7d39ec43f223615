//! A destination that takes what it gets, but for the answers that it is told to give first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::fake::Log;
use crate::pipeline::transport::{Clients, Receipt, Transport};
use crate::pipeline::{Document, Export, Failure};

/// What a destination makes of the next delivery, where it does not just take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Busy,
    No,
}

/// The destination of every pipeline of a bench.
#[derive(Debug, Clone, Default)]
pub(super) struct Destination {
    answers: Arc<Mutex<BTreeMap<String, VecDeque<Answer>>>>,
    during: Arc<Mutex<Option<During>>>,
    log: Log,
}

/// What happens while something is delivered.
struct During(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for During {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("During")
    }
}

impl Destination {
    pub(super) fn new(log: Log) -> Self {
        Self { log, ..Self::default() }
    }

    /// What a pipeline's deliveries are answered with first.
    pub(super) fn answers(&self, pipeline: &str, answers: &[Answer]) {
        self.answers.lock().unwrap().insert(pipeline.to_owned(), answers.iter().copied().collect());
    }

    /// What happens while the next delivery is made.
    pub(super) fn during(&self, happens: impl FnOnce() + Send + 'static) {
        *self.during.lock().unwrap() = Some(During(Box::new(happens)));
    }
}

impl Transport for Destination {
    fn deliver<'a>(
        &'a self,
        _: &'a Clients,
        export: Export<'a>,
        _: &'a Document,
        _: Duration,
    ) -> BoxFuture<'a, Result<Receipt, Failure>> {
        Box::pin(async move {
            self.log.add(format!("deliver {} {}", export.pipeline, export.order.state.as_deref().unwrap_or("-")));
            let during = self.during.lock().unwrap().take();
            if let Some(During(during)) = during {
                std::thread::spawn(during).join().expect("what happens meanwhile");
            }
            let answer = self.answers.lock().unwrap().get_mut(export.pipeline).and_then(VecDeque::pop_front);
            match answer {
                None => Ok(Receipt { destination: "s3://bucket/key".into(), ..Receipt::default() }),
                Some(Answer::Busy) => Err(Failure::retryable("HTTP 503")),
                Some(Answer::No) => Err(Failure::permanent("HTTP 400")),
            }
        })
    }

    fn target(&self, _: &str, _: Export<'_>) -> Result<String, Failure> {
        Ok("s3://bucket/key".into())
    }
}

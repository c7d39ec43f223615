//! The queue in memory, as those see it who send exports to it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageInput, SendMessageOutput};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};

use super::Log;
use crate::ledger::ExportKey;
use crate::queue::{Fields, Requeue, named_export};

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) key: ExportKey,
    pub(crate) delay: Duration,
}

/// The queue in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeQueue {
    sent: Arc<Mutex<Vec<Sent>>>,
    is_away: Arc<Mutex<bool>>,
    log: Log,
}

impl FakeQueue {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, ..Self::default() }
    }

    /// Whether it takes no messages from now on.
    pub(crate) fn is_away(&self, is_away: bool) {
        *self.is_away.lock().unwrap() = is_away;
    }

    /// The messages sent since the last time that this was asked.
    pub(crate) fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    /// The queue as those write to it who have exports tried again.
    pub(crate) fn requeue(&self) -> Requeue {
        let queue = self.clone();
        let send = mock!(Client::send_message).then_compute_response(move |input: &SendMessageInput| {
            if *queue.is_away.lock().unwrap() {
                queue.log.add("the queue is away");
                return MockResponse::Error(SendMessageError::unhandled("away"));
            }
            let attributes = input.message_attributes().cloned().unwrap_or_default();
            let fields: Fields =
                attributes.into_iter().filter_map(|(name, value)| Some((name, value.string_value?))).collect();
            let key = named_export(&fields).unwrap().expect("the message of an export");
            let delay = Duration::from_secs(input.delay_seconds.unwrap_or_default().try_into().unwrap());
            queue.log.add(format!("send {}", key.pipeline));
            queue.sent.lock().unwrap().push(Sent { key, delay });
            MockResponse::Output(SendMessageOutput::builder().build())
        });
        Requeue { sqs: mock_client!(aws_sdk_sqs, RuleMode::MatchAny, &[send]), queue_url: "queue".into() }
    }
}

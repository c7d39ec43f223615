//! The dead-letter queue as the run sees it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName,
};
use jiff::Timestamp;
use ordersync::aws;
use ordersync::queue::REDRIVEN;
use tokio::time::Instant;

use super::Trouble;

/// Most messages of one request.
const BATCH: usize = 10;
/// Seconds that an empty queue is waited on: a look without waiting asks only some of its servers.
const LOOK: i32 = 1;
/// How much longer than the run its messages are hidden, should it end without a word.
const MARGIN: Duration = Duration::from_mins(1);

/// The dead-letter queue, and the queue that messages are put back into.
#[derive(Debug)]
pub(super) struct Mailbox<'a> {
    pub(super) sqs: &'a aws_sdk_sqs::Client,
    pub(super) queue_url: &'a str,
    pub(super) dead_letter_queue_url: &'a str,
}

/// A message of the dead-letter queue.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) id: String,
    pub(super) handle: String,
    pub(super) body: String,
    pub(super) attributes: HashMap<String, MessageAttributeValue>,
    /// When it was sent to the queue; unchanged by its way to the dead letters.
    pub(super) sent_at: Option<Timestamp>,
    group: Option<String>,
}

impl Mail {
    /// How often it was put back before. A mark that cannot be read is none of ours, and not to go round for ever.
    pub(super) fn redriven(&self) -> u32 {
        let mark = self.attributes.get(REDRIVEN).and_then(MessageAttributeValue::string_value);
        mark.map_or(0, |mark| mark.parse().unwrap_or(u32::MAX))
    }

    fn of(message: Message) -> Self {
        let system = message.attributes.unwrap_or_default();
        let sent_at = system.get(&MessageSystemAttributeName::SentTimestamp).and_then(|millis| millis.parse().ok());
        Self {
            id: message.message_id.unwrap_or_default(),
            handle: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            attributes: message.message_attributes.unwrap_or_default(),
            sent_at: sent_at.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            group: system.get(&MessageSystemAttributeName::MessageGroupId).cloned(),
        }
    }
}

impl Mailbox<'_> {
    /// Some messages, hidden from everybody else until the run is over; none where there are no more.
    pub(super) async fn receive(&self, run_ends: Instant) -> Result<Vec<Mail>, Trouble> {
        let hidden = run_ends.saturating_duration_since(Instant::now()) + MARGIN;
        let receive = self.sqs.receive_message().queue_url(self.dead_letter_queue_url);
        let receive = receive.max_number_of_messages(10).wait_time_seconds(LOOK).message_attribute_names("All");
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
        let receive = receive.visibility_timeout(i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX));
        let answer = receive.send().await.map_err(|failure| Trouble::Queue(aws::reason(&failure)))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(Mail::of).collect())
    }

    /// How many are there that nobody has received; none where that cannot be told.
    pub(super) async fn waiting(&self) -> u64 {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let get = self.sqs.get_queue_attributes().queue_url(self.dead_letter_queue_url).attribute_names(name.clone());
        let attributes = get.send().await.ok().and_then(|answer| answer.attributes);
        attributes.and_then(|attributes| attributes.get(&name)?.parse().ok()).unwrap_or(0)
    }

    /// Removes a message.
    pub(super) async fn remove(&self, mail: &Mail) -> Result<(), Trouble> {
        let delete = self.sqs.delete_message().queue_url(self.dead_letter_queue_url).receipt_handle(&mail.handle);
        delete.send().await.map(drop).map_err(|failure| Trouble::Queue(aws::reason(&failure)))
    }

    /// Sends a message to the queue once more, marked by how often that was done, and then removes it here. A run that ends in between
    /// leaves two, of which the later one has nothing to do.
    pub(super) async fn put_back(&self, mail: &Mail) -> Result<(), Trouble> {
        let send = self.sqs.send_message().queue_url(self.queue_url).message_body(&mail.body);
        let mut attributes = mail.attributes.clone();
        let mark = mail.redriven().saturating_add(1).to_string();
        attributes.extend(text(&mark).map(|mark| (REDRIVEN.to_owned(), mark)));
        let send = send.set_message_attributes(Some(attributes));
        let send = send.set_message_group_id(mail.group.clone());
        send.send().await.map_err(|failure| Trouble::Queue(aws::reason(&failure)))?;
        self.remove(mail).await
    }

    /// Makes messages visible that the run has hidden.
    pub(super) async fn show(&self, handles: &[String]) {
        for handles in handles.chunks(BATCH) {
            let entry = |(index, handle): (usize, &String)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(handle).visibility_timeout(0).build()
            };
            let Ok(entries) = handles.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>() else { continue };
            let show = self.sqs.change_message_visibility_batch().queue_url(self.dead_letter_queue_url);
            if let Err(failure) = show.set_entries(Some(entries)).send().await {
                // They are seen again when their time is over.
                let error = aws::reason(&failure);
                tracing::warn!(error, "dead letters stay hidden for some minutes: {error}");
            }
        }
    }
}

/// A text as an attribute.
fn text(value: &str) -> Option<MessageAttributeValue> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().ok()
}

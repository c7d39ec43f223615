//! One action on one export.

use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::{ExportKey, Recorded, Removed, Row, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::{Action, Admin, AdminError, Entry, ExportRow, Key, allowed};

/// Who does something, as the audit log names them: a user of the console, a role of the command line's caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor(pub String);

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Which export.
    pub key: Key,
    /// What was done.
    pub action: Action,
    /// The export as it is now; nothing where its row is gone.
    pub export: Option<ExportRow>,
    /// Whether its message is in the queue, so that it is tried by itself.
    pub is_queued: bool,
    /// What is to be known besides.
    pub note: Option<String>,
}

impl Admin {
    /// Does something with an export, as far as its state allows it, and notes it in the audit log.
    ///
    /// # Errors
    /// There is no such export; its state does not allow it; it changed at the same moment; AWS did not answer.
    pub async fn act(&self, actor: &Actor, action: Action, key: &Key) -> Result<Done, AdminError> {
        let done = self.act_unnoted(action, key).await;
        let outcome = match &done {
            Ok(done) => done.in_words(),
            Err(error) => error.message.clone(),
        };
        let what = ExportKey::from(key).idempotency_key();
        self.note(Entry::new(actor, action.name(), &what, done.is_ok(), &outcome)).await;
        done
    }

    async fn act_unnoted(&self, action: Action, key: &Key) -> Result<Done, AdminError> {
        let row = self.row(key).await?;
        let now = clock::now();
        allowed(&row, action, now).map_err(|refusal| AdminError::refused(refusal.to_string()))?;
        match action {
            Action::Reset => self.reset(&row, now).await,
            Action::ExportNow => self.export_now(&row, now).await,
            Action::Cancel => {
                let recorded = self.ledger.cancel_by_hand(&row, "canceled by hand", now).await?;
                self.ended(action, key, recorded).await
            }
            Action::Skip => {
                let recorded = self.ledger.skip_by_hand(&row, "skipped by hand", now).await?;
                self.ended(action, key, recorded).await
            }
            Action::Delete => self.delete(&row).await,
        }
    }

    /// An export's row.
    pub(crate) async fn row(&self, key: &Key) -> Result<Row, AdminError> {
        let export = key.export();
        let row = self.ledger.export(&export).await?;
        row.ok_or_else(|| AdminError::not_found(format!("there is no export {}", export.idempotency_key())))
    }

    /// First the row waits and is in the index of what is due, then its message is sent, then the mark goes. Should this
    /// fall in between, the ledger hands the export out.
    async fn reset(&self, row: &Row, now: Timestamp) -> Result<Done, AdminError> {
        self.set_back(row, now).await?;
        let is_queued = self.queue(&row.key, Duration::ZERO, now).await;
        let note =
            (!is_queued).then(|| "the queue did not take it: the ledger hands it out in five minutes".to_owned());
        let export = self.ledger.export(&row.key).await?.as_ref().map(ExportRow::from);
        Ok(Done { key: Key::from(&row.key), action: Action::Reset, export, is_queued, note })
    }

    pub(crate) async fn set_back(&self, row: &Row, now: Timestamp) -> Result<(), AdminError> {
        written(self.ledger.set_back(row, now).await?)
    }

    /// Sends an export's message, and says so to the ledger. Whether it was sent.
    pub(crate) async fn queue(&self, key: &ExportKey, delay: Duration, now: Timestamp) -> bool {
        let export = key.idempotency_key();
        if let Err(error) = self.requeue.send(key, delay).await {
            tracing::error!(export, error = %error, "not queued, the ledger hands it out: {}", key.name());
            return false;
        }
        // Should that fail, it is sent once more, which does no harm.
        if let Err(error) = self.ledger.settle(key, now).await {
            tracing::warn!(export, error = %error, "will be queued twice: {}", key.name());
        }
        true
    }

    async fn ended(&self, action: Action, key: &Key, recorded: Recorded) -> Result<Done, AdminError> {
        written(recorded)?;
        let export = self.ledger.export(&key.export()).await?.as_ref().map(ExportRow::from);
        Ok(Done { key: key.clone(), action, export, is_queued: false, note: None })
    }

    async fn delete(&self, row: &Row) -> Result<Done, AdminError> {
        match self.ledger.remove(row).await? {
            Removed::Gone { .. } | Removed::Missing => {
                let key = Key::from(&row.key);
                Ok(Done { key, action: Action::Delete, export: None, is_queued: false, note: None })
            }
            Removed::Changed => Err(changed()),
        }
    }
}

impl Done {
    /// For the audit log: what the export is now.
    fn in_words(&self) -> String {
        let status = self.export.as_ref().map_or("gone", |export| export.status.name());
        match (&self.note, self.is_queued) {
            (Some(note), _) => format!("{status}: {note}"),
            (None, true) => format!("{status}, queued"),
            (None, false) => status.to_owned(),
        }
    }

    /// Whether an export that was to be made at once was made.
    pub fn is_exported(&self) -> bool {
        let status = self.export.as_ref().map(|export| export.status);
        matches!(status, Some(Status::Exported | Status::Acknowledged))
    }
}

fn written(recorded: Recorded) -> Result<(), AdminError> {
    match recorded {
        Recorded::Written => Ok(()),
        Recorded::LeftAsIs => Err(changed()),
    }
}

fn changed() -> AdminError {
    AdminError::conflict("it has changed since it was looked at: look at it again")
}

//! The message that carries a webhook from intake to processor, and when a failed one is tried again.

mod backoff;
mod envelope;
mod inbound;
mod requeue;

pub use backoff::{backoff, visibility_timeout};
pub use envelope::{BadEnvelope, Envelope, Fields, REDRIVEN};
pub use inbound::{INBOUND_PREFIX, Inbound, SendError};
pub use requeue::{LONGEST_DELAY, Requeue, export_fields, named_export, names_export};

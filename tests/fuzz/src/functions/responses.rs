//! Of the function `responses`.

#[path = "../../../../functions/responses/src/event.rs"]
pub(crate) mod event;
#[path = "../../../../functions/responses/src/key.rs"]
pub(crate) mod key;

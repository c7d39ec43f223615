//! Of the function `intake`.

#[path = "../../../../functions/intake/src/answer.rs"]
pub(crate) mod answer;
#[path = "../../../../functions/intake/src/request.rs"]
pub(crate) mod request;

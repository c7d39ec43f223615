//! Of the function `cleanup`.

#[path = "../../../../functions/cleanup/src/erase/request.rs"]
pub(crate) mod request;

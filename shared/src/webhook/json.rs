//! Reading fields from a platform's JSON document, with the path in every error.

//! The least that does the work of intake and processor.

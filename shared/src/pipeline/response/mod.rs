//! Response readers: what a destination answered. One file each.

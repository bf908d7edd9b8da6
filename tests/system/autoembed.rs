//! Guards columns that keep themselves embedded.

//! The setting `vw.project`: the project whose rows are in sight. Only the extension's SQL reads and writes it
//! (`vw.project_id` and the row-level policies); nothing in Rust does.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::CString;

static PROJECT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

/// Define it; called once, when the library is loaded.
pub fn define() {
    GucRegistry::define_string_guc(
        c"vw.project",
        c"Id of the project whose collections and items are visible to roles other than their owner.",
        c"Set by the functions of the extension for as long as they run.",
        &PROJECT,
        GucContext::Userset,
        GucFlags::NO_SHOW_ALL,
    );
}

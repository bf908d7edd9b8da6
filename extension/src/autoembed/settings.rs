//! The settings `vw.autoembed_…`, which the extension's SQL reads.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

static ATTEMPTS: GucSetting<i32> = GucSetting::<i32>::new(5);
static RETRY_DELAY: GucSetting<i32> = GucSetting::<i32>::new(1_000);

/// Define them; called once, when the library is loaded.
pub fn define() {
    GucRegistry::define_int_guc(
        c"vw.autoembed_attempts",
        c"Number of attempts after which a row that cannot be embedded is given up.",
        c"vw_autoembed_failed() lists such rows and vw_autoembed_retry() has them tried again.",
        &ATTEMPTS,
        1,
        100,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"vw.autoembed_retry_delay",
        c"Pause before a row that could not be embedded is tried again.",
        c"Each further pause is four times as long, up to an hour.",
        &RETRY_DELAY,
        1,
        3_600_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
}

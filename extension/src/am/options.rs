//! What users may set: the options of an index (`WITH (…)`) and the settings of a session.
//!
//! Names, defaults and ranges of `ivfflat` and `hnsw` are pgvector's, and so is what a greater value does: a search finds
//! more and takes longer.

use crate::pg::error::{Code, Fault, Result};
use crate::pg::install;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};
use pgrx::pg_sys;
use std::ffi::CStr;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};
use vw_ivf::Effort;

/// The options of an index as the server keeps them; those that an access method does not have are 0.
#[repr(C)]
pub struct IndexOptions {
    length: i32,
    lists: i32,
    m: i32,
    ef_construction: i32,
    bits: i32,
}

impl IndexOptions {
    /// The options of an open index.
    ///
    /// # Safety
    /// - `index` is an open index of one of our access methods.
    pub unsafe fn of(index: pg_sys::Relation) -> IndexOptions {
        let defaults = IndexOptions { length: 0, lists: 0, m: 0, ef_construction: 0, bits: 0 };
        // SAFETY: where there are options, our own parser below made them.
        unsafe { (*index).rd_options.cast::<IndexOptions>().as_ref() }
            .map_or(defaults, |options| IndexOptions { ..*options })
    }

    /// Lists that the user asked for; 0 for as many as the index finds best.
    pub fn lists(&self) -> u32 {
        u32::try_from(self.lists).unwrap_or(0)
    }

    /// Bits a dimension that the user asked for; 0 for as many as the index finds best.
    pub fn bits(&self) -> u8 {
        u8::try_from(self.bits).unwrap_or(0)
    }

    /// Refuse combinations that pgvector refuses.
    pub fn check(&self) -> Result<()> {
        if self.ef_construction < self.m.saturating_mul(2) {
            let message = "ef_construction must be greater than or equal to 2 * m";
            return Err(Fault::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, message));
        }
        Ok(())
    }
}

/// One option: name, description, where it is kept, default, smallest and largest value.
struct Known(&'static CStr, &'static CStr, usize, i32, i32, i32);

const LISTS: usize = offset_of!(IndexOptions, lists);

/// The options of one access method, and the number that the server has given them.
pub struct Kind {
    number: AtomicU32,
    options: &'static [Known],
}

pub static IVF: Kind = Kind {
    number: AtomicU32::new(0),
    options: &[
        Known(c"lists", c"Number of lists; 0 lets the index choose", LISTS, 0, 0, 32_768),
        Known(
            c"bits",
            c"Bits a dimension: 1, 2, 4 or 8; 0 lets the index choose",
            offset_of!(IndexOptions, bits),
            0,
            0,
            8,
        ),
    ],
};
pub static IVFFLAT: Kind =
    Kind { number: AtomicU32::new(0), options: &[Known(c"lists", c"Number of inverted lists", LISTS, 100, 1, 32_768)] };
pub static HNSW: Kind = Kind {
    number: AtomicU32::new(0),
    options: &[
        Known(c"m", c"Max number of connections", offset_of!(IndexOptions, m), 16, 2, 100),
        Known(
            c"ef_construction",
            c"Size of the dynamic candidate list for construction",
            offset_of!(IndexOptions, ef_construction),
            64,
            4,
            1000,
        ),
    ],
};

impl Kind {
    /// Tell the server; once, when the library is loaded.
    fn register(&self) {
        // SAFETY: called from _PG_init, with terminated strings that live for ever.
        unsafe {
            let number = pg_sys::add_reloption_kind();
            self.number.store(number, Ordering::Relaxed);
            for Known(name, text, _, default, least, most) in self.options {
                let lock = pg_sys::AccessExclusiveLock as i32;
                pg_sys::add_int_reloption(number, name.as_ptr(), text.as_ptr(), *default, *least, *most, lock);
            }
        }
    }

    /// Parse an index's options, as `amoptions` has to.
    pub fn parse(&self, options: pg_sys::Datum, validate: bool) -> *mut pg_sys::bytea {
        let element = |Known(name, _, offset, ..): &Known| pg_sys::relopt_parse_elt {
            optname: name.as_ptr(),
            opttype: pg_sys::relopt_type::RELOPT_TYPE_INT,
            offset: *offset as i32,
            #[cfg(feature = "pg18")]
            isset_offset: 0,
        };
        let elements: Vec<_> = self.options.iter().map(element).collect();
        let number = self.number.load(Ordering::Relaxed);
        let size = size_of::<IndexOptions>();
        // SAFETY: the server passes the options as it stores them; the elements name fields of the struct whose size
        // goes along.
        unsafe {
            pg_sys::build_reloptions(options, validate, number, size, elements.as_ptr(), elements.len() as i32).cast()
        }
    }
}

/// How a scan goes on when the executor wants more rows; the index always does, in strict order.
#[derive(Clone, Copy, PostgresGucEnum)]
enum HnswIterative {
    #[name = c"off"]
    Off,
    #[name = c"relaxed_order"]
    RelaxedOrder,
    #[name = c"strict_order"]
    StrictOrder,
}

/// The same under the name `ivfflat`, where pgvector has no strict order.
#[derive(Clone, Copy, PostgresGucEnum)]
enum IvfflatIterative {
    #[name = c"off"]
    Off,
    #[name = c"relaxed_order"]
    RelaxedOrder,
}

static IVF_PROBES: GucSetting<i32> = GucSetting::<i32>::new(0);
static IVF_RECALL_TARGET: GucSetting<f64> = GucSetting::<f64>::new(0.95);
static IVFFLAT_PROBES: GucSetting<i32> = GucSetting::<i32>::new(1);
static IVFFLAT_ITERATIVE: GucSetting<IvfflatIterative> = GucSetting::<IvfflatIterative>::new(IvfflatIterative::Off);
static IVFFLAT_MAX_PROBES: GucSetting<i32> = GucSetting::<i32>::new(32_768);
static HNSW_EF_SEARCH: GucSetting<i32> = GucSetting::<i32>::new(40);
static HNSW_ITERATIVE: GucSetting<HnswIterative> = GucSetting::<HnswIterative>::new(HnswIterative::Off);
static HNSW_MAX_TUPLES: GucSetting<i32> = GucSetting::<i32>::new(20_000);
static HNSW_MEMORY: GucSetting<f64> = GucSetting::<f64>::new(1.0);

/// What a scan of an open index may do, by the settings of its access method.
///
/// # Safety
/// - `index` is an open index of ours.
pub unsafe fn effort(index: pg_sys::Relation) -> Effort {
    // SAFETY: open by our contract; its access method has a name, which is copied at once.
    let method = unsafe {
        let name = pg_sys::get_am_name((*(*index).rd_rel).relam);
        if name.is_null() { String::new() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    };
    let count = |setting: &GucSetting<i32>| u32::try_from(setting.get()).unwrap_or(0);
    let probes = count(&IVF_PROBES);
    let recall = IVF_RECALL_TARGET.get() as f32;
    match method.as_str() {
        "ivfflat" => {
            let iterative = matches!(IVFFLAT_ITERATIVE.get(), IvfflatIterative::RelaxedOrder);
            // One list is what nobody asked for: it is the default, and finds little.
            let probes = Some(count(&IVFFLAT_PROBES)).filter(|probes| *probes > 1).unwrap_or(probes);
            Effort { recall, probes, most: if iterative { count(&IVFFLAT_MAX_PROBES) } else { u32::MAX } }
        }
        "hnsw" => {
            // What is missed falls as the candidates that hnsw would look at grow; 40 is its default.
            let missed = (1.0 - recall) * 40.0 / HNSW_EF_SEARCH.get().max(1) as f32;
            Effort { recall: (1.0 - missed).clamp(0.5, 1.0), probes, ..Effort::default() }
        }
        _ => Effort { recall, probes, ..Effort::default() },
    }
}

/// Define options and settings; called once, when the library is loaded.
///
/// Where pgvector's own library serves `ivfflat` and `hnsw`, their settings are its to define.
pub fn define() {
    for kind in [&IVF, &IVFFLAT, &HNSW] {
        kind.register();
    }
    whole(c"ivf.probes", c"Lists that a search visits; 0 lets the index choose.", &IVF_PROBES, 0, 32_768);
    real(c"ivf.recall_target", c"Share of the nearest rows that a search has to find.", &IVF_RECALL_TARGET, 0.0, 1.0);
    install::reserve_settings(c"ivf");
    if serves_vector() {
        define_ivfflat();
        define_hnsw();
    }
}

/// Tell whether the extension `vector` is ours in this server, as its control file says.
///
/// A preloaded library is in every database, also where pgvector is installed beside ours under a version of its own,
/// and pgvector does not load where its settings are taken.
fn serves_vector() -> bool {
    let control = std::fs::read_to_string(install::share_dir().join("extension/vector.control"));
    let ours = control.map_or(true, |text| text.contains("$libdir/vw'"));
    ours && !(install::preloading() && install::library_dir().join("vector.so").exists())
}

fn define_ivfflat() {
    whole(c"ivfflat.probes", c"Sets the number of probes", &IVFFLAT_PROBES, 1, 32_768);
    whole(c"ivfflat.max_probes", c"Sets the max number of probes for iterative scans", &IVFFLAT_MAX_PROBES, 1, 32_768);
    let (name, text) = (c"ivfflat.iterative_scan", c"Sets the mode for iterative scans");
    GucRegistry::define_enum_guc(name, text, c"", &IVFFLAT_ITERATIVE, GucContext::Userset, GucFlags::default());
    install::reserve_settings(c"ivfflat");
}

fn define_hnsw() {
    let text = c"Sets the size of the dynamic candidate list for search";
    whole(c"hnsw.ef_search", text, &HNSW_EF_SEARCH, 1, 1000);
    let text = c"Sets the max number of tuples to visit for iterative scans";
    whole(c"hnsw.max_scan_tuples", text, &HNSW_MAX_TUPLES, 1, i32::MAX);
    let text = c"Sets the multiple of work_mem to use for iterative scans";
    real(c"hnsw.scan_mem_multiplier", text, &HNSW_MEMORY, 1.0, 1000.0);
    let (name, text) = (c"hnsw.iterative_scan", c"Sets the mode for iterative scans");
    GucRegistry::define_enum_guc(name, text, c"", &HNSW_ITERATIVE, GucContext::Userset, GucFlags::default());
    install::reserve_settings(c"hnsw");
}

fn whole(name: &'static CStr, text: &'static CStr, setting: &'static GucSetting<i32>, least: i32, most: i32) {
    GucRegistry::define_int_guc(name, text, c"", setting, least, most, GucContext::Userset, GucFlags::default());
}

fn real(name: &'static CStr, text: &'static CStr, setting: &'static GucSetting<f64>, least: f64, most: f64) {
    GucRegistry::define_float_guc(name, text, c"", setting, least, most, GucContext::Userset, GucFlags::default());
}

//! How a scan measures rows: by the operator class's own function, on values that are read from the table.

use pgrx::pg_sys;

/// The operator class's distance function, its collation, and the query.
pub struct Distance {
    function: *mut pg_sys::FmgrInfo,
    collation: pg_sys::Oid,
    /// `None` where the query is NULL, and every distance with it.
    query: Option<pg_sys::Datum>,
}

impl Distance {
    /// The distance of a scan; the query is detoasted once, into the current memory context.
    ///
    /// # Safety
    /// - `scan` is a scan of an open index that orders by one distance.
    pub unsafe fn of(scan: pg_sys::IndexScanDesc) -> Distance {
        // SAFETY: by our contract there is one ordering, and the index has one column.
        unsafe {
            let (index, ordering) = ((*scan).indexRelation, &*(*scan).orderByData);
            let null = ordering.sk_flags & pg_sys::SK_ISNULL as i32 != 0;
            let varlena = pg_sys::get_typlen(*(*index).rd_opcintype) == -1;
            let query = match ordering.sk_argument {
                _ if null => None,
                query if varlena => Some(pg_sys::Datum::from(pg_sys::pg_detoast_datum(query.cast_mut_ptr()))),
                query => Some(query),
            };
            Distance::new(index, query)
        }
    }

    /// The distance that an index orders by, to a query that is flat.
    ///
    /// # Safety
    /// - `index` is open, and `query` is a value of its column; both live as long as the distance.
    pub unsafe fn new(index: pg_sys::Relation, query: Option<pg_sys::Datum>) -> Distance {
        // SAFETY: by our contract; every index has a first column and our one function.
        unsafe {
            let function = pg_sys::index_getprocinfo(index, 1, 1);
            Distance { function, collation: *(*index).rd_indcollation, query }
        }
    }

    /// The query, flat; `None` where it is NULL.
    pub fn query(&self) -> Option<pg_sys::Datum> {
        self.query
    }

    /// Measure a value of the indexed column. Raises what the operator raises, such as for other dimensions.
    pub fn measure(&self, value: pg_sys::Datum) -> f64 {
        self.query.map_or(f64::NAN, |query| {
            // SAFETY: the function takes two values of the column's type and gives a float8, as `validate` demands.
            let distance = unsafe { pg_sys::FunctionCall2Coll(self.function, self.collation, value, query) };
            f64::from_bits(distance.value() as u64)
        })
    }
}

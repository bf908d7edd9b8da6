//! Statements as they go to the server: unnamed, in one round trip, with the types of their parameters beside them.
//!
//! Nothing is prepared under a name, so that a connection may be another one for each statement, as behind PgBouncer in
//! transaction mode, and so that no plan outlives a change of the tables. The types are read out of the casts that every
//! parameter in `api/sql` has.

use tokio_postgres::types::Type;

pub const AUTHENTICATE: &str = include_str!("../sql/authenticate.sql");
pub const MODELS: &str = include_str!("../sql/models.sql");
pub const READY: &str = include_str!("../sql/ready.sql");
pub const CREATE_COLLECTION: &str = include_str!("../sql/collection_create.sql");
pub const COLLECTIONS: &str = include_str!("../sql/collections.sql");
pub const COLLECTION: &str = include_str!("../sql/collection.sql");
pub const COLLECTION_STATUS: &str = include_str!("../sql/collection_status.sql");
pub const DELETE_COLLECTION: &str = include_str!("../sql/collection_delete.sql");
pub const INDEX_ITEMS: &str = include_str!("../sql/items_index.sql");
pub const BEGIN_MEDIA: &str = include_str!("../sql/media_begin.sql");
pub const CLAIM_MEDIA: &str = include_str!("../sql/media_claim.sql");
pub const FORGET_MEDIA: &str = include_str!("../sql/media_forget.sql");
pub const ITEMS: &str = include_str!("../sql/items.sql");
pub const DELETE_ITEMS: &str = include_str!("../sql/items_delete.sql");
pub const SEARCH: &str = include_str!("../sql/search.sql");
pub const CREATE_KEY: &str = include_str!("../sql/key_create.sql");
pub const KEYS: &str = include_str!("../sql/keys.sql");
pub const REVOKE_KEY: &str = include_str!("../sql/key_revoke.sql");
pub const ROTATE_KEY: &str = include_str!("../sql/key_rotate.sql");
pub const PROJECTS: &str = include_str!("../sql/projects.sql");
pub const CREATE_PROJECT: &str = include_str!("../sql/project_create.sql");
pub const ADMIN_PROJECTS: &str = include_str!("../sql/admin_projects.sql");
pub const ADMIN_CREATE_PROJECT: &str = include_str!("../sql/admin_project_create.sql");
pub const ADMIN_KEYS: &str = include_str!("../sql/admin_keys.sql");
pub const ADMIN_CREATE_KEY: &str = include_str!("../sql/admin_key_create.sql");
pub const ADMIN_ROTATE_KEY: &str = include_str!("../sql/admin_key_rotate.sql");
pub const ADMIN_REVOKE_KEY: &str = include_str!("../sql/admin_key_revoke.sql");
pub const ENGINE_STATS: &str = include_str!("../sql/engine_stats.sql");
pub const CHECK: &str = include_str!("../sql/check.sql");
pub const BEGIN_REQUEST: &str = include_str!("../sql/request_begin.sql");
pub const FINISH_REQUEST: &str = include_str!("../sql/request_finish.sql");
pub const SWEEP_REQUESTS: &str = include_str!("../sql/requests_sweep.sql");

/// The types of `count` parameters; UNKNOWN, which no value is taken for, where a parameter has no cast.
pub fn types(statement: &str, count: usize) -> Vec<Type> {
    let mut types = vec![Type::UNKNOWN; count];
    for part in statement.split('$').skip(1) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at_checked(digits).unwrap_or_default();
        let name = rest.strip_prefix("::").unwrap_or_default();
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '[' | ']')).unwrap_or(name.len());
        let place = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).and_then(|at| types.get_mut(at));
        if let (Some(place), Some(known)) = (place, name.get(..end).and_then(by_name)) {
            *place = known;
        }
    }
    types
}

fn by_name(name: &str) -> Option<Type> {
    Some(match name {
        "boolean" => Type::BOOL,
        "integer" => Type::INT4,
        "bigint" => Type::INT8,
        "float8" => Type::FLOAT8,
        "text" => Type::TEXT,
        "bytea" => Type::BYTEA,
        "jsonb" => Type::JSONB,
        "timestamptz" => Type::TIMESTAMPTZ,
        "text[]" => Type::TEXT_ARRAY,
        "bytea[]" => Type::BYTEA_ARRAY,
        "jsonb[]" => Type::JSONB_ARRAY,
        "bigint[]" => Type::INT8_ARRAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    //! Guards that every parameter of every statement has a type that is known here.
    use super::*;

    #[test]
    fn types_are_read_out_of_the_casts() {
        let types = types("-- $1 a comment.\nSELECT $2::text[], f($1::integer, $3)", 3);
        assert_eq!(types, [Type::INT4, Type::TEXT_ARRAY, Type::UNKNOWN]);
    }

    #[test]
    fn every_parameter_has_a_type() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sql");
        for entry in std::fs::read_dir(folder).expect("the folder of statements") {
            let path = entry.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("a statement");
            let code: String = text.lines().filter(|line| !line.starts_with("--")).collect();
            let count = (1..=99).take_while(|n| code.contains(&format!("${n}::"))).count();
            assert!(!types(&text, count).contains(&Type::UNKNOWN), "{}", path.display());
            let cast = (1..=count).map(|n| code.matches(&format!("${n}::")).count()).sum::<usize>();
            assert_eq!(code.matches('$').count(), cast, "{}: a cast for each", path.display());
        }
    }
}

//! The index as an algorithm over a page store. Nothing here knows of PostgreSQL.

//! The bodies and query strings of requests: what is sent, and the checked form that handlers work with.
//!
//! A request is checked as a whole before any work begins. Nothing here asks the database.

pub mod admin;
pub mod collection;
pub mod filter;
pub mod input;
pub mod items;
pub mod page;
pub mod search;

pub use collection::NewCollection;
pub use input::{Input, Kind};
pub use items::{DoomedItems, NewItem, NewItems, atomic};
pub use page::Page;
pub use search::Query;

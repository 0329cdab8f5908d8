//! Requests that can be spelt in more than one way, each with what must become of it.
//!
//! One table drives the core, the scripted host and real Envoy. Each row is either refused or goes upstream in exactly the form that was
//! matched, and [`is_guarded`] says whether what arrived could be taken, by any server, for something that [`policy`] guards.

mod readings;
mod row;
mod table;

pub use readings::{is_guarded, readings};
pub use row::{Outcome, Proxy, Row};
pub use table::rows;

use serde_json::{Value, json};

/// The host at which `/public` is open to all.
pub const OPEN_HOST: &str = "open.example";
/// The host at which everything needs a grant.
pub const GUARDED_HOST: &str = "guarded.example";
/// What is below one of them, or one itself, needs a grant at every host. The second lies in the open folder.
pub const GUARDED_PATHS: [&str; 2] = ["/admin", "/public/@"];

/// The resources that the table is about: a guarded host, guarded folders, an open folder, and nothing else.
pub fn policy() -> Value {
    json!([
        { "name": "guarded-host", "match": { "hosts": [GUARDED_HOST] }, "access": "grant", "action": "use" },
        { "name": "admin", "match": { "paths": ["/admin", "/admin/", "/admin/{*rest}"] }, "access": "grant", "action": "use" },
        { "name": "admin", "match": { "paths": ["/public/@", "/public/@/", "/public/@/{*rest}"] }, "access": "grant", "action": "use" },
        {
            "name": "public",
            "match": { "hosts": [OPEN_HOST, "*.open.example", "127.0.0.1", "[::1]"], "paths": ["/public", "/public/", "/public/{*rest}"] },
            "access": "public",
        },
    ])
}

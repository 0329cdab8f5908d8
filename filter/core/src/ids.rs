//! Names that must not be confused with each other, each a type of its own.
//!
//! They are reference-counted: a grant's name that is in the cache, in a permit and in a header is one piece of text.

use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` as it is; what may be a name is the caller's rule.
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            /// The name's text, shared instead of copied.
            pub fn shared(&self) -> Arc<str> {
                self.0.clone()
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// Who signs tokens: the `iss` claim (RFC 7519, section 4.1.1), compared byte for byte.
    Issuer
}
name! {
    /// Which key of a set: the `kid` of RFC 7515, section 4.1.4.
    KeyId
}
name! {
    /// A resource as the configuration names it and grants refer to it.
    ResourceName
}
name! {
    /// What is done to a resource, for example `read`.
    Action
}
name! {
    /// A grant's own name, for the records.
    GrantId
}

//! [`hallpass_fuzz::jwks`] as a program.
#![cfg_attr(fuzzing, no_main)]

hallpass_fuzz::program!(hallpass_fuzz::jwks);

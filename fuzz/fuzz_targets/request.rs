//! [`hallpass_fuzz::request`] as a program.
#![cfg_attr(fuzzing, no_main)]

hallpass_fuzz::program!(hallpass_fuzz::request);

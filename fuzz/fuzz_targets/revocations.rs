//! [`hallpass_fuzz::revocations`] as a program.
#![cfg_attr(fuzzing, no_main)]

hallpass_fuzz::program!(hallpass_fuzz::revocations);

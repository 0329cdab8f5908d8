//! [`hallpass_fuzz::grant_reply`] as a program.
#![cfg_attr(fuzzing, no_main)]

hallpass_fuzz::program!(hallpass_fuzz::grant_reply);

//! The program `hallpass-grants`.

fn main() {}

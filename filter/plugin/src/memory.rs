//! The module's memory: who allocates it, and how it is compared.

mod compare;

use std::alloc::System;

use hallpass_memory::SpareFirst;

#[global_allocator]
static ALLOCATOR: SpareFirst<System> = SpareFirst::new(System);

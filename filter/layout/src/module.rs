//! What is told apart in a module, by whoever counts and whoever lays out: functions by their index, and the branches of the code, the
//! instructions that go one of two ways, by their number: how many come before them in the code section.

use wasmparser::{Operator, Parser, Payload, TypeRef};

/// Whether this is an instruction that a hint can be about: of the two that take a condition and go one of two ways.
pub(crate) fn is_branch(operator: &Operator<'_>) -> bool {
    matches!(operator, Operator::BrIf { .. } | Operator::If { .. })
}

/// How many functions a module imports: so many indices come before that of the first function in its code section.
///
/// # Errors
/// When it is no module.
pub(crate) fn imported_functions(module: &[u8]) -> wasmparser::Result<u32> {
    let mut count = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                count += u32::from(matches!(import?.ty, TypeRef::Func(_)));
            }
        }
    }
    Ok(count)
}

//! A module whose code lies as it runs.

use std::fmt;

use anyhow::{Context, Result, ensure};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BranchHint, BranchHints, CodeSection, Function, FunctionSection, Module, SectionId,
};
use wasmparser::{
    CodeSectionReader, FunctionBody, FunctionSectionReader, Parser, Payload, Validator,
};

use crate::module::{imported_functions, is_branch};
use crate::profile::Profile;

/// The values of a hint (WebAssembly, "Branch Hinting").
const LIKELY: u32 = 1;
const UNLIKELY: u32 = 0;

/// The same module: the functions that ran come first, in the order in which they first did, and there is a hint for each branch that
/// nearly always goes one way.
///
/// # Errors
/// When it is no module, the profile is of another one, or what came of it is not valid.
pub(crate) fn by(profile: &Profile, module: &[u8]) -> Result<Vec<u8>> {
    ensure_without_metadata(module)?;
    let imports = imported_functions(module)?;
    let bodies = bodies(module)?;
    let order = order(profile, imports, bodies.len())?;
    let mut layout = Layout {
        indices: indices(imports, &order),
        order,
        functions: Vec::new(),
        hints: BranchHints::new(),
    };
    layout.write_functions(profile, imports, &bodies)?;
    let mut made = Module::new();
    layout.parse_core_module(&mut made, Parser::new(0), module)?;
    let made = made.finish();
    Validator::new()
        .validate_all(&made)
        .context("what came of it is no valid module")?;
    Ok(made)
}

/// Sections that say something of the code by its place would go on to speak of what lies elsewhere now.
fn ensure_without_metadata(module: &[u8]) -> Result<()> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload? {
            let name = section.name();
            ensure!(
                !name.starts_with("metadata.code."),
                "the module has a section `{name}` already, which would be lost"
            );
        }
    }
    Ok(())
}

/// A function of the module's own, and the number of the first branch from its beginning on.
struct Body<'a> {
    body: FunctionBody<'a>,
    first_branch: u32,
}

fn bodies(module: &[u8]) -> wasmparser::Result<Vec<Body<'_>>> {
    let (mut bodies, mut first_branch) = (Vec::new(), 0);
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionEntry(body) = payload? {
            let mut branches = 0;
            for operator in body.get_operators_reader()? {
                branches += u32::from(is_branch(&operator?));
            }
            bodies.push(Body { body, first_branch });
            first_branch += branches;
        }
    }
    Ok(bodies)
}

/// The places in the code section at which the functions stand now, in the order in which they are to stand.
fn order(profile: &Profile, imports: u32, count: usize) -> Result<Vec<usize>> {
    let (mut order, mut is_placed) = (Vec::with_capacity(count), vec![false; count]);
    for function in profile.functions() {
        let place = usize::try_from(function.checked_sub(imports).context("an import ran")?)?;
        *is_placed
            .get_mut(place)
            .context("the profile is of another module")? = true;
        order.push(place);
    }
    order.extend((0..count).filter(|place| !is_placed[*place]));
    Ok(order)
}

/// The index that each function is to have, by the one that it has.
fn indices(imports: u32, order: &[usize]) -> Vec<u32> {
    let mut indices: Vec<u32> = (0..imports).collect();
    let own = indices.len();
    indices.resize(own + order.len(), 0);
    for (index, place) in (imports..).zip(order) {
        indices[own + place] = index;
    }
    indices
}

/// The module speaks of a function that it does not have.
#[derive(Debug)]
struct NoSuchFunction(u32);

impl fmt::Display for NoSuchFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the module has no function {}", self.0)
    }
}

impl std::error::Error for NoSuchFunction {}

/// What is written, and how.
struct Layout {
    order: Vec<usize>,
    indices: Vec<u32>,
    /// In their order.
    functions: Vec<Function>,
    hints: BranchHints,
}

impl Layout {
    fn write_functions(
        &mut self,
        profile: &Profile,
        imports: u32,
        bodies: &[Body<'_>],
    ) -> Result<()> {
        for place in self.order.clone() {
            let Body { body, first_branch } = &bodies[place];
            let function = imports + u32::try_from(place)?;
            let (mut branch, mut hints) = (*first_branch, Vec::new());
            let mut written = self.new_function_with_parsed_locals(body)?;
            for operator in body.get_operators_reader()? {
                let operator = operator?;
                if is_branch(&operator) {
                    if let Some(taken) = profile.nearly_always_taken(function, branch) {
                        hints.push(BranchHint {
                            branch_func_offset: u32::try_from(written.byte_len())?,
                            branch_hint_value: if taken { LIKELY } else { UNLIKELY },
                        });
                    }
                    branch += 1;
                }
                written.instruction(&self.instruction(operator)?);
            }
            if !hints.is_empty() {
                let index = self.function_index(function)?;
                self.hints.function_hints(index, hints);
            }
            self.functions.push(written);
        }
        Ok(())
    }
}

impl Reencode for Layout {
    type Error = NoSuchFunction;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<NoSuchFunction>> {
        let index = usize::try_from(function).ok();
        let index = index.and_then(|function| self.indices.get(function));
        index
            .copied()
            .ok_or(Error::UserError(NoSuchFunction(function)))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<NoSuchFunction>> {
        let types: Vec<u32> = section.into_iter().collect::<Result<_, _>>()?;
        for place in &self.order {
            // There are as many as there are bodies.
            let of_function = types.get(*place).ok_or(Error::InvalidCodeSectionSize)?;
            functions.function(*of_function);
        }
        Ok(())
    }

    /// Hints stand before the code that they are about.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<NoSuchFunction>> {
        if before == Some(SectionId::Code) {
            module.section(&self.hints);
        }
        utils::intersperse_section_hook(self, module, after, before)
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        _section: CodeSectionReader<'_>,
    ) -> Result<(), Error<NoSuchFunction>> {
        for function in &self.functions {
            code.function(function);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmi::{Engine, Linker, Store};
    use wasmparser::KnownCustom;

    use super::*;

    /// Its functions are 1, 2 and 3; branch 0 is in the second of them, 1 and 2 are in the last.
    const MODULE: &str = r#"(module
        (import "env" "twice" (func $twice (param i32) (result i32)))
        (table funcref (elem $never $usual))
        (func $never (param i32) (result i32) (unreachable))
        (func $usual (param i32) (result i32) (local i64 i32 f64)
            (if (result i32) (i32.eqz (local.get 0))
                (then (call $never (local.get 0)))
                (else (call $twice (local.get 0)))))
        (func (export "through_table") (param i32) (result i32)
            (block $end
                (br_if $end (i32.eqz (local.get 0)))
                (br_if $end (i32.eqz (local.get 0))))
            (call_indirect (param i32) (result i32) (local.get 0) (i32.const 1))))"#;

    fn module() -> Vec<u8> {
        wat::parse_str(MODULE).unwrap()
    }

    /// The last function runs first, then the one before it; the first never does.
    fn profile() -> Profile {
        let mut profile = Profile::default();
        for _ in 0..100 {
            profile.called(3);
            profile.called(2);
            profile.branched(0, false);
            profile.branched(2, true);
        }
        profile
    }

    fn exported_function(module: &[u8]) -> u32 {
        let payloads = Parser::new(0).parse_all(module).map(Result::unwrap);
        let mut exports = payloads.filter_map(|payload| match payload {
            Payload::ExportSection(exports) => Some(exports),
            _ => None,
        });
        let export = exports.next().unwrap().into_iter().next().unwrap();
        export.unwrap().index
    }

    /// By function, where the instructions that are hinted at lie in its body, and which way they go.
    fn hints(module: &[u8]) -> Vec<(u32, Vec<(u32, bool)>)> {
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::CustomSection(section) = payload.unwrap()
                && let KnownCustom::BranchHints(functions) = section.as_known()
            {
                for function in functions {
                    let function = function.unwrap();
                    let of_function = function.hints.into_iter().map(Result::unwrap);
                    let of_function = of_function.map(|hint| (hint.func_offset, hint.taken));
                    found.push((function.func, of_function.collect()));
                }
            }
        }
        found
    }

    /// Where the branches lie in the body of a function of the module's own.
    fn branches(module: &[u8], place: usize) -> Vec<u32> {
        let bodies = bodies(module).unwrap();
        let body = &bodies[place].body;
        let operators = body.get_operators_reader().unwrap();
        let operators = operators.into_iter_with_offsets().map(Result::unwrap);
        let branches = operators.filter(|(operator, _)| is_branch(operator));
        let start = body.range().start;
        branches
            .map(|(_, offset)| u32::try_from(offset - start).unwrap())
            .collect()
    }

    #[test]
    fn what_ran_comes_first_in_the_order_in_which_it_did() {
        let laid_out = by(&profile(), &module()).unwrap();
        assert_eq!(exported_function(&module()), 3);
        assert_eq!(exported_function(&laid_out), 1);
    }

    #[test]
    fn branches_that_nearly_always_go_one_way_are_hinted_at_where_they_lie_now() {
        let laid_out = by(&profile(), &module()).unwrap();
        let expected = [
            (1, vec![(branches(&laid_out, 0)[1], true)]),
            (2, vec![(branches(&laid_out, 1)[0], false)]),
        ];
        assert_eq!(hints(&laid_out), expected);
    }

    #[test]
    fn a_module_that_is_laid_out_does_what_it_did() {
        for module in [module(), by(&profile(), &module()).unwrap()] {
            let engine = Engine::default();
            let module = wasmi::Module::new(&engine, &module).unwrap();
            let mut store = Store::new(&engine, ());
            let mut linker = Linker::new(&engine);
            linker
                .func_wrap("env", "twice", |number: i32| number * 2)
                .unwrap();
            let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
            let function = instance
                .get_typed_func::<i32, i32>(&store, "through_table")
                .unwrap();
            assert_eq!(function.call(&mut store, 21).unwrap(), 42);
            assert!(function.call(&mut store, 0).is_err());
        }
    }

    #[test]
    fn the_same_module_and_profile_give_the_same_bytes() {
        let laid_out = by(&profile(), &module()).unwrap();
        assert_eq!(by(&profile(), &module()).unwrap(), laid_out);
    }

    #[test]
    fn a_module_that_has_hints_already_is_a_fault_for_they_would_lie_elsewhere() {
        let laid_out = by(&profile(), &module()).unwrap();
        let fault = by(&profile(), &laid_out).unwrap_err().to_string();
        assert!(fault.contains("`metadata.code.branch_hint`"), "{fault}");
    }

    #[test]
    fn the_profile_of_another_module_is_a_fault() {
        let mut profile = Profile::default();
        profile.called(9);
        let fault = by(&profile, &module()).unwrap_err();
        assert_eq!(fault.to_string(), "the profile is of another module");
    }
}

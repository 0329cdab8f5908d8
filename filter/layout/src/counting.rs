//! A module that tells which functions and branches of it run: before each branch and at the start of each function it calls one of two
//! functions of the host.

use std::convert::Infallible;

use anyhow::Result;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, EntityType, ImportSection, Instruction, Module, TypeSection, ValType,
};
use wasmparser::{FunctionBody, ImportSectionReader, Parser, TypeSectionReader};

use crate::module::{imported_functions, is_branch};

/// Where the host's two functions are imported from.
pub(crate) const HOST: &str = "rehearsal";
/// Takes the index of the function that is called.
pub(crate) const CALLED: &str = "called";
/// Takes the condition of a branch and the branch's number, and gives the condition back.
pub(crate) const BRANCHED: &str = "branched";

/// How many functions it imports more.
const OWN_IMPORTS: u32 = 2;

/// A module that does what this one does, and counts.
///
/// # Errors
/// When it is no module.
pub(crate) fn counting(module: &[u8]) -> Result<Vec<u8>> {
    let mut counting = Counting {
        imports: imported_functions(module)?,
        types: 0,
        functions: 0,
        branches: 0,
    };
    let mut made = Module::new();
    counting.parse_core_module(&mut made, Parser::new(0), module)?;
    Ok(made.finish())
}

struct Counting {
    /// How many functions the module imports.
    imports: u32,
    /// How many types it has.
    types: u32,
    /// How many functions and branches have been written.
    functions: u32,
    branches: u32,
}

impl Counting {
    /// The index of [`CALLED`]: that of its first function before there was this one.
    fn called(&self) -> u32 {
        self.imports
    }

    fn branched(&self) -> u32 {
        self.imports + 1
    }
}

impl Reencode for Counting {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        let is_imported = function < self.imports;
        Ok(if is_imported {
            function
        } else {
            function + OWN_IMPORTS
        })
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_type_section(self, types, section)?;
        self.types = types.len();
        types.ty().function([ValType::I32], []);
        types
            .ty()
            .function([ValType::I32, ValType::I32], [ValType::I32]);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_import_section(self, imports, section)?;
        imports.import(HOST, CALLED, EntityType::Function(self.types));
        imports.import(HOST, BRANCHED, EntityType::Function(self.types + 1));
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Infallible>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        function.instruction(&Instruction::I32Const(
            (self.imports + self.functions).cast_signed(),
        ));
        function.instruction(&Instruction::Call(self.called()));
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            if is_branch(&operator) {
                function.instruction(&Instruction::I32Const(self.branches.cast_signed()));
                function.instruction(&Instruction::Call(self.branched()));
                self.branches += 1;
            }
            function.instruction(&self.instruction(operator)?);
        }
        code.function(&function);
        self.functions += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmi::{Caller, Engine, Linker, Store};

    use super::*;
    use crate::profile::Profile;

    /// Its first function is imported, so that its own ones are 1 and 2.
    const MODULE: &str = r#"(module
        (import "env" "twice" (func $twice (param i32) (result i32)))
        (func $quadruple (param i32) (result i32)
            (call $twice (call $twice (local.get 0))))
        (func (export "quadruple_if_positive") (param i32) (result i32)
            (block $positive
                (br_if $positive (i32.gt_s (local.get 0) (i32.const 0)))
                (return (local.get 0)))
            (call $quadruple (local.get 0))))"#;

    #[test]
    fn a_module_that_counts_does_what_it_did_and_tells_what_ran() {
        let counting = counting(&wat::parse_str(MODULE).unwrap()).unwrap();
        let engine = Engine::default();
        let module = wasmi::Module::new(&engine, &counting).unwrap();
        let mut store = Store::new(&engine, Profile::default());
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap("env", "twice", |number: i32| number * 2)
            .unwrap()
            .func_wrap(
                HOST,
                CALLED,
                |mut host: Caller<'_, Profile>, function: u32| {
                    host.data_mut().called(function);
                },
            )
            .unwrap()
            .func_wrap(
                HOST,
                BRANCHED,
                |mut host: Caller<'_, Profile>, condition: u32, branch: u32| {
                    host.data_mut().branched(branch, condition != 0);
                    condition
                },
            )
            .unwrap();
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let function = instance
            .get_typed_func::<i32, i32>(&store, "quadruple_if_positive")
            .unwrap();
        let mut call = |number| function.call(&mut store, number).unwrap();

        assert_eq!([-3, 0, 5].map(&mut call), [-3, 0, 20]);
        for _ in 0..60 {
            call(1);
        }
        let profile = store.into_data();
        assert_eq!(profile.functions(), [2, 1]);
        assert_eq!(profile.nearly_always_taken(2, 0), Some(true));
    }
}

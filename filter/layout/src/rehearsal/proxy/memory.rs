//! The module's memory, as the host reads and writes it.

use wasmi::{Caller, Error, Memory, TypedFunc};

use super::World;

/// The module's bytes at this address.
pub(super) fn read(caller: &Caller<'_, World>, at: u32, size: u32) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; place(size)?];
    memory(caller)?.read(caller, place(at)?, &mut bytes)?;
    Ok(bytes)
}

/// Writes to an address that the module has given.
pub(super) fn write(caller: &mut Caller<'_, World>, at: u32, bytes: &[u8]) -> Result<(), Error> {
    let memory = memory(caller)?;
    Ok(memory.write(caller, place(at)?, bytes)?)
}

/// Hands bytes to the module in memory that it allocates, and writes where they lie and how many they are to these addresses.
pub(super) fn hand_over(
    caller: &mut Caller<'_, World>,
    bytes: &[u8],
    address_at: u32,
    size_at: u32,
) -> Result<(), Error> {
    let size = u32::try_from(bytes.len()).map_err(|_| Error::new("too much for a module"))?;
    let malloc = caller
        .get_export("malloc")
        .and_then(wasmi::Extern::into_func);
    let malloc = malloc.ok_or_else(|| Error::new("the module exports no malloc"))?;
    let malloc: TypedFunc<u32, u32> = malloc.typed(&caller)?;
    let address = malloc.call(&mut *caller, size)?;
    write(caller, address, bytes)?;
    write(caller, address_at, &address.to_le_bytes())?;
    write(caller, size_at, &size.to_le_bytes())
}

fn memory(caller: &Caller<'_, World>) -> Result<Memory, Error> {
    let memory = caller
        .get_export("memory")
        .and_then(wasmi::Extern::into_memory);
    memory.ok_or_else(|| Error::new("the module exports no memory"))
}

fn place(address: u32) -> Result<usize, Error> {
    usize::try_from(address).map_err(|_| Error::new("an address that this machine does not have"))
}

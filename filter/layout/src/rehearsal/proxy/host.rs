//! The host's functions (proxy-wasm ABI 0.2.1), each as far as the module has a use for it in a rehearsal.

use hallpass_tokens::{Algorithm, VERIFY_SIGNATURE, verify_signature};
use wasmi::errors::LinkerError;
use wasmi::{Caller, Error, Linker};

use super::memory::{hand_over, read, write};
use super::{Outcome, World};
use crate::counting::{BRANCHED, CALLED, HOST};

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;

/// What the proxy's cryptography knows: what most tokens are signed with.
const KNOWN: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::Es256];

/// The header maps and the buffers that are read.
const REPLY_HEADERS: u32 = 6;
const REPLY_BODY: u32 = 4;

type Asked = Result<u32, Error>;
type Host<'a> = Caller<'a, World>;

/// Defines all of them.
///
/// # Errors
/// When one is defined twice.
pub(super) fn define(linker: &mut Linker<World>) -> Result<(), LinkerError> {
    define_counting(linker)?;
    define_reading(linker)?;
    define_requests(linker)?;
    define_calls(linker)?;
    define_records(linker)
}

fn define_counting(linker: &mut Linker<World>) -> Result<(), LinkerError> {
    linker
        .func_wrap(HOST, CALLED, |mut host: Host<'_>, function: u32| {
            let world = host.data_mut();
            if world.counts {
                world.profile.called(function);
            }
        })?
        .func_wrap(
            HOST,
            BRANCHED,
            |mut host: Host<'_>, condition: u32, branch: u32| {
                let world = host.data_mut();
                if world.counts {
                    world.profile.branched(branch, condition != 0);
                }
                condition
            },
        )?;
    Ok(())
}

fn define_reading(linker: &mut Linker<World>) -> Result<(), LinkerError> {
    linker
        .func_wrap(
            "env",
            "proxy_get_current_time_nanoseconds",
            |mut host: Host<'_>, at: u32| -> Asked {
                let now = host.data().now_nanos.to_le_bytes();
                write(&mut host, at, &now)?;
                Ok(OK)
            },
        )?
        .func_wrap(
            "env",
            "proxy_get_header_map_pairs",
            |mut host: Host<'_>, map: u32, data: u32, size: u32| -> Asked {
                let world = host.data();
                let headers = if map == REPLY_HEADERS {
                    &world.reply_headers
                } else {
                    &world.headers
                };
                let headers = headers.clone();
                hand_over(&mut host, &headers, data, size)?;
                Ok(OK)
            },
        )?
        .func_wrap(
            "env",
            "proxy_get_buffer_bytes",
            |mut host: Host<'_>,
             buffer: u32,
             _start: u32,
             _most: u32,
             data: u32,
             size: u32|
             -> Asked {
                let world = host.data();
                let bytes = if buffer == REPLY_BODY {
                    &world.reply_body
                } else {
                    &world.configuration
                };
                let bytes = bytes.clone();
                hand_over(&mut host, &bytes, data, size)?;
                Ok(OK)
            },
        )?
        .func_wrap(
            "env",
            "proxy_get_property",
            |mut host: Host<'_>, path: u32, path_size: u32, data: u32, size: u32| -> Asked {
                if read(&host, path, path_size)? != b"source\0address" {
                    return Ok(NOT_FOUND);
                }
                hand_over(&mut host, b"192.0.2.7:40000", data, size)?;
                Ok(OK)
            },
        )?;
    Ok(())
}

fn define_requests(linker: &mut Linker<World>) -> Result<(), LinkerError> {
    linker
        .func_wrap(
            "env",
            "proxy_add_header_map_value",
            |_: Host<'_>, _: u32, _: u32, _: u32, _: u32, _: u32| OK,
        )?
        .func_wrap(
            "env",
            "proxy_replace_header_map_value",
            |_: Host<'_>, _: u32, _: u32, _: u32, _: u32, _: u32| OK,
        )?
        .func_wrap(
            "env",
            "proxy_remove_header_map_value",
            |_: Host<'_>, _: u32, _: u32, _: u32| OK,
        )?
        .func_wrap(
            "env",
            "proxy_continue_stream",
            |mut host: Host<'_>, _: u32| {
                host.data_mut().outcome = Some(Outcome::Passed);
                OK
            },
        )?
        .func_wrap("env", "proxy_close_stream", |_: Host<'_>, _: u32| OK)?
        .func_wrap(
            "env",
            "proxy_send_local_response",
            |mut host: Host<'_>,
             status: u32,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             _: i32| {
                host.data_mut().outcome = Some(Outcome::Answered(status));
                OK
            },
        )?;
    Ok(())
}

fn define_calls(linker: &mut Linker<World>) -> Result<(), LinkerError> {
    linker
        .func_wrap(
            "env",
            "proxy_http_call",
            |mut host: Host<'_>,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             _: u32,
             at: u32|
             -> Asked {
                let world = host.data_mut();
                world.last_call += 1;
                let call = world.last_call;
                world.calls.push_back(call);
                write(&mut host, at, &call.to_le_bytes())?;
                Ok(OK)
            },
        )?
        .func_wrap(
            "env",
            "proxy_call_foreign_function",
            |mut host: Host<'_>,
             name: u32,
             name_size: u32,
             argument: u32,
             argument_size: u32,
             data: u32,
             size: u32|
             -> Asked {
                if read(&host, name, name_size)? != VERIFY_SIGNATURE.as_bytes() {
                    return Ok(NOT_FOUND);
                }
                let argument = read(&host, argument, argument_size)?;
                let answer = verify_signature(&argument, &KNOWN);
                let answer = answer.map_err(|fault| Error::new(fault.to_string()))?;
                host.data_mut().verifications += 1;
                hand_over(&mut host, &answer, data, size)?;
                Ok(OK)
            },
        )?
        .func_wrap(
            "env",
            "proxy_set_effective_context",
            |_: Host<'_>, _: u32| OK,
        )?
        .func_wrap(
            "env",
            "proxy_set_tick_period_milliseconds",
            |_: Host<'_>, _: u32| OK,
        )?
        .func_wrap(
            "env",
            "proxy_get_shared_data",
            |mut host: Host<'_>,
             key: u32,
             key_size: u32,
             data: u32,
             size: u32,
             version: u32|
             -> Asked {
                let key = read(&host, key, key_size)?;
                let Some(value) = host.data().shared.get(&key).cloned() else {
                    return Ok(NOT_FOUND);
                };
                hand_over(&mut host, &value, data, size)?;
                write(&mut host, version, &1_u32.to_le_bytes())?;
                Ok(OK)
            },
        )?
        .func_wrap(
            "env",
            "proxy_set_shared_data",
            |mut host: Host<'_>,
             key: u32,
             key_size: u32,
             value: u32,
             value_size: u32,
             _: u32|
             -> Asked {
                let (key, value) = (read(&host, key, key_size)?, read(&host, value, value_size)?);
                host.data_mut().shared.insert(key, value);
                Ok(OK)
            },
        )?;
    Ok(())
}

fn define_records(linker: &mut Linker<World>) -> Result<(), LinkerError> {
    linker
        .func_wrap(
            "env",
            "proxy_log",
            |mut host: Host<'_>, _: u32, text: u32, size: u32| -> Asked {
                let line = String::from_utf8_lossy(&read(&host, text, size)?).into_owned();
                host.data_mut().log.push(line);
                Ok(OK)
            },
        )?
        .func_wrap(
            "env",
            "proxy_set_property",
            |_: Host<'_>, _: u32, _: u32, _: u32, _: u32| OK,
        )?
        .func_wrap(
            "env",
            "proxy_define_metric",
            |mut host: Host<'_>, _: u32, _: u32, _: u32, at: u32| -> Asked {
                let world = host.data_mut();
                world.last_metric += 1;
                let metric = world.last_metric;
                write(&mut host, at, &metric.to_le_bytes())?;
                Ok(OK)
            },
        )?
        .func_wrap(
            "env",
            "proxy_increment_metric",
            |_: Host<'_>, _: u32, _: i64| OK,
        )?
        .func_wrap(
            "env",
            "proxy_record_metric",
            |_: Host<'_>, _: u32, _: u64| OK,
        )?;
    Ok(())
}

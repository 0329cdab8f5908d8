//! The host's functions (proxy-wasm ABI 0.2.1), each in a safe function. A status other than OK becomes `None` or `false`, or is ignored
//! where nothing could follow from it; none is ever an enum, so that a host's new status is no undefined behaviour.
#![expect(unsafe_code, reason = "host functions are foreign functions")]

use std::fmt;
use std::ptr::{null, null_mut, slice_from_raw_parts_mut};

const OK: u32 = 0;
const HTTP_REQUEST_STREAM: u32 = 0;
const HTTP_RESPONSE_STREAM: u32 = 1;
/// The host derives the gRPC status from the HTTP status.
const DERIVED_GRPC_STATUS: i32 = -1;

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum Severity {
    Info = 2,
    Warn = 3,
    Error = 4,
    Critical = 5,
}

/// Why the host would not start a call: its status.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused(u32);

const BAD_ARGUMENT: u32 = 2;
const INTERNAL_FAILURE: u32 = 10;

impl Refused {
    /// Whether it may be that as many calls are under way as the host lets through. Envoy says the same where a cluster has no host left:
    /// whatever its router answers at once.
    pub(crate) fn may_be_for_want_of_room(self) -> bool {
        self.0 == INTERNAL_FAILURE
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            BAD_ARGUMENT => f.write_str("BadArgument"),
            INTERNAL_FAILURE => f.write_str("InternalFailure"),
            other => write!(f, "status {other}"),
        }
    }
}

#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Map {
    RequestHeaders = 0,
    RequestTrailers = 1,
    ReplyHeaders = 6,
}

#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Buffer {
    ReplyBody = 4,
    PluginConfiguration = 7,
}

#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Metric {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_close_stream(stream: u32) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_http_call(
        upstream: *const u8,
        upstream_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout_ms: u32,
        call: *mut u32,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

/// Bytes that the host wrote into memory that it had the module allocate.
///
/// # Safety
/// `data` must be null or come from the module's allocation function with exactly `size` bytes, and belong to nobody else. By that size
/// it is given back, to the spare blocks as large as that.
unsafe fn owned(status: u32, data: *mut u8, size: usize) -> Option<Vec<u8>> {
    if status != OK {
        return None;
    }
    if data.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: the caller's promise; the allocation function makes a boxed slice of the size that the host asked for.
    Some(unsafe { Box::from_raw(slice_from_raw_parts_mut(data, size)) }.into_vec())
}

pub(super) fn log(severity: Severity, line: &str) {
    // SAFETY: pointer and length are those of a live string.
    unsafe { proxy_log(severity as u32, line.as_ptr(), line.len()) };
}

pub(super) fn current_time_nanoseconds() -> Option<u64> {
    let mut time = 0;
    // SAFETY: `time` outlives the call.
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
    (status == OK).then_some(time)
}

pub(super) fn set_tick_period(millis: u32) {
    // SAFETY: no pointers.
    unsafe { proxy_set_tick_period_milliseconds(millis) };
}

pub(super) fn set_effective_context(context: u32) -> bool {
    // SAFETY: no pointers.
    unsafe { proxy_set_effective_context(context) == OK }
}

pub(super) fn buffer(buffer: Buffer, size: usize) -> Option<Vec<u8>> {
    let (mut data, mut length) = (null_mut(), 0);
    // SAFETY: both outlive the call, and the host fills them with memory that it had the module allocate.
    unsafe {
        let status = proxy_get_buffer_bytes(buffer as u32, 0, size, &raw mut data, &raw mut length);
        owned(status, data, length)
    }
}

pub(super) fn header_pairs(map: Map) -> Option<Vec<u8>> {
    let (mut data, mut length) = (null_mut(), 0);
    // SAFETY: as in `buffer`.
    unsafe {
        let status = proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut length);
        owned(status, data, length)
    }
}

pub(super) fn property(path: &[u8]) -> Option<Vec<u8>> {
    let (mut data, mut length) = (null_mut(), 0);
    // SAFETY: as in `buffer`; the path is a live slice.
    unsafe {
        let status = proxy_get_property(path.as_ptr(), path.len(), &raw mut data, &raw mut length);
        owned(status, data, length)
    }
}

pub(super) fn set_property(path: &[u8], value: &[u8]) {
    // SAFETY: both are live slices.
    unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) };
}

pub(super) fn foreign_function(name: &str, argument: &[u8]) -> Option<Vec<u8>> {
    let (mut data, mut length) = (null_mut(), 0);
    // SAFETY: as in `buffer`; name and argument are live slices.
    unsafe {
        let status = proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            &raw mut data,
            &raw mut length,
        );
        owned(status, data, length)
    }
}

pub(super) fn shared_data(key: &str) -> Option<Vec<u8>> {
    let (mut data, mut length, mut version) = (null_mut(), 0, 0);
    // SAFETY: as in `buffer`; the key is a live string, and `version` outlives the call.
    unsafe {
        let status = proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut data,
            &raw mut length,
            &raw mut version,
        );
        owned(status, data, length)
    }
}

/// Whatever stands there is overwritten.
pub(super) fn set_shared_data(key: &str, value: &[u8]) {
    const WHATEVER_VERSION: u32 = 0;
    // SAFETY: both are live slices.
    unsafe {
        proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            WHATEVER_VERSION,
        )
    };
}

pub(super) fn replace_header(map: Map, name: &[u8], value: &[u8]) -> bool {
    // SAFETY: both are live slices.
    unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        ) == OK
    }
}

pub(super) fn add_header(map: Map, name: &[u8], value: &[u8]) -> bool {
    // SAFETY: both are live slices.
    unsafe {
        proxy_add_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        ) == OK
    }
}

pub(super) fn remove_header(map: Map, name: &[u8]) -> bool {
    // SAFETY: the name is a live slice.
    unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) == OK }
}

pub(super) fn continue_request() {
    // SAFETY: no pointers.
    unsafe { proxy_continue_stream(HTTP_REQUEST_STREAM) };
}

pub(super) fn close_response() -> bool {
    // SAFETY: no pointers. The host may run the module's callbacks for a request that is over, as it does for one whose client leaves.
    unsafe { proxy_close_stream(HTTP_RESPONSE_STREAM) == OK }
}

pub(super) fn send_local_response(status: u32, details: &[u8], body: &[u8], headers: &[u8]) {
    let body_start = if body.is_empty() {
        null()
    } else {
        body.as_ptr()
    };
    // SAFETY: all are live slices.
    unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body_start,
            body.len(),
            headers.as_ptr(),
            headers.len(),
            DERIVED_GRPC_STATUS,
        )
    };
}

pub(super) fn define_metric(kind: Metric, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the name is a live string, and `id` outlives the call.
    let status =
        unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

pub(super) fn increment_metric(id: u32, change: i64) {
    // SAFETY: no pointers.
    unsafe { proxy_increment_metric(id, change) };
}

pub(super) fn record_metric(id: u32, value: u64) {
    // SAFETY: no pointers.
    unsafe { proxy_record_metric(id, value) };
}

pub(super) fn http_call(
    upstream: &str,
    headers: &[u8],
    body: &[u8],
    trailers: &[u8],
    timeout_ms: u32,
) -> Result<u32, Refused> {
    let mut call = 0;
    // SAFETY: all are live slices, and `call` outlives the call.
    let status = unsafe {
        proxy_http_call(
            upstream.as_ptr(),
            upstream.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            trailers.as_ptr(),
            trailers.len(),
            timeout_ms,
            &raw mut call,
        )
    };
    if status == OK {
        Ok(call)
    } else {
        Err(Refused(status))
    }
}

//! What the host calls (proxy-wasm ABI 0.2.1, "Callbacks exposed by the Wasm module"): every export of the module, and no other. Each finds
//! out whom it is about, and leaves the rest to that.
//!
//! A host calls every callback that it finds, several times for a request, so these are only those in which something is done. One may be
//! called from within a host call of another, as when an answer ends its request: contexts are borrowed for no longer than it takes to
//! look one up.
#![expect(unsafe_code, reason = "a host finds its callbacks by their names")]

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::rc::Rc;

use hallpass_core::contexts::{Contexts, Ended};

use crate::host;
use crate::http::{Request, Verdict, refuse_unjudged};
use crate::root::Root;

thread_local! {
    static CONTEXTS: RefCell<Contexts<Root>> = RefCell::default();
}

fn look_up<R>(look: impl FnOnce(&mut Contexts<Root>) -> R) -> R {
    CONTEXTS.with(|contexts| look(&mut contexts.borrow_mut()))
}

fn root(id: u32) -> Option<Rc<Root>> {
    look_up(|contexts| contexts.root(id))
}

/// What is to become of a request for now. One without a root or a configuration is refused.
fn judged(id: u32, judge: impl FnOnce(Request<'_>) -> Verdict) -> u32 {
    let root = look_up(|contexts| contexts.root_of(id));
    let request = root.as_ref().and_then(|root| root.request(id));
    request.map_or_else(refuse_unjudged, judge).to_abi()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Memory for what the host has to tell, which [`host`] takes over.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut MaybeUninit<u8> {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _configuration_size: usize) -> bool {
    host::tell_panics();
    true
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(id: u32, parent: u32) {
    const NOBODY: u32 = 0;
    look_up(|contexts| match parent {
        NOBODY => contexts.begin_root(id, Root::new(id)),
        root => contexts.begin_request(id, root),
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(id: u32, configuration_size: usize) -> bool {
    root(id).is_some_and(|root| root.configure(configuration_size))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(id: u32) {
    if let Some(root) = root(id) {
        root.tick();
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    id: u32,
    call: u32,
    _headers: u32,
    body_size: usize,
    _trailers: u32,
) {
    if let Some(root) = root(id) {
        root.take_reply(call, body_size);
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _headers: u32, ends_here: u32) -> u32 {
    judged(id, |request| request.judge_headers(ends_here != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(id: u32, _size: u32, _ends_here: u32) -> u32 {
    judged(id, |request| request.hold_while_waiting())
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(id: u32, _trailers: u32) -> u32 {
    judged(id, |request| request.judge_trailers())
}

/// A request is over: its client has its answer, or has gone. Or a root is, and with it the configuration.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(id: u32) {
    match look_up(|contexts| contexts.end(id)) {
        Ended::Request(root) => {
            if let Some(request) = root.as_ref().and_then(|root| root.request(id)) {
                request.forget();
            }
        }
        Ended::Root(root) => root.end(),
    }
}

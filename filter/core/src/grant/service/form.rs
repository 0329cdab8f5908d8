//! The form that a denial names for requesting access (`AuthZEN` Access Request and Approval Profile, draft 1).
//!
//! The service may be told what to say by others, and a person follows the link that the filter shows. So it leads to where the operator
//! sends people anyway, or is not shown.

use std::sync::Arc;

use crate::json::borrowed::Value;
use crate::origin::Origin;

/// A longer address is not shown: it lies in memory with the denial.
const MAX_URL_BYTES: usize = 2_048;

/// The form that a denial's context names, if it names one.
///
/// # Errors
/// Why it is not shown, for the log.
pub(super) fn read(context: &Value<'_>, own: Option<&Origin>) -> Option<Result<Arc<str>, String>> {
    let form = context.as_object()?.get("access_request")?;
    let form = form.as_object()?.get("form_url")?;
    Some(shown(form, own))
}

fn shown(form: &Value<'_>, own: Option<&Origin>) -> Result<Arc<str>, String> {
    let url = form.as_str().ok_or("it is no text")?;
    if url.len() > MAX_URL_BYTES {
        return Err(format!("it has more than {MAX_URL_BYTES} bytes"));
    }
    let own = own.ok_or("`grants.request_url` names no origin that it could share")?;
    let (origin, _) =
        Origin::of(url).ok_or_else(|| format!("{url:?} is no `http` or `https` URL"))?;
    if origin != *own {
        return Err(format!(
            "{url:?} is not of the origin of `grants.request_url`"
        ));
    }
    Ok(url.into())
}

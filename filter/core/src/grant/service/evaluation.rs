//! The body of a reply (`AuthZEN` 1.0, the Access Evaluation response): what of it is understood.

use std::sync::Arc;

use super::reply::Remark;
use super::{Ruling, form, obligations};
use crate::identity::is_header_value;
use crate::ids::GrantId;
use crate::json::borrowed::{self, Members, Value};
use crate::json::{self, StrictValue};
use crate::origin::Origin;
use crate::time::UnixMillis;

/// A longer grant id is not believed.
const MAX_ID_BYTES: usize = 256;

/// What the body decides, and what an operator should know about it.
///
/// A denial is one whatever else the service says; an allow must be understood as a whole, and one with an obligation that cannot be met
/// counts as a denial, whatever else is wrong with it.
///
/// # Errors
/// Why it is no decision, for the log.
pub(super) fn read(
    body: &[u8],
    own_forms: Option<&Origin>,
) -> Result<(Ruling, Option<Remark>), String> {
    let evaluation = borrowed::object(body).ok_or_else(|| what_is_wrong(body))?;
    let context = said(&evaluation, "context");
    match evaluation.get("decision") {
        Some(Value::Bool(true)) => allow(context),
        Some(Value::Bool(false)) => Ok(deny(context, own_forms)),
        Some(_) => Err("`decision` is neither `true` nor `false`".to_owned()),
        None => Err("it has no `decision`".to_owned()),
    }
}

/// Of a body that cannot be read. This is rare, so it is read again, by whom can tell.
fn what_is_wrong(body: &[u8]) -> String {
    match serde_json::from_slice::<StrictValue>(body) {
        Ok(_) => "it is no object".to_owned(),
        Err(error) => json::told(&error),
    }
}

/// A member that says something: `null` is as good as none.
pub(super) fn said<'a, 'b>(members: &'a Members<'b>, name: &str) -> Option<&'a Value<'b>> {
    members.get(name).filter(|value| !value.is_null())
}

fn deny(context: Option<&Value<'_>>, own_forms: Option<&Origin>) -> (Ruling, Option<Remark>) {
    let (form_url, remark) = match context.and_then(|context| form::read(context, own_forms)) {
        None => (None, None),
        Some(Ok(url)) => (Some(url), None),
        Some(Err(why)) => (None, Some(Remark::Form(why))),
    };
    (Ruling::Deny { form_url }, remark)
}

fn allow(context: Option<&Value<'_>>) -> Result<(Ruling, Option<Remark>), String> {
    let of_nothing_more = Ruling::Allow {
        id: None,
        until: None,
        step_up: None,
    };
    let Some(context) = context else {
        return Ok((of_nothing_more, None));
    };
    let context = context.as_object().ok_or("`context` is no object")?;
    let step_up = match said(context, "obligations") {
        None => None,
        Some(Value::Array(obligations)) => {
            let obligations: Vec<_> = obligations.iter().cloned().map(Into::into).collect();
            match obligations::read(&obligations) {
                Ok(step_up) => step_up.map(Arc::new),
                Err(what) => return Ok((Ruling::Obliged, Some(Remark::Obligation(what)))),
            }
        }
        // What it demands cannot be told, so it cannot be met.
        Some(_) => {
            let what = "`context.obligations`, which is no list".to_owned();
            return Ok((Ruling::Obliged, Some(Remark::Obligation(what))));
        }
    };
    let (id, until) = match said(context, "approval") {
        None => (None, None),
        Some(approval) => {
            let approval = approval
                .as_object()
                .ok_or("`context.approval` is no object")?;
            (grant_id(approval)?, end(approval)?)
        }
    };
    Ok((Ruling::Allow { id, until, step_up }, None))
}

fn grant_id(approval: &Members<'_>) -> Result<Option<GrantId>, String> {
    let Some(id) = said(approval, "id") else {
        return Ok(None);
    };
    let id = id.as_str().ok_or("`approval.id` is no text")?;
    if id.len() > MAX_ID_BYTES || !is_header_value(id) {
        return Err("`approval.id` is too long or holds control characters".to_owned());
    }
    Ok(Some(GrantId::new(id)))
}

fn end(approval: &Members<'_>) -> Result<Option<UnixMillis>, String> {
    let Some(end) = said(approval, "approved_until") else {
        return Ok(None);
    };
    let end = end.as_str().and_then(UnixMillis::from_rfc3339);
    Ok(Some(end.ok_or("`approved_until` is not an RFC 3339 time")?))
}

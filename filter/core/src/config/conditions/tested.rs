//! A claim, a header or a part of the client's certificate, with the one test that it must pass.

use super::super::fault::{Faults, Place};
use super::super::headers::header_name;
use super::super::raw::RawCondition;
use super::Reader;
use super::operator::Operator;
use crate::policy::conditions::{
    CertificateCondition, CertificateField, Condition, HeaderCondition,
};

impl Reader<'_> {
    /// A claim, a header or a part of the certificate, and what it must be.
    pub(super) fn tested(&mut self, raw: RawCondition, place: &Place) -> Option<Condition> {
        let (claim, header, certificate) = (raw.claim, raw.header, raw.certificate);
        let operator = Operator::read(
            (
                raw.present,
                raw.equals,
                raw.one_of,
                raw.contains,
                raw.prefix,
            ),
            place,
            self.faults,
        );
        if !claim.is_absent() {
            let place = place.member("claim");
            let name = claim.required(&place, self.faults);
            let path = name.and_then(|name| self.path(&name, &place));
            let test = operator?.of_value(self.faults)?;
            return self.claim(path?, test, &place);
        }
        if !header.is_absent() {
            let place = place.member("header");
            let name = header.required(&place, self.faults);
            let name = name.and_then(|name| self.header(&name, &place));
            return operator?.of_header(name.as_deref(), self.faults);
        }
        let place = place.member("certificate");
        let field = certificate.required(&place, self.faults)?;
        let known = CertificateField::ALL.into_iter();
        let Some(field) = known.into_iter().find(|one| one.name() == field) else {
            let expected = "`sha256`, `uri_san` or `dns_san`";
            self.faults.push_value(&place, &field.into(), expected);
            return None;
        };
        operator?.of_certificate(field, self.faults)
    }

    /// A header that the filter takes out of every request says nothing about one.
    fn header(&mut self, name: &str, place: &Place) -> Option<String> {
        let header = header_name(name).filter(|name| !self.headers.protects(name.as_bytes()));
        if header.is_none() {
            let expected = "the name of a header that clients may send";
            self.faults.push_value(place, &name.into(), expected);
        }
        header
    }
}

impl Operator {
    /// Of a header without a sound `name` only what is wrong with the test is told.
    fn of_header(self, name: Option<&str>, faults: &mut Faults) -> Option<Condition> {
        let Some(is_present) = self.presence() else {
            let test = self.of_text(faults)?;
            return Some(Condition::Header(HeaderCondition::new(name?, test)));
        };
        let present = Condition::Header(HeaderCondition::present(name?));
        Some(if is_present {
            present
        } else {
            Condition::Not(Box::new(present))
        })
    }

    fn of_certificate(self, field: CertificateField, faults: &mut Faults) -> Option<Condition> {
        let condition = match self.presence() {
            Some(true) => CertificateCondition::present(field),
            Some(false) => {
                let expected = "`true`: what the proxy does not show of a certificate is not known";
                faults.push(self.place(), "`false`", expected);
                return None;
            }
            None if field == CertificateField::Sha256 => {
                CertificateCondition::new(field, self.of_fingerprint(faults)?)
            }
            None => CertificateCondition::new(field, self.of_text(faults)?),
        };
        Some(Condition::Certificate(condition))
    }
}

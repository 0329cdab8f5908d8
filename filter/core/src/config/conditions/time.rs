//! When a resource is open.

use super::super::fault::Place;
use super::super::field::{Field, elements};
use super::super::raw::RawTimeWindow;
use super::{MAX_LISTED, MAX_WINDOWS, Reader};
use crate::policy::conditions::{
    Condition, DAY_NAMES, Days, TimeWindow, TimeWindows, time_of_day, time_zone,
};

impl Reader<'_> {
    pub(super) fn time(
        &mut self,
        field: Field<Vec<Field<RawTimeWindow>>>,
        place: &Place,
    ) -> Option<Condition> {
        let list = self.listed(field, MAX_WINDOWS, place)?;
        let mut windows = Vec::new();
        for (index, element) in list.into_iter().enumerate() {
            let place = place.element(index);
            let raw = element.required(&place, self.faults);
            windows.extend(raw.and_then(|raw| self.window(raw, &place)));
        }
        Some(Condition::Time(TimeWindows::new(windows)))
    }

    fn window(&mut self, raw: RawTimeWindow, place: &Place) -> Option<TimeWindow> {
        raw.refuse_unknown(place, self.faults);
        let days = self.days(raw.days, &place.member("days"));
        let from = self.time_of_day(raw.from, &place.member("from"));
        let to_place = place.member("to");
        let to = self.time_of_day(raw.to, &to_place);
        let zone_place = place.member("time_zone");
        let zone = raw.time_zone.required(&zone_place, self.faults);
        let zone = zone.and_then(|name| {
            let zone = time_zone(&name);
            if zone.is_none() {
                let expected = "a time zone of the IANA database, such as `Europe/Berlin` or `UTC`";
                self.faults.push_value(&zone_place, &name.into(), expected);
            }
            zone
        });
        let (days, from, to, zone) = (days?, from?, to?, zone?);
        let window = TimeWindow::new(days, from, to, zone);
        if window.is_none() {
            let expected = "another time than `from`, which is before `24:00`; a whole day is `00:00` to `24:00`";
            self.faults.push(&to_place, "no window", expected);
        }
        window
    }

    /// Left out, it is every day.
    fn days(&mut self, field: Field<Vec<Field<String>>>, place: &Place) -> Option<Days> {
        if field.is_absent() {
            return Some(Days::ALL);
        }
        let list = self.listed(field, MAX_LISTED, place)?;
        let mut all = Days::default();
        for (place, text) in elements(list, place, self.faults) {
            if let Some(days) = Days::parse(&text) {
                all = all.and(days);
            } else {
                let names = DAY_NAMES.map(|name| format!("`{name}`")).join(", ");
                let expected = format!("a day ({names}) or a range such as `mon-fri`");
                self.faults.push_value(&place, &text.into(), &expected);
            }
        }
        Some(all)
    }

    fn time_of_day(&mut self, field: Field<String>, place: &Place) -> Option<u64> {
        let text = field.required(place, self.faults)?;
        let time = time_of_day(&text);
        if time.is_none() {
            let expected = "a time of day from `00:00` to `24:00`";
            self.faults.push_value(place, &text.into(), expected);
        }
        time
    }
}

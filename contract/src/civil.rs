//! Days of the Gregorian calendar, counted from the Unix epoch, both ways.
//!
//! No clock, no zones, no text: those who write a time decide how it looks.
//! Invariant: the two functions are each other's inverse.

/// Days of four hundred years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;
/// From the first of March of the year 0 to the epoch.
const EPOCH: i64 = 719_468;

/// Year, month and day of a day counted from the Unix epoch.
///
/// ```
/// assert_eq!(contract::civil::civil_of(11_016), (2000, 2, 29));
/// ```
#[must_use]
pub fn civil_of(days: i64) -> (i64, i64, i64) {
    // Years are counted from March here, so that the leap day is the last one.
    let days = days + EPOCH;
    let (era, of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The day counted from the Unix epoch; none where the calendar does not have it.
///
/// ```
/// assert_eq!(contract::civil::days_of(2000, 2, 29), Some(11_016));
/// assert_eq!(contract::civil::days_of(2100, 2, 29), None);
/// ```
#[must_use]
pub fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let year_from_march = year - i64::from(month <= 2);
    let (era, of_era) = (
        year_from_march.div_euclid(400),
        year_from_march.rem_euclid(400),
    );
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH;
    (civil_of(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_hundred_years_has_one_name_and_is_found_by_it() {
        let mut before = civil_of(-ERA_DAYS - 1);
        for days in -ERA_DAYS..ERA_DAYS {
            let (year, month, day) = civil_of(days);
            assert_eq!(days_of(year, month, day), Some(days));
            let next_day = (year, month) == (before.0, before.1) && day == before.2 + 1;
            let next_month = day == 1 && (month == before.1 + 1 || (month, before.1) == (1, 12));
            assert!(next_day || next_month, "{before:?} before {days}");
            before = (year, month, day);
        }
    }

    #[test]
    fn days_that_the_calendar_does_not_have_are_refused() {
        for (year, month, day) in [
            (2023, 2, 29),
            (2024, 4, 31),
            (1900, 2, 29),
            (2024, 0, 1),
            (2024, 13, 1),
            (2024, 1, 0),
        ] {
            assert_eq!(days_of(year, month, day), None, "{year}-{month}-{day}");
        }
    }
}

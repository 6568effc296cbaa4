//! Who earned how many.

use raccord_model::{Crediting, Validation};

/// How somebody took part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// The amount that stands with the task or the activity, in hundredths.
    pub amount: i64,
    /// Whose word it is.
    pub by: Validation,
    /// How long they worked, in minutes, where that is known.
    pub minutes: Option<u32>,
}

/// What somebody earned, in hundredths; nothing where that word does not count, or where an amount
/// is for an hour and nobody knows how long it took. Half a hundredth is rounded up.
pub fn earned(rules: &Crediting, took: &Took) -> i64 {
    if took.amount <= 0 || !rules.validated_by.contains(&took.by) {
        return 0;
    }
    if !rules.per_hour {
        return took.amount;
    }
    let hours = i128::from(took.minutes.unwrap_or(0));
    let hundredths = (i128::from(took.amount) * hours + 30) / 60;
    i64::try_from(hundredths).unwrap_or(i64::MAX)
}

/// What kept a grant below what was earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// The most for the work of one day.
    Day,
    /// The most for the work of one month.
    Month,
    /// The most that one person ever receives.
    Person,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(by: Validation, minutes: Option<u32>) -> Took {
        Took {
            amount: 150,
            by,
            minutes,
        }
    }

    #[test]
    fn nobody_says_for_themselves_that_they_came_unless_that_is_allowed() {
        let mut rules = Crediting::default();
        for by in Validation::ALL {
            let own = by == Validation::Own;
            assert_eq!(earned(&rules, &took(by, None)), if own { 0 } else { 150 });
        }
        rules.validated_by.insert(Validation::Own);
        assert_eq!(earned(&rules, &took(Validation::Own, None)), 150);
    }

    #[test]
    fn an_amount_for_an_hour_goes_by_the_minutes() {
        let rules = Crediting {
            per_hour: true,
            ..Crediting::default()
        };
        let of = |minutes| earned(&rules, &took(Validation::Organiser, minutes));
        assert_eq!(of(Some(60)), 150);
        assert_eq!(of(Some(90)), 225);
        assert_eq!(of(Some(1)), 3, "two and a half");
        assert_eq!(of(Some(0)), 0);
        assert_eq!(of(None), 0, "nobody guesses");
        let much = Took {
            amount: i64::MAX,
            by: Validation::Tool,
            minutes: Some(u32::MAX),
        };
        assert_eq!(earned(&rules, &much), i64::MAX);
    }
}

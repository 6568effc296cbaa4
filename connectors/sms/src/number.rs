//! Numbers of telephones, as networks write them (E.164). Strict: what is not surely a number is none.

/// The fewest and the most digits of a number with its calling code.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// What people write between digits.
const BETWEEN: &str = " \u{a0}\u{202f}.-()/";

/// A calling code: `+` and one to three digits.
pub(crate) fn is_calling_code(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (1..=3).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

/// `+262692123456`, of what somebody wrote. A number without a calling code is read with that of
/// `country`, its first zero being the one of calls within a country.
pub(crate) fn e164(text: &str, country: Option<&str>) -> Option<String> {
    let mut plain = String::new();
    for c in text.trim().chars() {
        match c {
            '+' if plain.is_empty() => plain.push(c),
            c if c.is_ascii_digit() => plain.push(c),
            c if BETWEEN.contains(c) => {}
            _ => return None,
        }
        if plain.len() > 20 {
            return None;
        }
    }
    let number = match plain.strip_prefix("00") {
        Some(abroad) => format!("+{abroad}"),
        None if plain.starts_with('+') => plain,
        None => {
            let own = plain.strip_prefix('0')?;
            format!("{}{own}", country?)
        }
    };
    let digits = number.strip_prefix('+')?;
    // "+262 (0)692": the zero is dialled within the country only.
    let doubled = country.is_some_and(|country| number.starts_with(&format!("{country}0")));
    (DIGITS.contains(&digits.len()) && !digits.starts_with('0') && !doubled).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        let read = |text: &str| e164(text, Some("+262"));
        for text in [
            "+262692123456",
            "+262 692 12 34 56",
            "00262 692.12.34.56",
            "0692 12-34-56",
            " (0692) 12\u{a0}34\u{a0}56 ",
        ] {
            assert_eq!(read(text).as_deref(), Some("+262692123456"), "{text}");
        }
        assert_eq!(read("+33 6 12 34 56 78").as_deref(), Some("+33612345678"));
        assert_eq!(e164("0692123456", None), None, "of which country?");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            "+",
            "0",
            "112",
            "692123456",
            "+0692123456",
            "+262 (0)692 12 34 56",
            "+2626921234567890",
            "+26269212345x",
            "0692;123456",
            "*123#",
            "+262+692123456",
            "٠٦٩٢١٢٣٤٥٦",
            &"1".repeat(10_000),
        ] {
            assert_eq!(e164(text, Some("+262")), None, "{text}");
        }
    }

    #[test]
    fn a_calling_code_is_a_plus_and_up_to_three_digits() {
        for good in ["+1", "+33", "+262"] {
            assert!(is_calling_code(good), "{good}");
        }
        for wrong in ["", "+", "33", "+0", "+2620", "FR", "+2a"] {
            assert!(!is_calling_code(wrong), "{wrong}");
        }
    }
}

//! How much goes on a page: as many rows as the budget lets, with excerpts as long as it lets.

/// The excerpts of descriptions in a list, the longest that lets the page fit.
pub(super) const EXCERPTS: [usize; 3] = [220, 90, 0];

/// The largest page that stays within `budget` bytes: how many of `count` items it takes, and its
/// HTML.
pub(super) fn fitting(
    budget: usize,
    count: usize,
    render: impl Fn(usize, usize) -> Result<String, askama::Error>,
) -> Result<(usize, String), askama::Error> {
    // Far too many cannot fit with any excerpt; they are not even tried.
    let mut taken = count.min(budget / 200);
    if taken == count {
        for excerpt in EXCERPTS {
            let html = render(count, excerpt)?;
            if html.len() <= budget {
                return Ok((count, html));
            }
        }
    }
    loop {
        let html = render(taken, EXCERPTS[1])?;
        if html.len() <= budget || taken <= 1 {
            return Ok((taken, html));
        }
        taken = (taken * budget / html.len()).clamp(1, taken - 1);
    }
}

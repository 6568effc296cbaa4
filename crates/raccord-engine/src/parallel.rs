//! Pure work on many items, on as many cores as there are: the same results in the same order.

use std::num::NonZero;
use std::thread::{available_parallelism, scope};

/// Below this a thread costs more than it gains.
const WORTH: usize = 2_000;

/// `of` of each item, in order.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    if items.len() < WORTH || cores == 1 {
        return items.iter().map(of).collect();
    }
    let of = &of;
    scope(|scope| {
        let parts: Vec<_> = items
            .chunks(items.len().div_ceil(cores))
            .map(|part| scope.spawn(move || part.iter().map(of).collect::<Vec<R>>()))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| match part.join() {
                Ok(results) => results,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_items_keep_their_order() {
        for count in [0, 1, WORTH - 1, WORTH, WORTH * 5 + 1] {
            let items: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(map(&items, |item| item * 2), doubled);
        }
    }
}

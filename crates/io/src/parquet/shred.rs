//! From offsets and masks to repetition and definition levels: the way back of `levels.rs`.

use crate::column::Axis;
use crate::parquet::levels::Levels;

/// The levels of `len` entries under axes, or what does not fit in them. Lists of one length are written as lists.
pub(crate) fn levels(len: usize, axes: &[Axis]) -> Result<Levels, &'static str> {
    let mut repetition = vec![0_u8; len];
    let mut definition = vec![0_u8; len];
    let (mut lists, mut defined) = (0_u8, 0_u8);
    for axis in axes {
        // An entry stands for the next instance of this level exactly if everything above it is there.
        let mut at = 0;
        if let Axis::Option(present) = axis {
            for level in definition.iter_mut().filter(|d| **d == defined) {
                *level += u8::from(*present.get(at).ok_or("a mask is too short")?);
                at += 1;
            }
        } else {
            let (old_r, old_d) = (
                std::mem::take(&mut repetition),
                std::mem::take(&mut definition),
            );
            repetition.reserve(old_r.len());
            definition.reserve(old_d.len());
            for (r, d) in old_r.into_iter().zip(old_d) {
                let mut count = 0;
                if d == defined {
                    count = children(axis, at)?;
                    at += 1;
                }
                // An empty list is an entry as well, that says so.
                repetition.push(r);
                definition.push(d + u8::from(count > 0));
                for _ in 1..count {
                    repetition.push(lists + 1);
                    definition.push(defined + 1);
                }
            }
            lists += 1;
        }
        defined += 1;
    }
    Ok(Levels {
        repetition,
        definition,
    })
}

fn children(axis: &Axis, parent: usize) -> Result<usize, &'static str> {
    match axis {
        Axis::Fixed(n) => Ok(*n),
        Axis::List(offsets) => {
            let ends = offsets.get(parent).zip(offsets.get(parent + 1));
            let (start, end) = ends.ok_or("offsets are too short")?;
            usize::try_from(end - start).map_err(|_| "offsets decrease")
        }
        Axis::Option(_) => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::parquet::layout::Step;

    #[test]
    fn the_way_back() {
        let axes = vec![
            Axis::Option(Arc::new(vec![true, true, false, true])),
            Axis::List(Arc::new(vec![0, 2, 2, 5])),
            Axis::Option(Arc::new(vec![true, true, true, false, true])),
            Axis::List(Arc::new(vec![0, 2, 2, 2, 3])),
        ];
        let levels = levels(4, &axes).unwrap();
        assert_eq!(levels.repetition, [0, 2, 1, 0, 0, 0, 1, 1]);
        assert_eq!(levels.definition, [4, 4, 3, 1, 0, 3, 2, 4]);
        let option = Step::Option(1);
        let steps = [option, Step::List, option, Step::List];
        assert_eq!(levels.axes(&steps), axes);
    }

    #[test]
    fn axes_that_do_not_fit_are_refused() {
        for axes in [
            [Axis::List(Arc::new(vec![0, 1]))],
            [Axis::List(Arc::new(vec![0, 2, 1]))],
            [Axis::Option(Arc::new(vec![true]))],
        ] {
            assert!(levels(2, &axes).is_err());
        }
    }
}

//! Reductions along levels, filters, combinations: the words of ragged arrays.

use crate::attr::Attrs;
use crate::build::Sym;
use crate::prim;
use crate::space::LevelId;

impl Sym<'_> {
    /// Product along a level: Πᵢ x\[p, i, q\]; 1 for an empty segment.
    ///
    /// The derivative to an element is the product of the others, without a division: exact where elements are zero.
    ///
    /// ```
    /// use pullback_array::{Bindings, Builder, Column, Lowered, transform};
    /// let b = Builder::new();
    /// let rows = b.ragged("rows", b.dense("cells"));
    /// let x = b.input("x", rows);
    /// let y = x.prod(rows.last().unwrap()).sum_all();
    /// let program = b.finish(&[("y", y)]).unwrap();
    /// let lowered = Lowered::new(transform::grad(&program, "y", &["x"]).unwrap()).unwrap();
    /// let mut ws = lowered.workspace();
    /// let columns = [Column::Offsets(&[0, 2, 2, 3]), (&[3.0, 0.0, 5.0]).into()];
    /// lowered.run(&mut ws, &Bindings::ordered(&columns)).unwrap();
    /// assert_eq!(ws.scalar(0), 3.0 * 0.0 + 1.0 + 5.0);
    /// assert_eq!(ws.f64(1), [0.0, 3.0, 1.0]);
    /// ```
    pub fn prod(self, over: LevelId) -> Self {
        self.apply(prim::PROD, Attrs::over(over))
    }

    /// The product of the other elements along a level: Πⱼ≠ᵢ x\[p, j, q\].
    pub fn exclusive_prod(self, over: LevelId) -> Self {
        self.apply(prim::EXCLUSIVE_PROD, Attrs::over(over))
    }
}

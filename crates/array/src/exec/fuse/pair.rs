//! Two sums, differences or products, one inside the other: what is between them stays in a register.

use std::marker::PhantomData;

use pullback_ad::Binary;
use pullback_ad::isa::{Isa, Level};

use super::step::{Site, Step};
use crate::exec::lowering::repeated_number;
use crate::exec::map::{Lane, select};
use crate::exec::{Kernel, LowerCx, MapFn};
use crate::prim::binary::binary;
use crate::primitive::PrimitiveRef;

/// An operation of a pair.
trait Operation: 'static {
    fn of(a: f64, b: f64) -> f64;
}

macro_rules! operations {
    ($($name:ident $op:tt),*) => {
        $(
            struct $name;
            impl Operation for $name {
                #[inline(always)]
                fn of(a: f64, b: f64) -> f64 {
                    a $op b
                }
            }
        )*
    };
}
operations!(Add +, Sub -, Mul *);

/// c F (a G b), and with the inner one in front if `FIRST`. Both round: a multiply-add in one step would have other bits.
struct Pair<F, G, const FIRST: bool>(PhantomData<(F, G)>);

impl<F: Operation, G: Operation, const FIRST: bool> Lane for Pair<F, G, FIRST> {
    type A = f64;
    type B = f64;
    type C = f64;
    type Out = f64;

    #[inline(always)]
    fn eval<I: Isa>(a: f64, b: f64, c: f64) -> f64 {
        let inner = G::of(a, b);
        if FIRST {
            F::of(inner, c)
        } else {
            F::of(c, inner)
        }
    }
}

/// The kernel of a pair whose arguments are scalars as in `mask`. Sums and products have their inner one in front: to swap them changes no bit.
fn kernel(
    outer: Binary,
    inner: Binary,
    first: bool,
) -> Option<fn(isa: Level, mask: u8) -> Option<MapFn>> {
    fn of<F: Operation, G: Operation, const FIRST: bool>(isa: Level, mask: u8) -> Option<MapFn> {
        select::<Pair<F, G, FIRST>>(isa, 3, mask)
    }
    Some(match (outer, inner, first) {
        (Binary::Add, Binary::Add, _) => of::<Add, Add, true>,
        (Binary::Add, Binary::Sub, _) => of::<Add, Sub, true>,
        (Binary::Add, Binary::Mul, _) => of::<Add, Mul, true>,
        (Binary::Mul, Binary::Add, _) => of::<Mul, Add, true>,
        (Binary::Mul, Binary::Sub, _) => of::<Mul, Sub, true>,
        (Binary::Mul, Binary::Mul, _) => of::<Mul, Mul, true>,
        (Binary::Sub, Binary::Add, true) => of::<Sub, Add, true>,
        (Binary::Sub, Binary::Sub, true) => of::<Sub, Sub, true>,
        (Binary::Sub, Binary::Mul, true) => of::<Sub, Mul, true>,
        (Binary::Sub, Binary::Add, false) => of::<Sub, Add, false>,
        (Binary::Sub, Binary::Sub, false) => of::<Sub, Sub, false>,
        (Binary::Sub, Binary::Mul, false) => of::<Sub, Mul, false>,
        _ => return None,
    })
}

const OPERATIONS: [Binary; 3] = [Binary::Add, Binary::Sub, Binary::Mul];

fn operation(p: PrimitiveRef) -> Option<Binary> {
    OPERATIONS.into_iter().find(|f| binary(*f) == p)
}

pub(super) fn of_operations(site: &Site<'_, '_>, k: u32) -> Option<Step> {
    let node = site.node(k);
    let outer = operation(node.primitive)?;
    // Whether kernels read it as a number.
    let is_scalar = |v| repeated_number(site.program(), v).is_some();
    for place in [0, 1] {
        let inner = node.args[place];
        let found = OPERATIONS
            .into_iter()
            .find_map(|f| Some((f, site.inner(inner, binary(f))?)));
        let Some((f, (g, within))) = found else {
            continue;
        };
        let (mut a, mut b) = (within.args[0], within.args[1]);
        if f != Binary::Sub && is_scalar(a) {
            (a, b) = (b, a);
        }
        let args = vec![a, b, node.args[1 - place]];
        let mask = (0..3).filter(|i| is_scalar(args[*i])).map(|i| 1 << i).sum();
        let pair = kernel(outer, f, place == 0)?;
        if pair(site.cx.isa(), mask).is_none() {
            continue;
        }
        let make = move |cx: &LowerCx<'_>| {
            let isa = cx.isa();
            Ok(Kernel::Map(Box::new(move |mask| pair(isa, mask))))
        };
        let step = Step::chain(site.program(), vec![g, k], args, Vec::new(), Box::new(make))?;
        return Some(Step {
            elementwise: true,
            ..step
        });
    }
    None
}

//! Recording: a [`Builder`] collects nodes; a [`Sym`] is a handle to a value that has the operators of a number.
//!
//! ```
//! use pullback_ad::Real;
//! use pullback_array::Builder;
//! let b = Builder::new();
//! let bins = b.dense("bins");
//! let x = b.input("x", bins);
//! let y = (x * 2.0).exp().sum_all();
//! let program = b.finish(&[("y", y)]).unwrap();
//! assert_eq!(program.nodes().len(), 6); // x, 2, its broadcast, mul, exp, sum_all
//! ```
//!
//! Operators cannot return errors: the first one is kept and returned by [`Builder::finish`].

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use crate::attr::{Attr, Attrs, Data};
use crate::error::{Error, Result};
use crate::prim;
use crate::primitive::{PrimitiveRef, ill_formed};
use crate::program::{Program, ValueId};
use crate::space::{Level, LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// A value while it is recorded: a constant number, or a value of the builder's program.
#[derive(Clone, Copy)]
pub struct Sym<'b> {
    repr: Repr<'b>,
}

#[derive(Clone, Copy)]
enum Repr<'b> {
    Const(f64),
    Value(&'b Builder, ValueId),
}

impl std::fmt::Debug for Sym<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.repr {
            Repr::Const(c) => write!(f, "{c:?}"),
            Repr::Value(_, id) => write!(f, "%{}", id.0),
        }
    }
}

/// Multiply-rotate hash: node keys are short and trusted.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

/// Records a program. Equal pure nodes are recorded once.
pub struct Builder {
    program: RefCell<Program>,
    /// Hash of (primitive, arguments, parameters) to nodes with that hash.
    known: RefCell<HashMap<u64, Vec<u32>, BuildHasherDefault<KeyHasher>>>,
    failure: RefCell<Option<Error>>,
    label: RefCell<Option<Arc<str>>>,
    hash_consing: Cell<bool>,
    /// Whether rules may skip the tangents of intermediate values that they can contract at once.
    shortcuts: Cell<bool>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// An empty program.
    pub fn new() -> Self {
        Self {
            program: RefCell::default(),
            known: RefCell::default(),
            failure: RefCell::default(),
            label: RefCell::default(),
            hash_consing: Cell::new(true),
            shortcuts: Cell::new(true),
        }
    }

    /// Continues a recorded program: its values keep their numbers.
    pub fn resume(program: &Program) -> Self {
        let b = Self::new();
        {
            let mut known = b.known.borrow_mut();
            for (k, node) in program.nodes().iter().enumerate() {
                known
                    .entry(key(node.primitive, &node.args, &node.attrs))
                    .or_default()
                    .push(k as u32);
            }
        }
        let mut copy = program.clone();
        copy.outputs.clear();
        b.program.replace(copy);
        b
    }

    /// [`Self::resume`] in a way that every value gets a tangent of its own, for transforms that need the adjoint of each.
    pub(crate) fn resume_without_shortcuts(program: &Program) -> Self {
        let b = Self::resume(program);
        b.shortcuts.set(false);
        b
    }

    /// Whether a rule may skip the tangent of an intermediate value.
    pub(crate) fn shortcuts(&self) -> bool {
        self.shortcuts.get()
    }

    /// [`Self::resume`] without the sharing of equal nodes: for trying a node on its own.
    pub(crate) fn scratch(program: &Program) -> Self {
        let b = Self::new();
        b.hash_consing.set(false);
        let mut copy = program.clone();
        copy.outputs.clear();
        b.program.replace(copy);
        b
    }

    /// Records here what the outputs of `part` need of its nodes from `first` on; `part` began as a copy of what this builder holds, so that earlier
    /// values keep their numbers. `input` gives the values of its inputs.
    pub(crate) fn graft<'b>(
        &'b self,
        part: &Program,
        first: usize,
        input: impl Fn(&str) -> Option<Sym<'b>>,
    ) -> Result<Vec<Option<Sym<'b>>>> {
        let mut map: Vec<Option<Sym<'b>>> = vec![None; part.value_count()];
        let wanted = crate::transform::upstream(part, part.outputs().iter().map(|(_, v)| *v));
        for (k, node) in part.nodes().iter().enumerate().filter(|(k, _)| wanted[*k]) {
            if k < first {
                node.results()
                    .for_each(|r| map[r.index()] = Some(self.sym(r)));
                continue;
            }
            let name = part
                .inputs()
                .iter()
                .find(|(_, v)| *v == node.first)
                .map(|(n, _)| n);
            if let Some(sym) = name.and_then(|n| input(n)) {
                map[node.first.index()] = Some(sym);
                continue;
            }
            let args: Vec<Sym<'b>> = node.args.iter().filter_map(|a| map[a.index()]).collect();
            let results = self
                .push(node.primitive, &args, node.attrs.clone())
                .all(self);
            if let Some(error) = self.failure() {
                return Err(error);
            }
            node.results()
                .zip(results)
                .for_each(|(r, s)| map[r.index()] = Some(s));
        }
        Ok(map)
    }

    /// Ends recording: the builder is empty afterwards.
    ///
    /// # Errors
    /// The first error met while recording.
    pub fn finish(&self, outputs: &[(&str, Sym<'_>)]) -> Result<Program> {
        let named: Vec<(Arc<str>, ValueId)> = outputs
            .iter()
            .map(|(n, s)| (Arc::from(*n), self.id(*s)))
            .collect();
        self.finish_ids(named)
    }

    /// Ends recording with outputs given by their numbers.
    pub fn finish_ids(&self, outputs: Vec<(Arc<str>, ValueId)>) -> Result<Program> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let mut program = self.program.take();
        program.outputs = outputs;
        #[cfg(debug_assertions)]
        crate::check::check(&program)?;
        Ok(program)
    }

    /// The first error so far.
    pub fn failure(&self) -> Option<Error> {
        self.failure.borrow().clone()
    }

    /// Keeps an error to be returned by [`Self::finish`].
    pub fn fail(&self, error: Error) {
        self.failure.borrow_mut().get_or_insert(error);
    }

    /// The value of that number.
    pub fn sym(&self, id: ValueId) -> Sym<'_> {
        Sym {
            repr: Repr::Value(self, id),
        }
    }

    /// The number of a value; a constant becomes a node.
    pub fn id(&self, sym: Sym<'_>) -> ValueId {
        match sym.repr {
            Repr::Value(_, id) => id,
            Repr::Const(c) => self
                .push(prim::CONST, &[], Attrs::NONE.with("value", Attr::F64(c)))
                .first_id(self),
        }
    }

    /// Type of a value.
    pub fn ty(&self, sym: Sym<'_>) -> Type {
        match sym.repr {
            Repr::Const(_) => Type::f64(Space::SCALAR),
            Repr::Value(_, id) => self.program.borrow().ty(id),
        }
    }

    /// Reads the program recorded so far.
    pub fn with_program<R>(&self, f: impl FnOnce(&Program) -> R) -> R {
        f(&self.program.borrow())
    }

    /// A dense level whose length is bound at each run.
    pub fn dense(&self, name: &str) -> Space {
        self.root(name, LevelKind::Dense, None)
    }

    /// A dense level of fixed length.
    pub fn dense_of(&self, name: &str, len: usize) -> Space {
        self.root(name, LevelKind::Dense, Some(len))
    }

    /// A stream: a root whose elements are processed block by block.
    pub fn stream(&self, name: &str) -> Space {
        self.root(name, LevelKind::Stream, None)
    }

    fn root(&self, name: &str, kind: LevelKind, len: Option<usize>) -> Space {
        let level = self.level(name, kind, len);
        Space::SCALAR.child(level).unwrap_or(Space::SCALAR)
    }

    /// Declares a level; a taken name gets a number.
    pub fn level(&self, name: &str, kind: LevelKind, len: Option<usize>) -> LevelId {
        let mut program = self.program.borrow_mut();
        let name = program.fresh_level_name(name);
        program.push_level(Level { name, kind, len })
    }

    /// A ragged input level below `parent`: its offsets are an input called `name`.
    pub fn ragged(&self, name: &str, parent: Space) -> Space {
        let offsets = self.input_of(name, Type::new(DType::Offsets, parent));
        self.ragged_by(name, offsets)
    }

    /// The ragged level that an offsets value describes; the same level each time.
    pub fn ragged_by(&self, name: &str, offsets: Sym<'_>) -> Space {
        let parent = self.ty(offsets).space;
        let kind = LevelKind::Ragged {
            parent,
            offsets: self.id(offsets),
        };
        let known = self
            .program
            .borrow()
            .levels
            .iter()
            .position(|l| l.kind == kind);
        let level = known.map_or_else(|| self.level(name, kind, None), |k| LevelId(k as u16));
        parent.child(level).unwrap_or_else(|| {
            self.fail(ill_formed(
                "ragged",
                format!("more than {} levels", crate::space::MAX_DEPTH),
            ));
            parent
        })
    }

    /// The space `parent > level`, for two dense levels.
    pub fn join(&self, parent: Space, child: Space) -> Space {
        let levels: Vec<LevelId> = parent.iter().chain(child.iter()).collect();
        Space::from_levels(&levels).unwrap_or_else(|| {
            self.fail(ill_formed(
                "space",
                format!("more than {} levels", crate::space::MAX_DEPTH),
            ));
            parent
        })
    }

    /// A double input.
    pub fn input(&self, name: &str, space: Space) -> Sym<'_> {
        self.input_of(name, Type::f64(space))
    }

    /// An input of any type. The name must be new.
    pub fn input_of(&self, name: &str, ty: Type) -> Sym<'_> {
        let mut program = self.program.borrow_mut();
        if program.find_input(name).is_some() {
            drop(program);
            self.fail(Error::Input {
                input: name.into(),
                message: "declared twice".into(),
            });
            return Sym::from(f64::NAN);
        }
        let label: Arc<str> = Arc::from(name);
        let attrs = Attrs::NONE
            .with("name", Attr::Str(label.clone()))
            .with("dtype", Attr::DType(ty.dtype))
            .with("to", Attr::Space(ty.space));
        let id = program.push_node(prim::INPUT, &[], attrs, &[ty], Some(&label));
        program.inputs.push((label, id));
        drop(program);
        self.sym(id)
    }

    /// Constant data in a space.
    pub fn constant(&self, data: Data, space: Space) -> Sym<'_> {
        self.push(
            prim::DATA,
            &[],
            Attrs::to(space).with("data", Attr::Data(data)),
        )
        .first(self)
    }

    /// Constant doubles in a space.
    pub fn constant_f64(&self, data: &[f64], space: Space) -> Sym<'_> {
        self.constant(Data::F64(data.into()), space)
    }

    /// Constant integers in a space.
    pub fn constant_i64(&self, data: &[i64], space: Space) -> Sym<'_> {
        self.constant(Data::I64(data.into()), space)
    }

    /// Constant offsets below `parent`.
    pub fn constant_offsets(&self, data: &[i64], parent: Space) -> Sym<'_> {
        self.push(
            prim::DATA,
            &[],
            Attrs::to(parent)
                .with("data", Attr::Data(Data::I64(data.into())))
                .with("dtype", Attr::DType(DType::Offsets)),
        )
        .first(self)
    }

    /// Gives the nodes recorded by `f` the label `label`, unless they get one of their own.
    pub fn labelled<R>(&self, label: Option<Arc<str>>, f: impl FnOnce() -> R) -> R {
        let before = self.label.replace(label);
        let result = f();
        self.label.replace(before);
        result
    }

    /// Gives a value a label unless it has one.
    pub(crate) fn name_if_nameless(&self, sym: Sym<'_>, label: Option<Arc<str>>) {
        if let (Repr::Value(_, id), Some(label)) = (sym.repr, label) {
            self.program.borrow_mut().values[id.index()]
                .label
                .get_or_insert(label);
        }
    }

    /// Records a node (or finds the equal one recorded before) and returns its results.
    pub fn push(&self, primitive: PrimitiveRef, args: &[Sym<'_>], attrs: Attrs) -> Results {
        let ids: Vec<ValueId> = args.iter().map(|&a| self.id(a)).collect();
        self.push_ids(primitive, &ids, attrs)
    }

    /// [`Self::push`] with arguments by number.
    pub fn push_ids(&self, primitive: PrimitiveRef, args: &[ValueId], attrs: Attrs) -> Results {
        let hash = key(primitive, args, &attrs);
        if self.hash_consing.get() {
            let known = self.known.borrow();
            let program = self.program.borrow();
            for &k in known.get(&hash).into_iter().flatten() {
                let node = &program.nodes[k as usize];
                if node.primitive == primitive
                    && node.args == args
                    && node.attrs == attrs
                    && primitive != prim::INPUT
                {
                    return Results {
                        first: node.first,
                        count: node.outputs,
                    };
                }
            }
        }
        let mut program = self.program.borrow_mut();
        let types: Vec<Type> = args.iter().map(|&a| program.ty(a)).collect();
        match primitive.infer(&program, &types, &attrs) {
            Ok(results) => {
                let first = program.push_node(
                    primitive,
                    args,
                    attrs,
                    &results,
                    self.label.borrow().as_ref(),
                );
                let node = program.nodes.len() as u32 - 1;
                self.known.borrow_mut().entry(hash).or_default().push(node);
                Results {
                    first,
                    count: results.len() as u32,
                }
            }
            Err(error) => {
                drop(program);
                self.fail(error);
                // Recording goes on with a value of no use, so that one mistake gives one message.
                let nan = self.program.borrow_mut().push_node(
                    prim::CONST,
                    &[],
                    Attrs::NONE.with("value", Attr::F64(f64::NAN)),
                    &[Type::f64(Space::SCALAR)],
                    None,
                );
                Results {
                    first: nan,
                    count: 1,
                }
            }
        }
    }

    /// The smallest space that both broadcast to.
    pub fn common(&self, primitive: &'static str, a: Space, b: Space) -> Space {
        if a.broadcasts_to(&b) {
            b
        } else if b.broadcasts_to(&a) {
            a
        } else {
            let (left, right) = self.with_program(|p| (p.space_name(&a), p.space_name(&b)));
            self.fail(Error::Space {
                primitive,
                left,
                right,
            });
            a
        }
    }

    /// Repeats a value along the levels of `space` that it lacks.
    pub fn broadcast<'b>(&'b self, sym: Sym<'b>, space: Space) -> Sym<'b> {
        let mut from = self.ty(sym).space;
        if from == space {
            return sym;
        }
        if from.is_scalar() {
            return self.push(prim::SPLAT, &[sym], Attrs::to(space)).first(self);
        }
        if !from.broadcasts_to(&space) {
            let (left, right) = self.with_program(|p| (p.space_name(&from), p.space_name(&space)));
            self.fail(Error::Space {
                primitive: "expand",
                left,
                right,
            });
            return sym;
        }
        let mut out = sym;
        for (k, level) in space.iter().enumerate() {
            if from.level(k) != Some(level) {
                from = from.with(k, level).unwrap_or(from);
                out = self
                    .push(
                        prim::EXPAND,
                        &[out],
                        Attrs::to(from).with("over", Attr::Level(level)),
                    )
                    .first(self);
            }
        }
        out
    }

    /// Records an elementwise node: operands are broadcast to their common space.
    pub fn elementwise<'b>(&'b self, primitive: PrimitiveRef, args: &[Sym<'b>]) -> Sym<'b> {
        let mut space = Space::SCALAR;
        for &a in args {
            space = self.common(primitive.name(), space, self.ty(a).space);
        }
        let args: Vec<Sym<'b>> = args.iter().map(|&a| self.broadcast(a, space)).collect();
        self.push(primitive, &args, Attrs::NONE).first(self)
    }
}

fn key(primitive: PrimitiveRef, args: &[ValueId], attrs: &Attrs) -> u64 {
    let mut hasher = KeyHasher::default();
    // The address of the name is as unique as the name.
    hasher.write_usize(primitive.name().as_ptr() as usize);
    for a in args {
        hasher.write_u32(a.0);
    }
    attrs.hash(&mut hasher);
    hasher.finish()
}

/// The results of a node.
#[derive(Debug, Clone, Copy)]
pub struct Results {
    first: ValueId,
    count: u32,
}

impl Results {
    /// The first result.
    pub fn first(self, b: &Builder) -> Sym<'_> {
        b.sym(self.first)
    }

    /// Number of the first result.
    pub fn first_id(self, _b: &Builder) -> ValueId {
        self.first
    }

    /// All results.
    pub fn all(self, b: &Builder) -> Vec<Sym<'_>> {
        (self.first.0..self.first.0 + self.count)
            .map(|k| b.sym(ValueId(k)))
            .collect()
    }
}

impl From<f64> for Sym<'_> {
    fn from(value: f64) -> Self {
        Self {
            repr: Repr::Const(value),
        }
    }
}

impl<'b> Sym<'b> {
    /// The number, if this is a constant that was not recorded.
    pub fn as_const(self) -> Option<f64> {
        match self.repr {
            Repr::Const(c) => Some(c),
            Repr::Value(b, id) => b.with_program(|p| {
                let node = p.node(id);
                if node.primitive == prim::CONST {
                    return node.attrs.f64("value");
                }
                (node.primitive == prim::SPLAT)
                    .then(|| p.node(node.args[0]))
                    .and_then(|n| {
                        (n.primitive == prim::CONST)
                            .then(|| n.attrs.f64("value"))
                            .flatten()
                    })
            }),
        }
    }

    /// The builder, unless this is an unrecorded constant.
    pub fn builder(self) -> Option<&'b Builder> {
        match self.repr {
            Repr::Const(_) => None,
            Repr::Value(b, _) => Some(b),
        }
    }

    /// Number of the value, unless this is an unrecorded constant.
    pub fn value_id(self) -> Option<ValueId> {
        match self.repr {
            Repr::Const(_) => None,
            Repr::Value(_, id) => Some(id),
        }
    }

    /// Space of the value.
    pub fn space(self) -> Space {
        self.builder().map_or(Space::SCALAR, |b| b.ty(self).space)
    }

    /// Element type of the value.
    pub fn dtype(self) -> DType {
        self.builder().map_or(DType::F64, |b| b.ty(self).dtype)
    }

    /// Gives the value a name for messages, pictures and `explain`.
    pub fn named(self, label: &str) -> Self {
        if let Repr::Value(b, id) = self.repr {
            b.program.borrow_mut().values[id.index()].label = Some(Arc::from(label));
        }
        self
    }

    /// The same value repeated along the levels of `space` that it lacks.
    pub fn broadcast(self, space: Space) -> Self {
        self.builder().map_or(self, |b| b.broadcast(self, space))
    }

    /// Records `primitive` applied to this value alone.
    pub(crate) fn apply(self, primitive: PrimitiveRef, attrs: Attrs) -> Self {
        match self.repr {
            Repr::Value(b, _) => b.push(primitive, &[self], attrs).first(b),
            Repr::Const(_) => self,
        }
    }
}

/// The builder of the first recorded operand.
pub(crate) fn builder_of<'b>(args: &[Sym<'b>]) -> Option<&'b Builder> {
    args.iter().find_map(|a| a.builder())
}

//! What an instruction evaluates: a node, or several that fit a pattern.

use super::{bias, ladder, pair, pick, product, scatter, siblings};
use crate::error::Result;
use crate::exec::{Kernel, LowerCx};
use crate::primitive::PrimitiveRef;
use crate::program::{Node, Program, ValueId};

/// Makes the kernel of a fused step.
pub(super) type Make = Box<dyn Fn(&LowerCx<'_>) -> Result<Kernel>>;

/// What one instruction evaluates.
pub(in crate::exec) struct Step {
    /// The node, or the one of several in whose place they run.
    pub node: u32,
    /// The nodes of a fused step; empty for a node alone.
    pub nodes: Vec<u32>,
    /// What the kernel reads.
    pub args: Vec<ValueId>,
    /// What the kernel writes: results, then values between the nodes whose room it works in.
    pub outs: Vec<ValueId>,
    /// Those of `outs` that nothing reads.
    pub scratch: Vec<ValueId>,
    /// Makes the kernel of a fused step.
    pub fused: Option<Make>,
    /// Whether it may read repeated numbers in place, as elementwise kernels do.
    pub elementwise: bool,
}

impl Step {
    /// A node alone.
    pub fn alone(program: &Program, k: u32) -> Self {
        let node = &program.nodes()[k as usize];
        Self {
            node: k,
            nodes: Vec::new(),
            args: node.args.clone(),
            outs: node.results().collect(),
            scratch: Vec::new(),
            fused: None,
            elementwise: node.primitive.is_elementwise(),
        }
    }

    /// Nodes of which the last one's result is all that others read.
    pub(super) fn chain(
        program: &Program,
        nodes: Vec<u32>,
        args: Vec<ValueId>,
        scratch: Vec<ValueId>,
        make: Make,
    ) -> Option<Self> {
        let node = *nodes.last()?;
        let mut outs = vec![program.nodes()[node as usize].first];
        outs.extend(&scratch);
        Some(Self {
            node,
            nodes,
            args,
            outs,
            scratch,
            fused: Some(make),
            elementwise: false,
        })
    }
}

/// A phase in which patterns are looked for.
pub(super) struct Site<'a, 'c> {
    pub cx: &'c LowerCx<'a>,
    /// Number of times each value is read in this phase.
    uses: Vec<u32>,
    /// Values that outputs or other phases need.
    kept: Vec<bool>,
    /// Nodes of this phase that belong to no step yet.
    free: Vec<bool>,
}

impl<'a> Site<'a, '_> {
    pub fn program(&self) -> &'a Program {
        self.cx.program()
    }

    pub fn node(&self, k: u32) -> &'a Node {
        &self.program().nodes()[k as usize]
    }

    /// The node that makes `v`, if it applies `primitive` and belongs to no step yet.
    pub fn made(&self, v: ValueId, primitive: PrimitiveRef) -> Option<(u32, &'a Node)> {
        let k = self.program().value(v).node;
        let node = self.node(k);
        (self.free[k as usize] && node.primitive == primitive).then_some((k, node))
    }

    /// [`Self::made`] of a value that is read once, and by nothing outside of this phase.
    pub fn inner(&self, v: ValueId, primitive: PrimitiveRef) -> Option<(u32, &'a Node)> {
        self.made(v, primitive)
            .filter(|_| self.uses[v.index()] == 1 && !self.kept[v.index()])
    }

    pub fn is_free(&self, k: u32) -> bool {
        self.free[k as usize]
    }

    fn take(&mut self, step: &Step) {
        step.nodes
            .iter()
            .for_each(|k| self.free[*k as usize] = false);
    }

    /// Adds the steps whose patterns fit, those of later nodes first.
    fn find(&mut self, nodes: &[u32], patterns: &[Pattern], steps: &mut Vec<Step>) {
        for &k in nodes.iter().rev() {
            if !self.is_free(k) {
                continue;
            }
            if let Some(step) = patterns.iter().find_map(|pattern| pattern(self, k)) {
                self.take(&step);
                steps.push(step);
            }
        }
    }
}

/// A pattern that ends at a node.
type Pattern = for<'a, 'b, 'c> fn(&'b Site<'a, 'c>, u32) -> Option<Step>;

/// The patterns for whole values, where all of a value is there at once; those of more nodes first.
const WHOLE: [Pattern; 4] = [
    ladder::rows_of_a_product,
    ladder::lanes_of_a_product,
    scatter::of_a_choice,
    pick::or_else,
];

/// The patterns that fit anywhere.
const ANYWHERE: [Pattern; 3] = [product::total, bias::of_a_product, pair::of_operations];

/// The steps of a phase in order, fused where a pattern fits. `crossing` are the values that other phases read; `streamed`, whether the phase runs block by
/// block.
pub(in crate::exec) fn fuse(
    cx: &LowerCx<'_>,
    nodes: &[u32],
    crossing: &[bool],
    streamed: bool,
) -> Vec<Step> {
    let program = cx.program();
    let mut site = Site {
        cx,
        uses: vec![0; program.value_count()],
        kept: crossing.to_vec(),
        free: vec![false; program.nodes().len()],
    };
    for &k in nodes {
        site.free[k as usize] = true;
        for a in &program.nodes()[k as usize].args {
            site.uses[a.index()] += 1;
        }
    }
    for (_, v) in program.outputs() {
        site.kept[v.index()] = true;
    }
    let mut steps: Vec<Step> = Vec::new();
    if !streamed {
        site.find(nodes, &WHOLE, &mut steps);
        let siblings = siblings::find(&site, nodes);
        for step in &siblings {
            site.take(step);
        }
        steps.extend(siblings);
    }
    site.find(nodes, &ANYWHERE, &mut steps);
    steps.extend(
        nodes
            .iter()
            .filter(|k| site.is_free(**k))
            .map(|&k| Step::alone(program, k)),
    );
    steps.sort_by_key(|s| s.node);
    steps
}

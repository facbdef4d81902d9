//! Nodes of one primitive with the same arguments and different static parameters, such as a function and its derivative: one sweep over the arguments.

use super::step::{Site, Step};
use crate::attr::Attrs;
use crate::exec::Kernel;
use crate::primitive::ill_formed;

/// Groups of free nodes whose primitive has a kernel for them together.
pub(super) fn find(site: &Site<'_, '_>, nodes: &[u32]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut done = vec![false; nodes.len()];
    for (i, &k) in nodes.iter().enumerate() {
        let first = site.node(k);
        if done[i] || !site.is_free(k) || first.args.is_empty() || first.outputs != 1 {
            continue;
        }
        let mut group = vec![k];
        for (j, &other) in nodes.iter().enumerate().skip(i + 1) {
            let node = site.node(other);
            if site.is_free(other) && node.primitive == first.primitive && node.args == first.args {
                group.push(other);
                done[j] = true;
            }
        }
        if group.len() < 2 {
            continue;
        }
        let program = site.program();
        let of = move |group: &[u32]| -> Vec<&Attrs> {
            group
                .iter()
                .map(|k| &program.nodes()[*k as usize].attrs)
                .collect()
        };
        if !matches!(
            first.primitive.siblings(&site.cx.at(k), &of(&group)),
            Ok(Some(Kernel::Run(_)))
        ) {
            continue;
        }
        let members = group.clone();
        steps.push(Step {
            node: k,
            args: first.args.clone(),
            outs: group.iter().map(|k| site.node(*k).first).collect(),
            scratch: Vec::new(),
            elementwise: false,
            fused: Some(Box::new(move |cx| {
                let nodes = cx.program().nodes();
                let attrs: Vec<&Attrs> =
                    members.iter().map(|k| &nodes[*k as usize].attrs).collect();
                let first = &nodes[members[0] as usize];
                first
                    .primitive
                    .siblings(&cx.at(members[0]), &attrs)?
                    .ok_or_else(|| {
                        ill_formed(first.primitive.name(), "no kernel for these together")
                    })
            })),
            nodes: group,
        });
    }
    steps
}

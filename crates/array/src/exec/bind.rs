//! Lengths of levels from the columns that a run is given.

use super::inputs::{Bindings, Column, check_offsets};
use super::lower::{Constant, Lowered};
use super::run::Workspace;
use crate::error::{Error, Result};
use crate::space::LevelKind;
use crate::ty::DType;

impl Lowered {
    /// Lengths of levels from the lengths of columns.
    pub(super) fn bind(&self, ws: &mut Workspace, inputs: &Bindings<'_>) -> Result<()> {
        let program = &self.program;
        let input_error = |k: usize, message: String| Error::Input {
            input: program.inputs()[k].0.to_string(),
            message,
        };
        let dims = &mut ws.frame.dims;
        for (k, level) in program.levels().iter().enumerate() {
            dims[k] = level.len.unwrap_or(usize::MAX);
        }
        for &(k, len) in &inputs.sizes {
            let Some(level) = program.levels().get(usize::from(k)) else {
                return Err(Error::Input {
                    input: "*".into(),
                    message: format!("a size is given for level {k} of another program"),
                });
            };
            let message = match (level.kind, level.len) {
                (LevelKind::Ragged { .. }, _) => {
                    "has as many elements as its offsets say; no size can be given"
                }
                (_, Some(fixed)) if fixed != len => {
                    "was recorded with another length than the size that is given"
                }
                _ => {
                    dims[usize::from(k)] = len;
                    continue;
                }
            };
            return Err(Error::Input {
                input: level.name.clone(),
                message: message.into(),
            });
        }
        for (value, offsets) in &self.constant_offsets {
            for (l, level) in program.levels().iter().enumerate() {
                if matches!(level.kind, LevelKind::Ragged { offsets: o, .. } if o == *value) {
                    dims[l] = *offsets;
                }
            }
        }
        if inputs.columns.len() != program.inputs().len() {
            return Err(Error::Input {
                input: "*".into(),
                message: format!(
                    "{} columns for {} inputs",
                    inputs.columns.len(),
                    program.inputs().len()
                ),
            });
        }
        for (k, (_, value)) in program.inputs().iter().enumerate() {
            let ty = program.ty(*value);
            let Some(column) = &inputs.columns[k] else {
                return Err(input_error(k, "is not bound".into()));
            };
            if column.dtype() != ty.dtype {
                return Err(input_error(
                    k,
                    format!("expected {}, found {}", ty.dtype, column.dtype()),
                ));
            }
            if let (DType::Offsets, Column::Offsets(offsets)) = (ty.dtype, column) {
                check_offsets(offsets).map_err(|m| input_error(k, m))?;
                for (l, level) in program.levels().iter().enumerate() {
                    if matches!(level.kind, LevelKind::Ragged { offsets: o, .. } if o == *value) {
                        dims[l] = offsets.last().copied().unwrap_or(0) as usize;
                    }
                }
            }
        }
        // One column may tell a length that another one needs: until nothing new is learned.
        let mut learned = true;
        while learned {
            learned = false;
            for (k, (_, value)) in program.inputs().iter().enumerate() {
                let ty = program.ty(*value);
                let len = inputs.columns[k].map_or(0, |c| c.len())
                    - usize::from(ty.dtype == DType::Offsets);
                if let Some(s) = self.shapes.spaces.iter().position(|s| *s == ty.space) {
                    learned |= self.settle(dims, s, len).map_err(|m| input_error(k, m))?;
                }
            }
            for (operand, constant) in &self.constants {
                if let Constant::Data(data) = constant {
                    let space = usize::from(operand.len.0);
                    let len = data.len() - usize::from(operand.dtype == DType::Offsets);
                    learned |= self.settle(dims, space, len).map_err(|message| {
                        let name = program.space_name(&self.shapes.spaces[space]);
                        Error::Input {
                            input: format!("constant in [{name}]"),
                            message,
                        }
                    })?;
                }
            }
        }
        for s in 0..self.shapes.spaces.len() {
            let factors = self.shapes.factors(s);
            ws.frame.lens[s] = if factors
                .iter()
                .any(|l| ws.frame.dims[usize::from(l.0)] == usize::MAX)
            {
                usize::MAX
            } else {
                self.shapes.len(s, &ws.frame.dims)
            };
        }
        Ok(())
    }

    /// Takes note of the number of elements of a space: one unknown level of its path follows from it. True if it did.
    fn settle(
        &self,
        dims: &mut [usize],
        space: usize,
        len: usize,
    ) -> std::result::Result<bool, String> {
        let mut known = 1_usize;
        let mut unknown = None;
        for level in self.shapes.factors(space) {
            match dims[usize::from(level.0)] {
                // Two unknown levels: nothing follows.
                usize::MAX if unknown.is_some() => return Ok(false),
                usize::MAX => unknown = Some(*level),
                n => known = known.saturating_mul(n),
            }
        }
        let Some(level) = unknown else {
            if known == len {
                return Ok(false);
            }
            let name = self.program.space_name(&self.shapes.spaces[space]);
            return Err(format!("{len} elements where [{name}] has {known}"));
        };
        // The size of a ragged level follows from its offsets alone; that of anything behind an empty level from nothing.
        if matches!(self.program.level(level).kind, LevelKind::Ragged { .. })
            || (known == 0 && len == 0)
        {
            return Ok(false);
        }
        if known == 0 || !len.is_multiple_of(known) {
            return Err(format!("{len} elements are no multiple of {known}"));
        }
        dims[usize::from(level.0)] = len / known;
        Ok(true)
    }
}

//! The outline of an ONNX file, read before the runtime sees it: which files it draws weights from, whose operators it
//! uses, and its inputs and outputs.
//!
//! A graph may name any path as the place of its weights, and any domain of operators; both are checked here. Weights
//! are not read. Field numbers: <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3>.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use super::place::plain;
use super::wire::{Field, Wire};
use crate::Failure;

/// Graphs within graphs, at the most.
const MAX_DEPTH: usize = 32;

/// Distinct names that are kept of a file, at the most.
const MAX_NAMES: usize = 100_000;

/// The domains whose operators ONNX Runtime itself has.
const DOMAINS: &[&str] = &["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];

/// Operators that quantise by the range of what they are given: of the whole batch, so that an input's vector depends
/// on its neighbours.
const DYNAMIC: &[&str] = &["DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulInteger", "ConvInteger"];

/// Operators that name files of their own.
const FORBIDDEN: &[&str] = &["EPContext"];

/// An input or output of the graph: its extents, where the file fixes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    pub name: String,
    pub extents: Vec<Option<usize>>,
}

/// What a file's outline says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    pub inputs: Vec<Slot>,
    pub outputs: Vec<Slot>,
    /// The files with weights, as the graph names them.
    pub external: BTreeSet<String>,
    /// Whether an input's result depends on its batch.
    pub dynamic: bool,
    pub(super) domains: BTreeSet<String>,
    pub(super) own_domains: BTreeSet<String>,
    pub(super) operators: BTreeSet<String>,
    pub(super) initializers: BTreeSet<String>,
}

impl Outline {
    /// Read and check a file; its weights may lie only in files of the folder that it is in, or below.
    pub fn read(path: &Path) -> Result<Outline, Failure> {
        let broken = |error| Failure::pack(format!("{} is not a readable ONNX file: {error}", path.display()));
        let mut outline = File::open(path).and_then(outline).map_err(broken)?;
        outline.check(path)?;
        let Outline { inputs, initializers, .. } = &mut outline;
        inputs.retain(|input| !initializers.contains(&input.name));
        Ok(outline)
    }

    fn check(&mut self, path: &Path) -> Result<(), Failure> {
        let known = |domain: &&String| !DOMAINS.contains(&domain.as_str()) && !self.own_domains.contains(*domain);
        if let Some(domain) = self.domains.iter().find(known) {
            let message = format!("{}: the graph uses operators of the domain \"{domain}\"", path.display());
            return Err(Failure::pack(message).hint("Only ONNX's own and ONNX Runtime's operators are run."));
        }
        if let Some(operator) = FORBIDDEN.iter().find(|name| self.operators.contains(**name)) {
            return Err(Failure::pack(format!("{}: the operator {operator} is not run", path.display())));
        }
        for location in &self.external {
            let file = path.parent().unwrap_or(Path::new("")).join(location);
            let regular = file.symlink_metadata().is_ok_and(|data| data.is_file());
            if !plain(Path::new(location)) || !regular {
                let message = format!("{}: its weights in \"{location}\" are no file of the pack", path.display());
                return Err(
                    Failure::pack(message).hint("Weights lie beside the graph or below; links are not followed.")
                );
            }
        }
        self.dynamic = DYNAMIC.iter().any(|name| self.operators.contains(*name));
        Ok(())
    }
}

/// The files with weights that a graph names, which need not be there; each leads down only.
pub fn external(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let broken = |error| Failure::pack(format!("{} is not a readable ONNX file: {error}", path.display()));
    let found = File::open(path).and_then(outline).map_err(broken)?.external;
    if let Some(location) = found.iter().find(|location| !plain(Path::new(location))) {
        return Err(Failure::pack(format!(
            "{}: its weights in \"{location}\" are no file of the pack",
            path.display()
        )));
    }
    Ok(found)
}

/// Read a ModelProto.
fn outline<R: Read + Seek>(input: R) -> io::Result<Outline> {
    let mut walk = Walk { wire: Wire::new(input)?, found: Outline::default() };
    let end = walk.wire.len();
    walk.each(end, |walk, number, stop| match number {
        7 => walk.graph(stop, 0),
        8 => walk.opset(stop),
        20 => Err(io::Error::new(io::ErrorKind::InvalidData, "it has training graphs")),
        25 => walk.function(stop),
        _ => Ok(()),
    })?;
    if walk.found.outputs.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "there is no graph with outputs in it"));
    }
    Ok(walk.found)
}

struct Walk<R> {
    wire: Wire<R>,
    found: Outline,
}

impl<R: Read + Seek> Walk<R> {
    /// Hand each field of bytes of a message that ends at `end` to `take`, and pass over what it leaves.
    fn each(&mut self, end: u64, mut take: impl FnMut(&mut Self, u32, u64) -> io::Result<()>) -> io::Result<()> {
        while let Some(field) = self.wire.field(end)? {
            if let Field::Bytes(number, stop) = field {
                take(self, number, stop)?;
                self.wire.skip_to(stop)?;
            }
        }
        Ok(())
    }

    fn graph(&mut self, end: u64, depth: usize) -> io::Result<()> {
        if depth > MAX_DEPTH {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its graphs are nested too deeply"));
        }
        self.each(end, |walk, number, stop| match number {
            1 => walk.node(stop, depth),
            5 => walk.tensor(stop, depth == 0),
            11 if depth == 0 => {
                let slot = walk.slot(stop)?;
                walk.found.inputs.push(slot);
                Ok(())
            }
            12 if depth == 0 => {
                let slot = walk.slot(stop)?;
                walk.found.outputs.push(slot);
                Ok(())
            }
            15 => walk.sparse(stop),
            _ => Ok(()),
        })
    }

    fn node(&mut self, end: u64, depth: usize) -> io::Result<()> {
        self.each(end, |walk, number, stop| match number {
            4 => {
                let name = walk.wire.string(stop)?;
                keep(&mut walk.found.operators, name)
            }
            5 => walk.attribute(stop, depth),
            7 => {
                let domain = walk.wire.string(stop)?;
                keep(&mut walk.found.domains, domain)
            }
            _ => Ok(()),
        })
    }

    fn attribute(&mut self, end: u64, depth: usize) -> io::Result<()> {
        self.each(end, |walk, number, stop| match number {
            5 | 10 => walk.tensor(stop, false),
            6 | 11 => walk.graph(stop, depth + 1),
            22 | 23 => walk.sparse(stop),
            _ => Ok(()),
        })
    }

    fn sparse(&mut self, end: u64) -> io::Result<()> {
        self.each(end, |walk, number, stop| match number {
            1 | 2 => walk.tensor(stop, false),
            _ => Ok(()),
        })
    }

    /// Read a TensorProto: its name where it is an initializer, and the file that its values lie in.
    fn tensor(&mut self, end: u64, named: bool) -> io::Result<()> {
        self.each(end, |walk, number, stop| match number {
            8 if named => {
                let name = walk.wire.string(stop)?;
                keep(&mut walk.found.initializers, name)
            }
            13 => walk.entry(stop),
            _ => Ok(()),
        })
    }

    /// Read one key and value of a tensor's external data.
    fn entry(&mut self, end: u64) -> io::Result<()> {
        let (mut key, mut value) = (String::new(), String::new());
        self.each(end, |walk, number, stop| {
            match number {
                1 => key = walk.wire.string(stop)?,
                2 => value = walk.wire.string(stop)?,
                _ => {}
            }
            Ok(())
        })?;
        if key == "location" { keep(&mut self.found.external, value) } else { Ok(()) }
    }

    fn function(&mut self, end: u64) -> io::Result<()> {
        self.each(end, |walk, number, stop| match number {
            7 => walk.node(stop, 0),
            10 => {
                let domain = walk.wire.string(stop)?;
                keep(&mut walk.found.own_domains, domain)
            }
            11 => walk.attribute(stop, 0),
            _ => Ok(()),
        })
    }

    /// Pass over an operator set; the domains that count are those of the nodes.
    fn opset(&mut self, end: u64) -> io::Result<()> {
        self.each(end, |_, _, _| Ok(()))
    }

    /// Read a ValueInfoProto.
    fn slot(&mut self, end: u64) -> io::Result<Slot> {
        let mut slot = Slot { name: String::new(), extents: Vec::new() };
        self.each(end, |walk, number, stop| match number {
            1 => walk.wire.string(stop).map(|name| slot.name = name),
            2 => walk.each(stop, |walk, number, stop| match number {
                1 => walk.each(stop, |walk, number, stop| match number {
                    2 => walk.shape(stop, &mut slot.extents),
                    _ => Ok(()),
                }),
                _ => Ok(()),
            }),
            _ => Ok(()),
        })?;
        Ok(slot)
    }

    fn shape(&mut self, end: u64, extents: &mut Vec<Option<usize>>) -> io::Result<()> {
        self.each(end, |walk, number, stop| {
            if number == 1 && extents.len() < 16 {
                let mut extent = None;
                while let Some(field) = walk.wire.field(stop)? {
                    match field {
                        Field::Varint(1, value) => extent = usize::try_from(value).ok(),
                        Field::Bytes(_, stop) => walk.wire.skip_to(stop)?,
                        _ => {}
                    }
                }
                extents.push(extent);
            }
            Ok(())
        })
    }
}

fn keep(names: &mut BTreeSet<String>, name: String) -> io::Result<()> {
    if names.len() >= MAX_NAMES && !names.contains(&name) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it has too many names"));
    }
    names.insert(name);
    Ok(())
}

#[cfg(test)]
#[path = "onnx_tests.rs"]
mod tests;

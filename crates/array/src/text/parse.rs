//! Text to programs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use super::lex::{Lexer, Token};
use crate::attr::{Attr, Attrs, Data};
use crate::check::check;
use crate::error::{Error, Result};
use crate::prim;
use crate::program::{Node, Program, Value, ValueId};
use crate::registry::Registry;
use crate::space::{Level, LevelId, LevelKind, Space};
use crate::ty::{DType, Type};

/// Deepest nesting of sub-programs.
const MAX_NESTING: usize = 16;

/// The program of a text. Primitives are looked up in `registry`; the result is checked.
///
/// # Errors
/// [`Error::Parse`] with the line for a text that is no program; the errors of the checker for one that is ill-formed.
///
/// # Example
/// ```
/// use pullback_array::{registry::Registry, text};
/// let program = text::parse("n: dense\n%0: f64[n] = input {name = \"x\", dtype = f64, to = [n]}\n%1: f64[n] = exp %0\nreturn y = %1\n", &Registry::standard())?;
/// assert_eq!(program.nodes().len(), 2);
/// # Ok::<(), pullback_array::Error>(())
/// ```
pub fn parse(text: &str, registry: &Registry) -> Result<Program> {
    let words = Lexer::new(text).words()?;
    let mut parser = Parser {
        words,
        at: 0,
        registry,
    };
    let program = parser.program(0)?;
    match parser.peek() {
        Token::End => Ok(program),
        other => parser.error(format!(
            "found {other}, expected a level, a node, `return` or the end"
        )),
    }
}

struct Parser<'a> {
    words: Vec<(Token<'a>, usize)>,
    at: usize,
    registry: &'a Registry,
}

/// Names of static parameters live as long as the process: each is kept once, and only so many.
fn intern(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 8] = ["name", "dtype", "to", "over", "value", "data", "n", "body"];
    static MORE: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    if let Some(known) = KNOWN.into_iter().find(|k| *k == name) {
        return Some(known);
    }
    let mut more = MORE.lock().ok()?;
    let more = more.get_or_insert_default();
    if let Some(known) = more.get(name) {
        return Some(known);
    }
    if more.len() >= 1024 || name.len() > 64 {
        return None;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    more.insert(kept);
    Some(kept)
}

/// Names of a program while it is read.
#[derive(Default)]
struct Scope {
    levels: HashMap<String, LevelId>,
    values: HashMap<u32, ValueId>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &Token<'a> {
        &self.words[self.at.min(self.words.len() - 1)].0
    }

    fn second(&self) -> &Token<'a> {
        &self.words[(self.at + 1).min(self.words.len() - 1)].0
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn line(&self) -> usize {
        self.words[self.at.min(self.words.len() - 1)].1
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(Error::Parse {
            line: self.line(),
            message: message.into(),
        })
    }

    fn is(&mut self, sign: char) -> bool {
        let found = *self.peek() == Token::Sign(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: char) -> Result<()> {
        if self.is(sign) {
            Ok(())
        } else {
            self.error(format!("found {}, expected `{sign}`", self.peek()))
        }
    }

    fn word(&mut self, what: &str) -> Result<&'a str> {
        match *self.peek() {
            Token::Word(w) => {
                self.at += 1;
                Ok(w)
            }
            ref other => self.error(format!("found {other}, expected {what}")),
        }
    }

    fn name(&mut self, what: &str) -> Result<String> {
        match self.peek() {
            Token::Quoted(s) => {
                let name = s.to_string();
                self.at += 1;
                Ok(name)
            }
            _ => self.word(what).map(str::to_owned),
        }
    }

    fn program(&mut self, nesting: usize) -> Result<Program> {
        let mut program = Program::default();
        let mut scope = Scope::default();
        // Offsets are named before they are defined: filled in at the end.
        let mut forward: Vec<(LevelId, u32, usize)> = Vec::new();
        loop {
            match self.peek() {
                Token::Word("return") => {
                    self.at += 1;
                    let name = self.name("the name of an output")?;
                    self.expect('=')?;
                    let value = self.argument(&scope)?;
                    program.outputs.push((Arc::from(name.as_str()), value));
                }
                Token::Word(_) | Token::Quoted(_) => {
                    self.level(&mut program, &mut scope, &mut forward)?;
                }
                Token::Value(_) => self.node(&mut program, &mut scope, nesting)?,
                _ => break,
            }
        }
        for (level, number, line) in forward {
            let Some(&value) = scope.values.get(&number) else {
                return Err(Error::Parse {
                    line,
                    message: format!("the offsets %{number} are not defined"),
                });
            };
            if let LevelKind::Ragged { offsets, .. } =
                &mut program.levels[usize::from(level.0)].kind
            {
                *offsets = value;
            }
        }
        check(&program)?;
        Ok(program)
    }

    fn level(
        &mut self,
        program: &mut Program,
        scope: &mut Scope,
        forward: &mut Vec<(LevelId, u32, usize)>,
    ) -> Result<()> {
        let name = self.name("the name of a level")?;
        self.expect(':')?;
        let id = LevelId(
            u16::try_from(program.levels.len()).or_else(|_| self.error("too many levels"))?,
        );
        let kind =
            match self.word("`dense`, `stream`, `batch` or `ragged`")? {
                "dense" => LevelKind::Dense,
                "stream" => LevelKind::Stream,
                "batch" => LevelKind::Batch,
                "ragged" => {
                    let parent = self.space(scope)?;
                    if self.word("`by`")? != "by" {
                        return self.error("expected `by` and the offsets of the level");
                    }
                    let line = self.line();
                    let Token::Value(number) = self.next() else {
                        return self.error("expected the offsets of the level, such as `%0`");
                    };
                    forward.push((id, number, line));
                    LevelKind::Ragged {
                        parent,
                        offsets: ValueId(0),
                    }
                }
                other => return self.error(format!(
                    "`{other}` is no kind of level; expected `dense`, `stream`, `batch` or `ragged`"
                )),
            };
        let len = if self.is('=') {
            match self.next() {
                Token::Int(n) if n >= 0 => Some(n as usize),
                other => {
                    return self.error(format!("found {other}, expected the length of the level"));
                }
            }
        } else {
            None
        };
        if scope.levels.insert(name.clone(), id).is_some() {
            return self.error(format!("level `{name}` is declared twice"));
        }
        program.levels.push(Level { name, kind, len });
        Ok(())
    }

    fn level_name(&mut self, scope: &Scope) -> Result<LevelId> {
        let name = self.name("the name of a level")?;
        match scope.levels.get(&name) {
            Some(&level) => Ok(level),
            None => self.error(format!("no level named `{name}` is declared before")),
        }
    }

    fn space(&mut self, scope: &Scope) -> Result<Space> {
        self.expect('[')?;
        let mut space = Space::SCALAR;
        while !self.is(']') {
            if !space.is_scalar() {
                self.expect(',')?;
            }
            let level = self.level_name(scope)?;
            if space.contains(level) {
                return self.error("a level stands twice on a path");
            }
            space = match space.child(level) {
                Some(space) => space,
                None => {
                    return self.error(format!(
                        "a path is longer than {} levels",
                        crate::space::MAX_DEPTH
                    ));
                }
            };
        }
        Ok(space)
    }

    fn dtype(&mut self) -> Result<DType> {
        let word = self.word("an element type")?;
        match DType::from_name(word) {
            Some(dtype) => Ok(dtype),
            None => self.error(format!("`{word}` is no element type")),
        }
    }

    fn argument(&mut self, scope: &Scope) -> Result<ValueId> {
        match *self.peek() {
            Token::Value(number) => match scope.values.get(&number) {
                Some(&value) => {
                    self.at += 1;
                    Ok(value)
                }
                None => self.error(format!("%{number} is not defined before")),
            },
            ref other => self.error(format!("found {other}, expected a value")),
        }
    }

    fn node(&mut self, program: &mut Program, scope: &mut Scope, nesting: usize) -> Result<()> {
        let index = program.nodes.len() as u32;
        let first = ValueId(program.values.len() as u32);
        let mut numbers = Vec::new();
        loop {
            let Token::Value(number) = self.next() else {
                return self.error("expected a value, such as `%0`");
            };
            self.expect(':')?;
            let dtype = self.dtype()?;
            let space = self.space(scope)?;
            let label = match self.peek() {
                Token::Quoted(s) => {
                    let label = Arc::from(&**s);
                    self.at += 1;
                    Some(label)
                }
                _ => None,
            };
            program.values.push(Value {
                ty: Type::new(dtype, space),
                node: index,
                label,
            });
            numbers.push(number);
            if !self.is(',') {
                break;
            }
        }
        self.expect('=')?;
        let name = self.word("the name of a primitive")?;
        let Some(primitive) = self.registry.find(name) else {
            return self.error(format!("no primitive named `{name}` in the registry"));
        };
        let mut args = Vec::new();
        while matches!(self.peek(), Token::Value(_)) && *self.second() != Token::Sign(':') {
            args.push(self.argument(scope)?);
        }
        let mut attrs = Attrs::NONE;
        if self.is('{') {
            while !self.is('}') {
                if attrs != Attrs::NONE {
                    self.expect(',')?;
                }
                let word = self.word("the name of a parameter")?;
                let Some(name) = intern(word) else {
                    return self.error(format!(
                        "parameter name `{word}` is too long, or there are too many"
                    ));
                };
                self.expect('=')?;
                attrs = attrs.with(name, self.attr(scope, nesting)?);
            }
        }
        if primitive == prim::INPUT {
            let Some(Attr::Str(name)) = attrs.get("name") else {
                return self.error("an input needs a `name`");
            };
            if program.find_input(name).is_some() {
                return self.error(format!("input `{name}` is declared twice"));
            }
            program.inputs.push((name.clone(), first));
        }
        for (k, number) in numbers.into_iter().enumerate() {
            if scope
                .values
                .insert(number, ValueId(first.0 + k as u32))
                .is_some()
            {
                return self.error(format!("%{number} is defined twice"));
            }
        }
        let outputs = program.values.len() as u32 - first.0;
        program.nodes.push(Node {
            primitive,
            args,
            attrs,
            first,
            outputs,
        });
        Ok(())
    }

    fn attr(&mut self, scope: &Scope, nesting: usize) -> Result<Attr> {
        match self.peek().clone() {
            Token::Sign('@') => {
                self.at += 1;
                self.level_name(scope).map(Attr::Level)
            }
            Token::Sign('[') => self.space(scope).map(Attr::Space),
            Token::Sign('(') => {
                if nesting >= MAX_NESTING {
                    return self
                        .error(format!("sub-programs are nested deeper than {MAX_NESTING}"));
                }
                self.at += 1;
                let program = self.program(nesting + 1)?;
                self.expect(')')?;
                Ok(Attr::Program(Arc::new(program)))
            }
            Token::Int(i) => {
                self.at += 1;
                Ok(Attr::Int(i))
            }
            Token::F64(x) => {
                self.at += 1;
                Ok(Attr::F64(x))
            }
            Token::Quoted(s) => {
                self.at += 1;
                Ok(Attr::Str(Arc::from(&*s)))
            }
            _ => {
                let dtype = self.dtype()?;
                if self.is('(') {
                    self.data(dtype).map(Attr::Data)
                } else {
                    Ok(Attr::DType(dtype))
                }
            }
        }
    }

    fn data(&mut self, dtype: DType) -> Result<Data> {
        Ok(match dtype {
            DType::F64 => Data::F64(
                self.list("a double", |t| {
                    if let Token::F64(x) = t {
                        Some(*x)
                    } else {
                        None
                    }
                })?
                .into(),
            ),
            DType::I64 => Data::I64(
                self.list("an integer", |t| {
                    if let Token::Int(i) = t {
                        Some(*i)
                    } else {
                        None
                    }
                })?
                .into(),
            ),
            DType::Bool => {
                let bit = |t: &Token<'_>| match t {
                    Token::Int(0) => Some(false),
                    Token::Int(1) => Some(true),
                    _ => None,
                };
                Data::Bool(self.list("0 or 1", bit)?.into())
            }
            other => {
                return self.error(format!(
                    "no data of type {other}; expected f64, i64 or bool"
                ));
            }
        })
    }

    fn list<T>(&mut self, what: &str, one: impl Fn(&Token<'_>) -> Option<T>) -> Result<Vec<T>> {
        let mut out = Vec::new();
        while !self.is(')') {
            if !out.is_empty() {
                self.expect(',')?;
            }
            match one(self.peek()) {
                Some(x) => out.push(x),
                None => return self.error(format!("found {}, expected {what}", self.peek())),
            }
            self.at += 1;
        }
        Ok(out)
    }
}

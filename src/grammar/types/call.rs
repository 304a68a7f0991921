//! Calls: which function, which of its overloads, and whether the arguments fit.

use crate::diag::{Diagnostic, codes, nearest};
use crate::grammar::builtins;
use crate::grammar::expr::{Expr, Type};
use crate::meta::ast;
use crate::source::Span;

use super::check::{Checker, Wanted, fits, nothing, target};
use super::scope::Function;
use super::show;

/// What other systems call things, and what they are called here.
const SYNONYMS: &[(&str, &str)] = &[
    ("circle", "`disc(r)` of std.shape"),
    ("rect", "`box(w, h)` of std.shape"),
    ("rectangle", "`box(w, h)` of std.shape"),
    ("square", "`box(w, w)` of std.shape"),
    ("oval", "`ellipse(rx, ry)` of std.shape"),
    ("line", "`segment(a, b, width)` of std.shape"),
    ("translate", "`shift(r, dx, dy)` of std.transform"),
    (
        "move",
        "`shift(r, dx, dy)` of std.transform, or `nudge` of std.layout",
    ),
    ("rotate", "`turn(r, degrees)` of std.transform"),
    ("flip", "`mirror_x(r)` or `mirror_y(r)` of std.transform"),
    (
        "union",
        "`a + b`, or `union_of(list)` of std.shape for a list",
    ),
    ("difference", "`a - b`"),
    ("subtract", "`a - b`"),
    ("intersect", "`a & b`"),
    ("intersection", "`a & b`"),
    ("group", "`a + b`, or `stack(list)` of std.paint for a list"),
    ("paint", "`fill(r, color)` of std.paint"),
    ("border", "`stroke(r, width, color)` of std.paint"),
    ("outline", "`stroke(r, width, color)` of std.paint"),
    ("len", "`count(list)` of std.math"),
    ("length", "`count(list)` of std.math"),
    ("pow", "`a ^ b`"),
    ("mod", "`a mod b`"),
    ("point", "`(x, y)`"),
];

impl Checker<'_> {
    /// A call; `piped` when the first argument stands before `|>`.
    pub(super) fn call(
        &mut self,
        name: &ast::Name,
        args: &[&ast::Expr],
        span: Span,
        piped: bool,
    ) -> Expr {
        let scope = self.scope;
        let functions = scope.functions(&name.text);
        if functions.is_empty() {
            self.unknown_function(name);
            for arg in args {
                self.infer(arg);
            }
            return nothing();
        }
        scope.mark_used(&name.text);
        let by_count: Vec<&Function> = functions
            .iter()
            .filter(|f| f.params.len() == args.len())
            .collect();
        match by_count.as_slice() {
            [] => {
                self.wrong_count(name, functions, args.len(), span, piped);
                for arg in args {
                    self.infer(arg);
                }
                the_result(functions.iter())
            }
            [only] => {
                let typed = (args.iter().zip(&only.params))
                    .map(|(arg, param)| self.check(arg, &argument(name, param, functions)))
                    .collect();
                target(&only.target, typed, only.result.clone())
            }
            several => self.overloaded(name, several, functions, args),
        }
    }

    /// Chooses among overloads of the right number of parameters by the arguments' types.
    fn overloaded(
        &mut self,
        name: &ast::Name,
        several: &[&Function],
        all: &[Function],
        args: &[&ast::Expr],
    ) -> Expr {
        let typed: Vec<Expr> = args.iter().map(|arg| self.infer(arg)).collect();
        let fitting = |f: &Function| {
            let fit = typed.iter().zip(&f.params);
            fit.filter(|(arg, (_, ty))| fits(&arg.ty, ty)).count()
        };
        let mut matching = several.iter().filter(|f| fitting(f) == args.len());
        if let Some(first) = matching.next() {
            // With a mistake among the arguments several may match; then what the call gives is
            // known only if they agree.
            if matching.all(|other| other.result == first.result) {
                return target(&first.target, typed, first.result.clone());
            }
            return nothing();
        }
        // The one that most arguments fit is the one most likely meant; an argument says more
        // the earlier it stands.
        let meant = several.iter().rev().max_by_key(|f| {
            let fit = (typed.iter().zip(&f.params)).map(|(arg, (_, ty))| fits(&arg.ty, ty));
            (fitting(f), fit.collect::<Vec<bool>>())
        });
        if let Some(meant) = meant {
            for (i, (arg, typed)) in args.iter().zip(&typed).enumerate() {
                let param = &meant.params[i];
                if fits(&typed.ty, &param.1) {
                    continue;
                }
                let mut wanted = argument(name, param, all);
                // What other overloads take at this place would do as well.
                let mut told = vec![&param.1];
                for (_, other) in several.iter().map(|f| &f.params[i]) {
                    if !told.contains(&other) {
                        told.push(other);
                        wanted.or += &format!(" or {}", show::a_type(other));
                    }
                }
                self.mismatch(arg.span, &typed.ty, &wanted);
            }
        }
        the_result(several.iter().copied())
    }

    fn wrong_count(
        &mut self,
        name: &ast::Name,
        functions: &[Function],
        given: usize,
        span: Span,
        piped: bool,
    ) {
        let mut counts: Vec<usize> = functions.iter().map(|f| f.params.len()).collect();
        counts.sort_unstable();
        counts.dedup();
        let wants: Vec<String> = counts.iter().map(usize::to_string).collect();
        let plural = if counts == [1] { "" } else { "s" };
        let mut diagnostic = Diagnostic::new(
            codes::E0604,
            span,
            format!(
                "`{}` takes {} argument{plural}, not {given}",
                name.text,
                wants.join(" or ")
            ),
            format!(
                "{given} argument{} given",
                if given == 1 { "" } else { "s" }
            ),
        );
        for function in functions {
            diagnostic = diagnostic.note(show::signature(&name.text, function));
        }
        if piped {
            diagnostic =
                diagnostic.note("what stands before `|>` is the first argument".to_string());
        }
        self.report(diagnostic);
    }

    fn unknown_function(&mut self, name: &ast::Name) {
        let text = name.text.as_str();
        if self.is_local(text) {
            self.report(
                Diagnostic::new(
                    codes::E0603,
                    name.span,
                    format!("`{text}` is a value, not a function"),
                    "cannot be called",
                )
                .help(format!("write `{text}` without brackets")),
            );
            return;
        }
        let mut diagnostic = Diagnostic::new(
            codes::E0602,
            name.span,
            format!("there is no function called `{text}` here"),
            "not declared or imported",
        );
        let near = nearest(text, self.scope.function_names()).map(str::to_string);
        let known = builtins::names().any(|builtin| builtin == text);
        if let Some(module) = self.scope.module_of(text) {
            diagnostic = diagnostic.help(format!("import it: `use {module}.{{{text}}}`"));
        } else if let Some(near) = near {
            diagnostic = diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(name.span, near);
        } else if let Some((_, here)) = SYNONYMS.iter().find(|(other, _)| *other == text) {
            diagnostic = diagnostic.help(format!("here that is {here}"));
        } else if let Some(near) = nearest(text, self.scope.elsewhere_names()) {
            let module = self.scope.module_of(near).unwrap_or("std");
            diagnostic = diagnostic.help(format!("did you mean `{near}` of {module}?"));
        } else if known {
            diagnostic = diagnostic.help("the standard library has it; import it with `use`");
        }
        self.report(diagnostic);
    }
}

fn argument(name: &ast::Name, param: &(String, Type), functions: &[Function]) -> Wanted {
    let mut wanted = Wanted::new(
        param.1.clone(),
        codes::E0605,
        format!("argument `{}` of `{}`", param.0, name.text),
    );
    wanted.notes = functions
        .iter()
        .map(|f| show::signature(&name.text, f))
        .collect();
    let declared = functions.first().and_then(|f| f.span);
    if let ([_], Some(span)) = (functions, declared) {
        // What another file declares is told well enough by its signature.
        if span.file == name.span.file {
            wanted.place = Some((span, format!("`{}` is declared here", name.text)));
            wanted.notes.clear();
        }
    }
    wanted
}

/// What a call that was reported gives all the same: the result when all overloads agree, so that
/// mistakes around it are still found.
fn the_result<'a>(mut functions: impl Iterator<Item = &'a Function>) -> Expr {
    let first = functions.next().map(|f| &f.result);
    let ty = match first {
        Some(ty) if functions.all(|f| f.result == *ty) => ty.clone(),
        _ => Type::Error,
    };
    Expr { ty, ..nothing() }
}

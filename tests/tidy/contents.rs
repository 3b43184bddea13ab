//! What stands in a source file: functions, texts, identifiers.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Every function that has a body, with its lines.
#[derive(Default)]
pub struct Functions(pub Vec<(String, usize)>);

impl Functions {
    fn note(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines = block.span().end().line - signature.span().start().line + 1;
        self.0.push((signature.ident.to_string(), lines));
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}

/// Every text that the code holds, in macros' arguments as well.
#[derive(Default)]
pub struct Literals(pub Vec<String>);

impl Literals {
    fn note_tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.note_tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                        self.0.push(text.value());
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'a> Visit<'a> for Literals {
    fn visit_lit_str(&mut self, text: &'a syn::LitStr) {
        self.0.push(text.value());
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.note_tokens(call.tokens.clone());
    }

    // Documentation is an attribute.
    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
}

/// Begins as a statement does, and goes on as one. How a transaction begins and what a session is set to is none of them.
pub fn is_statement(text: &str) -> bool {
    const BEGIN: &[(&str, &[&str])] = &[
        ("select", &["(", ",", "*", " from "]),
        ("insert into", &["("]),
        ("update", &[" set "]),
        ("delete from", &[""]),
        ("with", &[" as ("]),
        ("create", &[" table ", " function ", " trigger ", " database "]),
        ("drop", &[" table ", " function ", " trigger ", " database "]),
        ("alter table", &[""]),
        ("copy", &[" stdin", " stdout"]),
    ];
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    BEGIN.iter().any(|(first, then)| {
        text.strip_prefix(first)
            .is_some_and(|rest| rest.starts_with(' ') && then.iter().any(|then| rest.contains(then)))
    })
}

/// Every identifier that the code declares or uses.
#[derive(Default)]
pub struct Identifiers(pub Vec<String>);

impl<'a> Visit<'a> for Identifiers {
    fn visit_ident(&mut self, identifier: &'a proc_macro2::Ident) {
        self.0.push(identifier.to_string());
    }
}

/// The words of an identifier, in lower case.
pub fn words(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in identifier.chars() {
        if letter == '_' || (letter.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = letter.is_lowercase();
        if letter != '_' {
            let word = words.last_mut().expect("there is a word");
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a statement says of itself, before it begins.
pub fn header(statement: &str) -> String {
    let lines = statement.lines().take_while(|line| line.starts_with("--"));
    lines.collect::<Vec<_>>().join(" ")
}

/// The numbers of the parameters that a statement has, comments not looked at.
pub fn parameters(statement: &str) -> BTreeSet<usize> {
    let code = statement.lines().map(|line| line.split("--").next().unwrap_or(line));
    numbered(&code.collect::<Vec<_>>().join(" "))
        .map(|(number, _)| number)
        .collect()
}

/// The numbers of the parameters that a header names, `$3 to $5` for all between.
pub fn named_parameters(header: &str) -> BTreeSet<usize> {
    let header = header.split_whitespace().filter(|word| *word != "--");
    let header = header.collect::<Vec<_>>().join(" ");
    let mut named = BTreeSet::new();
    for (number, rest) in numbered(&header) {
        let last = rest
            .strip_prefix(" to $")
            .and_then(leading_number)
            .map_or(number, |(last, _)| last);
        named.extend(number..=last);
    }
    named
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('$')
        .filter_map(|(at, _)| leading_number(&text[at + 1..]))
}

/// The number that a text begins with, and what comes after.
fn leading_number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

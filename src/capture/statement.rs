//! Splits a file of SQL into its statements, as the server's own scanner would: a semicolon within a string, a comment, a quoted
//! name, parentheses or a body that begins with `begin atomic` ends nothing.

use sqlx::{AssertSqlSafe, PgConnection};

/// One statement of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Statement<'a> {
    pub text: &'a str,
    /// In lower case; empty where it begins with no word.
    pub first_word: String,
    /// Where its first word stands, from 1.
    pub line: usize,
}

/// What is left open at the end of the file.
#[derive(Debug, PartialEq)]
pub(super) struct Unclosed {
    pub what: &'static str,
    /// Where it begins, from 1.
    pub line: usize,
}

/// # Errors
/// When a string, a quoted name or a comment has no end.
pub(super) fn split(sql: &str) -> Result<Vec<Statement<'_>>, Unclosed> {
    let mut found = Vec::new();
    let mut open = Open::default();
    let mut at = 0;
    while at < sql.len() {
        let token = Token::at(sql, at).map_err(|what| Unclosed {
            what,
            line: line_of(sql, at),
        })?;
        let text = &sql[at..at + token.len];
        if token.kind == Kind::End && open.is_whole() {
            found.extend(open.end(sql, at));
        } else if token.kind != Kind::Blank {
            open.take(at, &token, text);
        }
        at += token.len;
    }
    found.extend(open.end(sql, sql.len()));
    Ok(found)
}

fn line_of(sql: &str, at: usize) -> usize {
    sql[..at].matches('\n').count() + 1
}

/// The statement that is being read.
#[derive(Default)]
struct Open {
    begins: Option<usize>,
    first_word: String,
    last_word: String,
    parentheses: usize,
    /// `begin atomic` and, within it, `case`.
    blocks: usize,
}

impl Open {
    fn is_whole(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn take(&mut self, at: usize, token: &Token, text: &str) {
        let word = match token.kind {
            Kind::Word => text.to_lowercase(),
            _ => String::new(),
        };
        match (text, word.as_str()) {
            ("(", _) => self.parentheses += 1,
            (")", _) => self.parentheses = self.parentheses.saturating_sub(1),
            (_, "atomic") if self.last_word == "begin" && self.first_word == "create" => self.blocks += 1,
            (_, "case") if self.blocks > 0 => self.blocks += 1,
            (_, "end") if self.blocks > 0 => self.blocks -= 1,
            _ => {}
        }
        if self.begins.is_none() {
            self.begins = Some(at);
            self.first_word.clone_from(&word);
        }
        self.last_word = word;
    }

    fn end<'a>(&mut self, sql: &'a str, at: usize) -> Option<Statement<'a>> {
        let Self { begins, first_word, .. } = std::mem::take(self);
        let begins = begins?;
        Some(Statement {
            text: sql[begins..at].trim_end(),
            first_word,
            line: line_of(sql, begins),
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// White space or a comment.
    Blank,
    Word,
    /// A semicolon.
    End,
    Other,
}

struct Token {
    kind: Kind,
    len: usize,
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

impl Token {
    /// The one that begins at a place; an error is what has no end there.
    fn at(sql: &str, at: usize) -> Result<Self, &'static str> {
        let rest = &sql[at..];
        let Some(first) = rest.chars().next() else {
            return Ok(Self::of(Kind::Blank, 0));
        };
        let lasts = |kept: fn(char) -> bool| rest.find(|c| !kept(c)).unwrap_or(rest.len());
        Ok(match first {
            ';' => Self::of(Kind::End, 1),
            _ if is_space(first) => Self::of(Kind::Blank, lasts(is_space)),
            '-' if rest.starts_with("--") => Self::of(Kind::Blank, rest.find(['\n', '\r']).unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => Self::of(Kind::Blank, comment(rest).ok_or("a comment")?),
            '\'' => Self::of(Kind::Other, quoted(rest, 0, '\'', false).ok_or("a string")?),
            '"' => Self::of(Kind::Other, quoted(rest, 0, '"', false).ok_or("a quoted name")?),
            '$' => Self::of(Kind::Other, dollars(rest)?),
            'e' | 'E' if rest[1..].starts_with('\'') => {
                Self::of(Kind::Other, quoted(rest, 1, '\'', true).ok_or("a string")?)
            }
            // So that 1e'x' is no string with escapes; a dollar right behind a digit begins no string either.
            _ if first.is_ascii_digit() => Self::of(Kind::Other, lasts(is_in_word)),
            _ if is_in_word(first) => Self::of(Kind::Word, lasts(is_in_word)),
            _ => Self::of(Kind::Other, first.len_utf8()),
        })
    }

    fn of(kind: Kind, len: usize) -> Self {
        Self { kind, len }
    }
}

/// The length of a comment; comments nest.
fn comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    None
}

/// The length of what begins with a quote at a place; a doubled quote is one of the text.
fn quoted(text: &str, at: usize, quote: char, has_escapes: bool) -> Option<usize> {
    let mut rest = text[at + 1..].char_indices().peekable();
    while let Some((place, c)) = rest.next() {
        if c == '\\' && has_escapes {
            rest.next();
        } else if c == quote && rest.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + 1 + place + 1);
        }
    }
    None
}

/// The length of a string between dollars, or of a parameter's `$`.
fn dollars(text: &str) -> Result<usize, &'static str> {
    let Some(end) = text[1..].find('$').map(|end| end + 2) else {
        return Ok(1);
    };
    let tag = &text[..end];
    let name = &tag[1..tag.len() - 1];
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(|c| is_in_word(c) && c != '$') {
        return Ok(1);
    }
    let close = text[end..].find(tag).ok_or("a string between dollars")?;
    Ok(end + close + tag.len())
}

/// A statement that was put together from names, as what can't be more than one: a name that was not quoted ends nothing.
pub(super) async fn execute(conn: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    let statement = sqlx::query(AssertSqlSafe(statement)).persistent(false);
    statement.execute(conn).await.map(|_| ())
}

/// A name as an identifier, whatever is in it.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a string, whatever is in it and whatever the server takes a backslash for.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str) -> Vec<String> {
        let found = split(sql).expect("closed");
        found.into_iter().map(|statement| statement.first_word).collect()
    }

    #[test]
    fn what_stands_within_something_ends_nothing() {
        for (sql, expected) in [
            (
                "create function f() as 'select; commit'; commit",
                &["create", "commit"][..],
            ),
            (
                "select 1 /* ; /* commit; */ ; */; -- ; commit\nselect 2",
                &["select", "select"],
            ),
            ("/* x */ COMMIT;", &["commit"]),
            ("select $a$ ; $b$ ; $a$ ; end", &["select", "end"]),
            ("select $$;$$;select $1;select a$1;", &["select", "select", "select"]),
            ("select e'it\\'s; ' ; commit", &["select", "commit"]),
            ("select 'it\\'; commit; select ''", &["select", "commit", "select"]),
            ("select 'a'';b', \"x;\"\"y\"; end", &["select", "end"]),
            ("select\n case\n when true then 1\n end;", &["select"]),
            (
                "create rule r as on insert to t do (select 1; select 2); abort",
                &["create", "abort"],
            ),
            (
                "create function f() begin atomic select case when true then 1 end; select 2; end; commit",
                &["create", "commit"],
            ),
            ("begin atomic; commit", &["begin", "commit"]),
            (" ; ;\n", &[]),
            ("\\i other.sql", &[""]),
            ("select U&'é;', é$x; end", &["select", "end"]),
        ] {
            assert_eq!(words(sql), expected, "{sql}");
        }
    }

    #[test]
    fn no_text_ends_the_string_that_it_is_put_into() {
        for text in ["it's", "a\\", "\\'; drop table x; --", "$source$"] {
            let statement = format!("select {}", literal(text));
            assert_eq!(words(&statement), ["select"], "{statement}");
        }
    }

    #[test]
    fn a_statement_is_known_by_its_line_and_what_is_left_open_by_where_it_begins() {
        let found = split("select 1;\n\n-- a word\n  commit ;").expect("closed");
        assert_eq!((found[1].line, found[1].text), (4, "commit"));
        for (sql, what, line) in [
            ("select 1;\nselect 'x", "a string", 2),
            ("\n\n$$ x", "a string between dollars", 3),
            ("/* x", "a comment", 1),
            ("\"x", "a quoted name", 1),
        ] {
            assert_eq!(split(sql), Err(Unclosed { what, line }), "{sql}");
        }
    }
}

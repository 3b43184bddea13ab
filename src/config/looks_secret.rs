//! What is known to be a secret wherever it stands: by its name, or by what it looks like.

/// A name with one of these parts is a secret's, whatever joins its words.
const SECRET_PARTS: [&str; 11] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "accesskey",
    "jwt",
    "credential",
    "signature",
];
/// And one with one of these words.
const SECRET_WORDS: [&str; 7] = ["key", "auth", "sig", "pwd", "pass", "session", "bearer"];
/// A value that begins so is a proof of identity, whatever it is called.
const SCHEMES: [&str; 11] = [
    "bearer ", "basic ", "digest ", "token ", "eyj", "sk_", "pk_", "ghp_", "xoxb-", "akia", "glpat-",
];
/// Letters and digits without a break that are this many were drawn by lot.
const RANDOM_CHARS_MIN: usize = 32;

/// Whether something is known to be a secret, by its name or by what it looks like.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    let words = words(name);
    let (joined, value) = (words.concat(), value.to_ascii_lowercase());
    SECRET_PARTS.iter().any(|part| joined.contains(part))
        || words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || SCHEMES.iter().any(|scheme| value.starts_with(scheme))
        || is_random(&value)
}

/// In lower case; `apiKey` has two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || c.is_uppercase() && before.is_lowercase();
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

fn is_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    value.len() >= RANDOM_CHARS_MIN
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+/=".contains(&byte))
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
}

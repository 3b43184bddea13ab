//! The certificates and the key that a database URL names, or the variables that libpq knows: whether they are there and what they
//! should be, before a connection fails on them, which would look like a server that is down.

use anyhow::Result;

use crate::fault::Fault;
use crate::pem;

type Judge = fn(&str) -> Result<(), &'static str>;

/// As sqlx takes them: the parameter's names, the variable, and what the file has to hold.
const FILES: [(&[&str], &str, Judge); 3] = [
    (
        &["sslrootcert", "ssl-root-cert", "ssl-ca"],
        "PGSSLROOTCERT",
        certificates,
    ),
    (&["sslcert", "ssl-cert"], "PGSSLCERT", certificates),
    (&["sslkey", "ssl-key"], "PGSSLKEY", key),
];

fn certificates(text: &str) -> Result<(), &'static str> {
    pem::certificates(text).map(drop)
}

fn key(text: &str) -> Result<(), &'static str> {
    pem::key(text).map(drop)
}

/// A key that was written where its file's name belongs is shown to nobody: base64 has no full stop, and a key in it begins with an M.
fn shown(path: &str) -> &str {
    match path.starts_with('/') || path.contains('.') {
        true => path,
        false => "what is given, which looks like no path,",
    }
}

pub(super) fn check(url: &str) -> Result<()> {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let mut given = Vec::new();
    for (names, variable, judge) in FILES {
        let in_url = form_urlencoded::parse(parameters.as_bytes()).find(|(name, _)| names.contains(&&**name));
        let found = match in_url {
            Some((name, path)) => Some((format!("{name} of the database URL"), path.into_owned())),
            None => std::env::var(variable).ok().map(|path| (variable.to_owned(), path)),
        };
        given.push(found.is_some());
        let Some((place, path)) = found else { continue };
        // What is no path but what a file would hold is taken as well.
        let text = match path.contains("-----BEGIN") {
            true => path,
            false => std::fs::read_to_string(&path)
                .map_err(|error| Fault::usage(format!("{place}: {} can't be read: {error}", shown(&path))))?,
        };
        judge(&text).map_err(|why| Fault::usage(format!("{place}: it {why}")))?;
    }
    if given[1] != given[2] {
        return Err(Fault::usage(
            "the database URL has only one of sslcert and sslkey (or PGSSLCERT and PGSSLKEY): a certificate is of no use without \
             its key",
        )
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_or_no_certificate_is_named_with_its_parameter() {
        let directory = tempfile::tempdir().unwrap();
        let empty = directory.path().join("empty.pem");
        std::fs::write(&empty, "no PEM").unwrap();
        let said = |parameters: &str| {
            check(&format!("postgres://relay@db/aigent?{parameters}"))
                .unwrap_err()
                .to_string()
        };
        let missing = said("sslrootcert=/no/such/ca.pem");
        assert!(
            missing.starts_with("sslrootcert of the database URL: /no/such/ca.pem can't be read"),
            "{missing}"
        );
        let empty = said(&format!("sslmode=require&ssl-ca={}", empty.display()));
        assert!(
            empty.contains("ssl-ca of the database URL: it holds no certificate"),
            "{empty}"
        );
        let half = said("sslcert=-----BEGIN%20nothing");
        assert!(half.starts_with("sslcert of the database URL: it "), "{half}");
        let key = said("sslkey=MC4CAQAwBQYDK2VwBCIEIExample");
        assert!(!key.contains("MC4C") && key.contains("looks like no path"), "{key}");
        assert!(check("postgres://relay@db/aigent").is_ok());
    }
}

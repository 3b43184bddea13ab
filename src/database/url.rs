//! What a database URL says: which parameters it may have, as whom, and what the server has to prove.

use anyhow::Result;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::config::Tls;
use crate::fault::Fault;

/// The parameters of a URL that sqlx takes; it logs any other with its value.
pub(super) const PARAMETERS: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "options[NAME]",
];

/// Whether each part of a URL stands where it should: what is shown of one that doesn't may be its password.
pub(super) fn is_well_formed(url: &str) -> bool {
    let rest = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let Some(rest) = rest else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What comes before an @ is user and password: one of these has a sign in it that ends them.
    let behind = &rest[authority.len()..];
    let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
    let is_strange = |parameter: &str| parameter.contains('@') && !is_known(parameter);
    if path.contains(['@', '#']) || query.split('&').any(is_strange) {
        return false;
    }
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || !user.to_ascii_lowercase().contains("%3a")
}

fn name(parameter: &str) -> String {
    let pair = form_urlencoded::parse(parameter.as_bytes()).next();
    pair.map_or(String::new(), |(name, _)| name.into_owned())
}

fn is_known(parameter: &str) -> bool {
    let name = name(parameter);
    PARAMETERS.contains(&name.as_str()) || name.starts_with("options[")
}

/// A URL without the parameters that nobody takes, and the names of those.
pub(super) fn known_parameters(url: &str) -> (String, Vec<String>) {
    let Some((place, query)) = url.split_once('?') else {
        return (url.to_owned(), Vec::new());
    };
    let all = query.split('&').filter(|parameter| !parameter.is_empty());
    let (known, unknown): (Vec<&str>, Vec<&str>) = all.partition(|parameter| is_known(parameter));
    let unknown = unknown.into_iter().map(name).collect();
    match known.is_empty() {
        true => (place.to_owned(), unknown),
        false => (format!("{place}?{}", known.join("&")), unknown),
    }
}

/// What the server has to prove before it is sent a password: what the setting says, else the URL, else PGSSLMODE, else
/// everything, unless it is on this machine.
pub(super) fn proven(options: PgConnectOptions, url: &str, tls: Option<Tls>) -> Result<PgConnectOptions> {
    let in_url = url.split_once('?').is_some_and(|(_, parameters)| {
        let mut names = parameters
            .split('&')
            .filter_map(|parameter| parameter.split('=').next());
        names.any(|name| matches!(name, "sslmode" | "ssl-mode"))
    });
    let environment = std::env::var("PGSSLMODE").unwrap_or_default();
    let in_environment = !environment.is_empty();
    // Else it would count as the least.
    if in_environment && environment.parse::<PgSslMode>().is_err() {
        return Err(Fault::usage(
            "PGSSLMODE is none of disable, allow, prefer, require, verify-ca, verify-full: nobody is sent a password by it",
        )
        .into());
    }
    let Some(tls) = tls else {
        let is_said = in_url || in_environment || is_local(&options);
        return Ok(if is_said {
            options
        } else {
            options.ssl_mode(PgSslMode::VerifyFull)
        });
    };
    let mode = match tls {
        Tls::VerifyFull => PgSslMode::VerifyFull,
        Tls::VerifyCa => PgSslMode::VerifyCa,
        Tls::Require => PgSslMode::Require,
        Tls::Prefer => PgSslMode::Prefer,
        Tls::Disable => PgSslMode::Disable,
    };
    if in_url && mode_name(mode) != mode_name(options.get_ssl_mode()) {
        return Err(Fault::usage(format!(
            "database.tls is {:?}, and the database URL says sslmode={}: say it in one of them",
            mode_name(mode),
            mode_name(options.get_ssl_mode())
        ))
        .into());
    }
    Ok(options.ssl_mode(mode))
}

pub(crate) fn mode_name(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

/// Nobody is on the way there.
pub(super) fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Without a name of its own a URL means the account's, as psql has it.
pub(super) fn named(options: PgConnectOptions, url: &str) -> PgConnectOptions {
    let has_user = url.split_once("://").is_some_and(|(_, rest)| {
        rest.split(['/', '?'])
            .next()
            .is_some_and(|authority| authority.contains('@'))
    }) || url.contains("user=");
    if has_user {
        return options;
    }
    match std::env::var("PGUSER").or_else(|_| std::env::var("USER")) {
        Ok(user) => options.username(&user),
        Err(_) => options.username("postgres"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;

    #[test]
    fn parameters_that_nobody_takes_are_named_without_their_values() {
        let (url, unknown) = known_parameters("postgres://u@h/d?sslmode=disable&pasword=hunter2&options[a]=b&x%5Fy=z&");
        assert_eq!(url, "postgres://u@h/d?sslmode=disable&options[a]=b");
        assert_eq!(unknown, ["pasword", "x_y"]);
        assert_eq!(known_parameters("postgres://h/d?a=1").0, "postgres://h/d");
        assert_eq!(
            known_parameters("postgres://h/d"),
            ("postgres://h/d".to_owned(), vec![])
        );
    }

    #[test]
    fn promise_06_a_url_whose_password_may_stand_in_the_place_of_something_else_is_none() {
        for url in [
            "postgres:/u:hunter2@h/d",
            "postgres:u:hunter2@h/d",
            "hunter2",
            "postgres://u%3Ahunter2@h/d",
            "postgres://u%3ahunter2@h",
            "postgres://u:7/hunter2@h/d",
            "postgres://u:/hunter2@h/d",
            "postgres://u:1?hunter2@h/d",
            "postgres://u:1?a=hunter2@h/d",
            "postgres://u:1#hunter2@h/d",
        ] {
            let error = Database::from_url(&url.into()).err().expect(url).to_string();
            assert!(!error.contains("hunter2"), "{url}: {error}");
        }
        for url in [
            "postgres:///aigent?host=/var/run/postgresql",
            "postgres://u:a%3Ab@h/d",
            "postgresql://h/d?user=u%3Av",
            "postgresql://h/d?user=a@b",
        ] {
            assert!(Database::from_url(&url.into()).is_ok(), "{url}");
        }
    }

    fn mode(url: &str, tls: Option<Tls>) -> Result<&'static str> {
        let database = Database::from_url_with(&url.into(), tls)?;
        Ok(mode_name(database.tls().0))
    }

    #[test]
    fn promise_07_any_other_machine_has_to_prove_who_it_is_unless_said_otherwise() {
        for (url, expected) in [
            ("postgres://relay:pw@db.internal/aigent", "verify-full"),
            (
                "postgres://relay:pw@10.0.0.5:5433/aigent?application_name=x",
                "verify-full",
            ),
            ("postgres://relay:pw@localhost.evil.example/aigent", "verify-full"),
            ("postgres://relay:pw@db.internal/aigent?sslmode=prefer", "prefer"),
            ("postgres://relay:pw@db.internal/aigent?sslmode=disable", "disable"),
            ("postgres://relay:pw@127.0.0.1/aigent", "prefer"),
            ("postgres://relay:pw@localhost/aigent", "prefer"),
            ("postgres://relay:pw@[::1]/aigent", "prefer"),
            ("postgres:///aigent?host=/var/run/postgresql", "prefer"),
        ] {
            assert_eq!(mode(url, None).unwrap(), expected, "{url}");
        }
        let remote = "postgres://relay:pw@db.internal/aigent";
        assert_eq!(mode(remote, Some(Tls::Disable)).unwrap(), "disable");
        assert_eq!(
            mode("postgres://relay@127.0.0.1/a", Some(Tls::VerifyFull)).unwrap(),
            "verify-full"
        );
    }

    #[test]
    fn promise_07_of_several_hosts_each_proves_itself() {
        let url = "postgres://relay:pw@127.0.0.1:5433,db.internal,[::1]:5434/aigent";
        let database = Database::from_url(&url.into()).unwrap();
        let modes: Vec<_> = database
            .hosts
            .all
            .iter()
            .map(|host| mode_name(host.get_ssl_mode()))
            .collect();
        assert_eq!(modes, ["prefer", "verify-full", "prefer"]);
        assert!(Database::from_url(&"postgres://h1,h2,h3/a?port=1,2".into()).is_err());
    }

    #[test]
    fn promise_07_two_that_say_different_things_are_an_error() {
        let url = "postgres://relay:secret@db.internal/aigent?sslmode=prefer";
        let error = mode(url, Some(Tls::VerifyFull)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "database.tls is \"verify-full\", and the database URL says sslmode=prefer: say it in one of them"
        );
        assert_eq!(mode(url, Some(Tls::Prefer)).unwrap(), "prefer");
    }
}

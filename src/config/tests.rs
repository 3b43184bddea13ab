//! The settings as a whole, and the example file that must not drift from them.

use std::collections::BTreeSet;

use reqwest::Url;
use secrecy::ExposeSecret;

use super::*;

const EXAMPLE: &str = include_str!("../../relay.example.toml");
const NO_DEFAULT: &str = "# No default, for example: ";
/// Then the method, and either `": setting` or `", by default: setting`.
const WITH_METHOD: &str = "# With method = \"";

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, SettingsError> {
    Config::parse(Some(text), Path::new("conf/relay.toml"), &env(variables))
}

fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    parse(text, variables).unwrap_err().problems().to_vec()
}

fn the_problem(text: &str, variables: &[(&str, &str)]) -> String {
    let problems = problems(text, variables);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems[0].clone()
}

const MAIN: &str = "[receivers.main]\nurl = 'https://partner.example/'\n";

#[test]
fn nothing_set_gives_the_defaults() {
    let config = Config::parse(None, Path::new("relay.toml"), &[]).unwrap();
    assert_eq!(config.database.max_connections, 8);
    assert_eq!(config.source.properties_table, "projects");
    assert_eq!(config.source.units_table, "project_rent_roll_units");
    assert_eq!(config.relay.poll_every, Duration::from_millis(40));
    assert_eq!(config.relay.sweep_every, Duration::from_secs(10));
    assert_eq!(config.retention.outbox, Duration::from_secs(14 * 24 * 60 * 60));
    assert_eq!(config.retention.syncs, Duration::from_secs(14 * 24 * 60 * 60));
    assert!(config.receivers.is_empty());
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}

#[test]
fn a_receiver_of_the_file_with_nothing_but_its_url_is_a_new_receiver() {
    let config = parse(MAIN, &[]).unwrap();
    let url = Url::parse("https://partner.example/").unwrap();
    assert_eq!(config.receivers["main"], Receiver::new("main", url));
}

#[test]
fn a_file_sets_every_kind_of_key() {
    let text = r#"
        [database]
        url = "postgres://relay@db/aigent"
        max_connections = 3
        [source]
        units_table = "rent.units"
        available_status_ids = [1, 4]
        [receivers.main]
        url = "http://receiver:8080/sync"
        allow_plain_http = true
        enroll = "listed"
        property_groups = [7]
        units_per_request_max = 1
        timeout = "1m 30s"
        headers = { X-Partner = "aigent" }
        auth = { method = "api_key", key = { file = "keys/main" }, header = "X-Key" }
        retry = { schedule = ["1ms"], jitter_percent = 0 }
        breaker = { probe_every = "1m", failures = 3 }
        requests_per_second_max = 2.5
        [relay]
        poll_every = "5ms"
    "#;
    let config = parse(text, &[]).unwrap();
    assert_eq!(config.database.max_connections, 3);
    assert_eq!(config.source.available_status_ids().unwrap(), [1, 4]);
    assert_eq!(config.relay.poll_every, Duration::from_millis(5));
    let receiver = config.receiver(None).unwrap();
    assert_eq!(receiver.enroll, Enroll::Listed);
    assert_eq!(receiver.property_groups, Some(vec![7]));
    assert_eq!(receiver.timeout, Duration::from_secs(90));
    assert_eq!(receiver.retry.schedule, [Duration::from_millis(1)]);
    assert_eq!(receiver.breaker.probe_every, Duration::from_secs(60));
    assert_eq!(receiver.breaker.failures, 3);
    assert_eq!(receiver.requests_per_second_max, Some(2.5));
    let key = SecretRef::file("receivers.main.auth.key", "conf/keys/main");
    let header = "X-Key".to_owned();
    assert_eq!(receiver.auth, Auth::ApiKey { key, header });
}

#[test]
fn every_kind_of_key_can_be_set_by_a_variable() {
    let variables = env(&[
        ("RELAY_CONFIG", "elsewhere.toml"),
        ("RELAY_LOG", "debug"),
        ("HOME", "/root"),
        ("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1, 4]"),
        ("RELAY_RELAY__POLL_EVERY", "50ms"),
        ("RELAY_RECEIVERS__MAIN__URL", "https://partner.example/"),
        ("RELAY_RECEIVERS__MAIN__ALLOW_PLAIN_HTTP", "true"),
        ("RELAY_RECEIVERS__MAIN__CONCURRENCY_MAX", "2"),
        ("RELAY_RECEIVERS__MAIN__HEADERS", "{ X-Partner = 'aigent' }"),
        ("RELAY_RECEIVERS__MAIN__AUTH__METHOD", "api_key"),
        ("RELAY_RECEIVERS__MAIN__AUTH__KEY", "{ env = 'K' }"),
        ("RELAY_RECEIVERS__MAIN__RETRY__SCHEDULE", "['1s', '2s']"),
    ]);
    let config = Config::parse(None, Path::new("relay.toml"), &variables).unwrap();
    assert_eq!(config.source.available_status_ids().unwrap(), [1, 4]);
    assert_eq!(config.relay.poll_every, Duration::from_millis(50));
    let receiver = config.receiver(Some("main")).unwrap();
    assert_eq!(receiver.concurrency_max, 2);
    assert_eq!(receiver.headers, [("X-Partner".to_owned(), "aigent".to_owned())]);
    assert_eq!(receiver.retry.schedule.len(), 2);
    assert_eq!(receiver.auth.headers(), ["X-API-Key"]);
}

#[test]
fn a_variable_wins_over_the_file_and_a_keys_over_its_tables() {
    let text = "[relay]\npoll_every = '1s'\nsweep_every = '1s'";
    let variables = [
        ("RELAY_RELAY__SWEEP_EVERY", "3s"),
        ("RELAY_RELAY", "{ poll_every = '2s', sweep_every = '2s' }"),
    ];
    let relay = parse(text, &variables).unwrap().relay;
    assert_eq!(relay.poll_every, Duration::from_secs(2));
    assert_eq!(relay.sweep_every, Duration::from_secs(3));
}

#[test]
fn database_url_yields_to_the_relays_own_settings() {
    let file = "[database]\nurl = 'postgres://file/x'";
    let general = ("DATABASE_URL", "postgres://general/x");
    let own = ("RELAY_DATABASE__URL", "postgres://own/x");
    let url = |text, variables: &[(&str, &str)]| {
        let config = parse(text, variables).unwrap();
        config.database.url().unwrap().expose_secret().to_owned()
    };
    assert_eq!(url("", &[general]), "postgres://general/x");
    assert_eq!(url(file, &[general]), "postgres://file/x");
    assert_eq!(url("", &[general, own]), "postgres://own/x");
    assert_eq!(url(file, &[general, own]), "postgres://own/x");
    let unset = parse("", &[("DATABASE_URL", "")]).unwrap();
    let error = unset.database.url().unwrap_err().to_string();
    assert!(error.contains("DATABASE_URL="), "{error}");
}

#[test]
fn an_unknown_key_is_reported_with_its_path_place_and_neighbour() {
    let text = format!("{MAIN}timout = '1s'");
    let problem = the_problem(&text, &[]);
    let start = "conf/relay.toml: unknown key receivers.main.timout; \
                 did you mean receivers.main.timeout? Known keys there: accept, allow_plain_http, auth,";
    assert!(problem.starts_with(start), "{problem}");
}

#[test]
fn an_unknown_variable_is_reported_by_its_name() {
    assert_eq!(
        the_problem("", &[("RELAY_POLL", "secret")]),
        "environment variable RELAY_POLL: unknown key poll. \
         Known keys there: alerts, certify, database, guard, http, receivers, relay, retention, snapshot, source."
    );
    let problem = the_problem(MAIN, &[("RELAY_RECEIVERS__MAIN__ENROL", "all")]);
    let start = "environment variable RELAY_RECEIVERS__MAIN__ENROL: unknown key \
                 receivers.main.enrol; did you mean receivers.main.enroll?";
    assert!(problem.starts_with(start), "{problem}");
}

#[test]
fn a_key_under_what_is_no_table_is_reported() {
    let text = "[relay]\npoll_every = '1s'";
    assert_eq!(
        the_problem(text, &[("RELAY_RELAY__POLL_EVERY__X", "1")]),
        "environment variable RELAY_RELAY__POLL_EVERY__X: relay.poll_every is not a table \
         in conf/relay.toml, so no key of it can be set."
    );
}

#[test]
fn a_bad_value_is_reported_with_what_is_allowed() {
    assert_eq!(
        the_problem("[database]\nmax_connections = 2", &[]),
        "conf/relay.toml: database.max_connections is 2, \
         but must be a whole number from 3 to 1000."
    );
    let problem = the_problem("[relay]\npoll_every = 30", &[]);
    let start = "conf/relay.toml: relay.poll_every is 30, but must be a duration from 5ms to 10s";
    assert!(problem.starts_with(start), "{problem}");
    let problem = the_problem("", &[("RELAY_RELAY__POLL_EVERY", "30")]);
    let start = "environment variable RELAY_RELAY__POLL_EVERY: relay.poll_every is \"30\", but";
    assert!(problem.starts_with(start), "{problem}");
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = "[relay]\npoll_every = 1\nsweep = 2\n[receivers.main]\nenroll = 'all'";
    let problems = problems(text, &[]);
    assert_eq!(problems.len(), 4, "{problems:#?}");
}

#[test]
fn a_literal_secret_is_refused_unseen_and_the_message_says_how() {
    let auth = format!("{MAIN}[receivers.main.auth]\nmethod = 'api_key'\n");
    for key in [
        "key = 'hunter2'",
        "key = { env = 'A', file = 'hunter2' }",
        "key = { literal = 'hunter2' }",
        "key = { env = '' }",
        "key = 12",
    ] {
        let problem = the_problem(&format!("{auth}{key}"), &[]);
        assert!(problem.contains("{ env = \"NAME\" }"), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
    let variable = ("RELAY_RECEIVERS__MAIN__AUTH__KEY", "hunter2");
    let problem = the_problem(&auth, &[variable]);
    assert!(!problem.contains("hunter2"), "{problem}");
}

#[test]
fn no_secret_is_ever_printed() {
    let url = "postgres://relay:hunter2@db/x";
    let config = parse("", &[("DATABASE_URL", url)]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    for text in [
        "[database]\nurl = 'mysql://relay:hunter2@db/x'",
        "[database]\nurl = ['hunter2']",
        "database = 'postgres://relay:hunter2@db/x'",
        "database_url = 'postgres://relay:hunter2@db/x'",
        "[receivers.main]\nurl = 'https://me:hunter2@partner/'",
        "[receivers.main]\nurl = 'https://partner/'\nauth = 'hunter2'",
        "[receivers.main]\nurl = 'https://partner/'\nheaders = { Host = 'hunter2' }",
        "[receivers.main]\nurl = 'https://partner/'\nheaders = 'X-Key: hunter2'",
        "[database]\nurl = \"hunter2",
        "[database]\nurl = hunter2",
        "[database]\nurl = \"\\hunter2\"",
        "[database]\nurl = 'a'\nurl = 'hunter2'",
        "[database]\nurl = 'a' hunter2",
        "[database]\nurl = 1hunter2",
    ] {
        let message = parse(text, &[]).unwrap_err().to_string();
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn keys_of_another_auth_method_are_unknown() {
    let text = format!("{MAIN}auth = {{ header = 'X-Key' }}");
    assert_eq!(
        the_problem(&text, &[]),
        "conf/relay.toml: receivers.main.auth.header is not a key with method = \"none\"; \
         set receivers.main.auth.method = \"api_key\" to use it."
    );
    let text = format!("{MAIN}auth = {{ method = 'apikey', header = 'X-Key' }}");
    assert_eq!(
        the_problem(&text, &[]),
        "conf/relay.toml: receivers.main.auth.method is \"apikey\", \
         but must be \"none\" or \"api_key\" or \"bearer\" or \"static\" or \"hmac\" or \"oauth2\"."
    );
}

#[test]
fn the_auth_header_is_not_a_static_header_too() {
    let oauth2 = "'oauth2', token_url = 'https://id/', client_id = 'a', client_secret = { env = 'K' }";
    for (header, method) in [
        ("x-api-key", "'api_key', key = { env = 'K' }"),
        ("x-token", "'static', header = 'X-Token', value = { env = 'K' }"),
        ("authorization", "'bearer', token = { env = 'K' }"),
        ("authorization", oauth2),
        ("webhook-signature", "'hmac', secrets = [{ env = 'K' }]"),
    ] {
        let text = format!("{MAIN}headers = {{ {header} = 'v' }}\nauth = {{ method = {method} }}");
        let problem = the_problem(&text, &[]);
        let start = format!("conf/relay.toml: receivers.main.headers must not set {header:?}");
        assert!(problem.starts_with(&start), "{problem}");
    }
}

#[test]
fn every_method_is_read_with_its_secrets_as_references() {
    let read = |method: &str| {
        let text = format!("{MAIN}auth = {{ method = {method} }}");
        let config = parse(&text, &[]).unwrap();
        config.receivers["main"].auth.clone()
    };
    let kept = |key: &str, name| SecretRef::env(&format!("receivers.main.auth.{key}"), name);
    assert_eq!(read("'none'"), Auth::None);
    let token = kept("token", "K");
    assert_eq!(read("'bearer', token = { env = 'K' }"), Auth::Bearer { token });
    let (header, value) = ("Authorization".to_owned(), kept("value", "K"));
    assert_eq!(
        read("'static', header = 'Authorization', value = { env = 'K' }"),
        Auth::Static { header, value }
    );
    let file = SecretRef::file("receivers.main.auth.secrets[1]", "conf/old");
    let secrets = vec![kept("secrets[0]", "NEW"), file];
    assert_eq!(
        read("'hmac', secrets = [{ env = 'NEW' }, { file = 'old' }]"),
        Auth::Hmac { secrets }
    );
    let oauth2 = |scope: Option<&str>| {
        Auth::OAuth2(OAuth2 {
            token_url: Url::parse("https://id.example/token").unwrap(),
            client_id: "aigent".to_owned(),
            client_secret: kept("client_secret", "K"),
            scope: scope.map(str::to_owned),
            audience: scope.map(|_| "api".to_owned()),
        })
    };
    let needed =
        "'oauth2', token_url = 'https://id.example/token', client_id = 'aigent', client_secret = { env = 'K' }";
    assert_eq!(read(needed), oauth2(None));
    let all = format!("{needed}, scope = 'units:write', audience = 'api'");
    assert_eq!(read(&all), oauth2(Some("units:write")));
}

#[test]
fn a_literal_secret_of_any_method_is_refused_unseen() {
    for (method, key) in [
        ("'bearer', token = 'hunter2'", "token"),
        ("'static', header = 'X', value = 'hunter2'", "value"),
        ("'hmac', secrets = ['whsec_hunter2']", "secrets"),
        ("'hmac', secrets = 'whsec_hunter2'", "secrets"),
        ("'hmac', secrets = [{ env = 'A' }, { value = 'hunter2' }]", "secrets"),
        ("'hmac', secrets = []", "secrets"),
        (
            "'oauth2', token_url = 'https://id/', client_id = 'a', client_secret = 'hunter2'",
            "client_secret",
        ),
        (
            "'oauth2', token_url = 'https://a:hunter2@id/', client_id = 'a', client_secret = { env = 'K' }",
            "token_url",
        ),
    ] {
        let problem = the_problem(&format!("{MAIN}auth = {{ method = {method} }}"), &[]);
        let start = format!("conf/relay.toml: receivers.main.auth.{key} must be ");
        assert!(problem.starts_with(&start), "{problem}");
        assert!(problem.contains("reference"), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn a_token_is_fetched_over_https_as_the_receiver_is_reached() {
    let text = |allow: bool| {
        let auth = "'oauth2', token_url = 'http://id.example/', client_id = 'a', client_secret = { env = 'K' }";
        format!("{MAIN}allow_plain_http = {allow}\nauth = {{ method = {auth} }}")
    };
    let problem = the_problem(&text(false), &[]);
    assert!(
        problem.contains("auth.token_url is \"http://id.example/\", but must be https"),
        "{problem}"
    );
    assert!(parse(&text(true), &[]).is_ok());
}

#[test]
fn a_receivers_name_is_checked() {
    let problem = the_problem("[receivers.Main]\nurl = 'https://partner.example/'", &[]);
    assert!(problem.contains("receivers.Main must be small letters"), "{problem}");
    let problem = the_problem("[receivers]\nurl = 'https://partner.example/'", &[]);
    assert!(
        problem.contains("receivers.url must be a table, written as [receivers.url]"),
        "{problem}"
    );
}

#[test]
fn a_receiver_needs_its_url() {
    assert_eq!(
        the_problem("[receivers.main]", &[]),
        "receivers.main.url has to be set, in the settings file \
         or as environment variable RELAY_RECEIVERS__MAIN__URL."
    );
}

#[test]
fn tables_are_named_by_plain_identifiers() {
    for name in ["projects", "rent.projects", "_p1", "Rent.Projects"] {
        assert!(is_table_name(name), "{name}");
    }
    let long = "p".repeat(64);
    for name in ["", ".", "a.", "a.b.c", "a b", "p;drop", "\"p\"", "1p", &long] {
        assert!(!is_table_name(name), "{name}");
    }
}

#[test]
fn statuses_are_not_guessed() {
    let error = Config::default().source.available_status_ids().unwrap_err();
    assert!(error.to_string().contains("dangerous"), "{error}");
    let problem = the_problem("[source]\navailable_status_ids = []", &[]);
    assert!(problem.contains("at least one"), "{problem}");
}

#[test]
fn a_receiver_is_chosen_by_name_or_by_being_the_only_one() {
    let none = Config::default();
    let error = none.receiver(None).unwrap_err().to_string();
    assert!(error.contains("[receivers.main]"), "{error}");
    let two = parse(&format!("{MAIN}[receivers.b]\nurl = 'https://b/'"), &[]).unwrap();
    assert_eq!(two.receiver(Some("b")).unwrap().name, "b");
    let error = two.receiver(None).unwrap_err().to_string();
    assert!(error.contains("b, main") && error.contains("--receiver"), "{error}");
    let error = two.receiver(Some("c")).unwrap_err().to_string();
    assert!(error.contains("\"c\"") && error.contains("b, main"), "{error}");
}

#[test]
fn loading_reads_the_file_asked_for_and_checks_its_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.toml");
    let auth = "auth = { method = 'api_key', key = { file = 'key' } }";
    std::fs::write(&path, format!("{MAIN}{auth}")).unwrap();
    let by_variable = env(&[("RELAY_CONFIG", path.to_str().unwrap())]);
    let error = Config::load_with(Some(&path), &[]).unwrap_err().to_string();
    assert!(error.starts_with("receivers.main.auth.key: "), "{error}");
    std::fs::write(directory.path().join("key"), "s3cret\n").unwrap();
    let config = Config::load_with(None, &by_variable).unwrap();
    let Auth::ApiKey { key, .. } = &config.receivers["main"].auth else {
        panic!("{config:?}");
    };
    assert_eq!(key.read().unwrap().expose_secret(), "s3cret");
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn loading_checks_where_alerts_go() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.toml");
    std::fs::write(&path, "alerts.webhook_url = { file = 'hook' }").unwrap();
    let load = || Config::load_with(Some(&path), &[]).map_err(|error| error.to_string());
    assert!(load().unwrap_err().starts_with("alerts.webhook_url: "));
    std::fs::write(directory.path().join("hook"), "http://hooks.example/hunter2").unwrap();
    let error = load().unwrap_err();
    assert!(
        error.starts_with("alerts.webhook_url must be an https URL") && !error.contains("hunter2"),
        "{error}"
    );
    std::fs::write(directory.path().join("hook"), "https://hooks.example/hunter2").unwrap();
    let config = load().unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_file_that_was_asked_for_has_to_be_there() {
    let error = Config::load_with(Some(Path::new("no/such.toml")), &[]).unwrap_err();
    let message = error.to_string();
    let start = "the settings file no/such.toml can't be read: ";
    assert!(message.starts_with(start), "{message}");
}

/// The example with the lines that `uncommented` gives in place of comments.
fn example(uncommented: impl Fn(&str) -> Option<String>) -> String {
    let lines = EXAMPLE.lines().map(|line| {
        let heading = line.strip_prefix('#').filter(|rest| rest.starts_with('['));
        let example = line.strip_prefix(NO_DEFAULT);
        match heading.or(example) {
            Some(text) => text.to_owned(),
            None => uncommented(line).unwrap_or_else(|| line.to_owned()),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn default_line(line: &str) -> Option<String> {
    let rest = line.strip_prefix('#')?;
    rest.starts_with(|c: char| c.is_ascii_lowercase())
        .then(|| rest.to_owned())
}

/// The settings of a method: those that have no default, and the defaults too where wanted.
fn line_with_method(method: &str, with_defaults: bool, line: &str) -> Option<String> {
    let (of, setting) = line.strip_prefix(WITH_METHOD)?.split_once('"')?;
    let required = setting.strip_prefix(": ");
    let default = setting.strip_prefix(", by default: ").filter(|_| with_defaults);
    required.or(default).filter(|_| of == method).map(str::to_owned)
}

fn leaves(path: &str, value: &toml::Value, found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    for (key, value) in value.as_table().into_iter().flatten() {
        let path = format!("{path}.{key}");
        leaves(path.trim_start_matches('.'), value, found);
    }
}

fn assert_documented(text: &str) {
    let read = read_all(Some(text), Path::new("relay.example.toml"), &[]).unwrap();
    let mut written = BTreeSet::new();
    leaves("", &toml::Value::Table(text.parse().unwrap()), &mut written);
    let missing: Vec<_> = read.keys.difference(&written).collect();
    assert!(missing.is_empty(), "not in relay.example.toml: {missing:?}");
}

#[test]
fn the_example_as_it_is_sets_nothing() {
    let config = parse(EXAMPLE, &[]).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}

#[test]
fn the_example_documents_every_key_with_its_default() {
    let with_defaults = example(default_line);
    let documented = parse(&with_defaults, &[]).unwrap();
    let real = parse(&example(|_| None), &[]).unwrap();
    assert_eq!(format!("{documented:?}"), format!("{real:?}"));
    assert_documented(&with_defaults);
}

#[test]
fn the_example_documents_the_keys_of_every_auth_method() {
    let of_method = |method: &str, with_defaults: bool| {
        example(|line| match line {
            "#method = \"none\"" => Some(format!("method = {method:?}")),
            _ => line_with_method(method, with_defaults, line).or_else(|| default_line(line)),
        })
    };
    for method in ["api_key", "bearer", "static", "hmac", "oauth2"] {
        let documented = parse(&of_method(method, true), &[]).unwrap();
        let real = parse(&of_method(method, false), &[]).unwrap();
        assert_eq!(format!("{documented:?}"), format!("{real:?}"));
        assert_documented(&of_method(method, true));
    }
}

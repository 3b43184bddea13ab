//! Certificates: whom the relay believes, and how it shows who it is, to a receiver and to the database.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use local_postgres::{Durability, LocalPostgres};
use rentsync_relay::capture::install_for;
use rentsync_relay::config::Config;
use rentsync_relay::demo::portfolio::SCHEMA;
use rustix::process::Signal;
use tokio::process::Command;

use crate::process::{LIMIT, at_rest, bare, ended, output, refused, relay, said, signal};
use crate::support::TestDatabase;
use crate::support::rig::Rig;
use crate::support::tls::{Authority, Issued};

fn path(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// A command that sends through this front.
fn through(rig: &Rig, front: std::net::SocketAddr, arguments: &[&str]) -> Command {
    let url = format!("https://localhost:{}{}", front.port(), rig.receiver.url.path());
    let mut command = relay(rig, arguments);
    command.env("RELAY_RECEIVERS__MAIN__URL", url);
    command
}

fn front(rig: &Rig, authority: &Authority) -> std::net::SocketAddr {
    let server = rig.receiver.url.socket_addrs(|| None).expect("an address")[0];
    authority.front_of(server)
}

trait With {
    fn with_ca(&mut self, ca: &Path) -> &mut Self;
    fn with_client(&mut self, client: &Issued) -> &mut Self;
}

impl With for Command {
    fn with_ca(&mut self, ca: &Path) -> &mut Self {
        self.env("RELAY_RECEIVERS__MAIN__TLS__CA_FILE", ca)
    }

    fn with_client(&mut self, client: &Issued) -> &mut Self {
        let key = format!("{{ file = {:?} }}", path(&client.key));
        self.env("RELAY_RECEIVERS__MAIN__TLS__CLIENT_CERT", &client.cert)
            .env("RELAY_RECEIVERS__MAIN__TLS__CLIENT_KEY", key)
    }
}

#[tokio::test]
async fn a_receiver_of_ones_own_ca_that_asks_who_comes_gets_everything() {
    let (rig, authority) = (Rig::new().await, Authority::new());
    let mut once = through(&rig, front(&rig, &authority), &["once"]);
    once.with_ca(&authority.ca())
        .with_client(&authority.issue("relay", &[]));
    let output = output(once).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    rig.assert_equal().await;
}

#[tokio::test]
async fn nothing_goes_to_who_is_not_believed_or_does_not_believe_us() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (ours, strange) = (authority.issue("relay", &[]), stranger.issue("relay", &[]));
    // This host knows nothing of that authority; it is not the one that counts; nobody is shown; a stranger is.
    for (ca, client, why) in [
        (None, Some(&ours), "issued by an authority"),
        (Some(stranger.ca()), Some(&ours), "issued by an authority"),
        (Some(authority.ca()), None, "asks for a client certificate"),
        (Some(authority.ca()), Some(&strange), "asks for a client certificate"),
    ] {
        let rig = Rig::new().await;
        let mut once = through(&rig, front(&rig, &authority), &["once"]);
        if let Some(ca) = ca {
            once.with_ca(&ca);
        }
        if let Some(client) = client {
            once.with_client(client);
        }
        refused(once, 1, &["undelivered"]).await;
        let said = rig
            .source
            .texts("select error from rentsync.attempt order by started_at")
            .await;
        assert!(said.iter().all(|said| said.contains(why)), "{why}: {said:?}");
        // Another try at once would end alike.
        let paused = "select count(*) from rentsync.receiver where paused_at is not null";
        assert_eq!(rig.source.number(paused).await, 1, "{why}");
        assert_eq!(rig.sandbox.syncs().len(), 0, "{why}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_exchanged_is_used_without_a_restart() {
    let (rig, authority, stranger) = (Rig::new().await, Authority::new(), Authority::new());
    let shown = stranger.issue("relay", &[]);
    let mut run = through(&rig, front(&rig, &authority), &["run"]);
    let child = run.with_ca(&authority.ca()).with_client(&shown).spawn().expect("run");
    let paused = "select count(*) from rentsync.receiver where paused_at is not null";
    until(&rig.source, paused, 1).await;
    let ours = authority.issue("relay", &[]);
    std::fs::copy(&ours.key, &shown.key).unwrap();
    std::fs::copy(&ours.cert, &shown.cert).unwrap();
    at_rest(&rig).await;
    rig.assert_equal().await;
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(0));
}

#[tokio::test]
async fn files_that_are_no_certificate_or_no_pair_are_said_before_anything_is_sent() {
    let authority = Authority::new();
    let (ours, others) = (authority.issue("relay", &[]), authority.issue("other", &[]));
    let missing = Issued {
        cert: ours.cert.clone(),
        key: authority.directory().join("none.pem"),
    };
    let no_key = Issued {
        cert: ours.cert.clone(),
        key: ours.cert.clone(),
    };
    let no_pair = Issued {
        cert: ours.cert.clone(),
        key: others.key,
    };
    let check = |client: &Issued| {
        let mut check = bare(&["check"]);
        check
            .env("DATABASE_URL", "postgres://relay@db.invalid/aigent")
            .env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1]")
            .env("RELAY_RECEIVERS__MAIN__URL", "https://receiver.invalid/")
            .with_client(client);
        check
    };
    refused(check(&ours), 0, &["valid"]).await;
    refused(check(&missing), 2, &["tls.client_key", "none.pem can't be read"]).await;
    refused(check(&no_key), 2, &["tls.client_key: it holds no private key"]).await;
    refused(check(&no_pair), 2, &["tls.client_key can't be used together"]).await;
    let key = std::fs::read_to_string(&ours.key).unwrap();
    let mut literal = check(&ours);
    literal.env("RELAY_RECEIVERS__MAIN__TLS__CLIENT_KEY", &key);
    let output = output(literal).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("must be the path of a file in PEM"));
    assert!(!said(&output).contains(key.lines().nth(1).unwrap()));
    let mut plain = check(&ours);
    plain.env("RELAY_RECEIVERS__MAIN__URL", "http://127.0.0.1:9/");
    refused(plain, 2, &["receivers.main.tls is for https"]).await;
}

/// A server that takes a password and a certificate, both, and nothing without TLS.
struct Guarded {
    server: LocalPostgres,
    source: TestDatabase,
    authority: Authority,
    address: String,
}

impl Guarded {
    async fn start() -> Self {
        let address = own_address();
        let settings = [
            ("listen_addresses", &*address),
            ("password_encryption", "scram-sha-256"),
        ];
        let server = LocalPostgres::start_with(Durability::InMemory, &settings).expect("a PostgreSQL that listens");
        let it = Self {
            source: TestDatabase::elsewhere("postgres", server.options("postgres"), server.url("postgres")),
            authority: Authority::new(),
            address,
            server,
        };
        it.source.execute(SCHEMA).await;
        it.source.execute("create role relay login password 'wort'").await;
        install_for(&it.source.database, &Config::default().source, Some("relay"))
            .await
            .expect("install");
        it.ask_who_comes().await;
        it
    }

    /// From now on.
    async fn ask_who_comes(&self) {
        let directory = self.server.directory();
        let server = self.authority.issue("server", &[&self.address]);
        for (from, name) in [
            (&self.authority.ca(), "ca.pem"),
            (&server.cert, "cert.pem"),
            (&server.key, "key.pem"),
        ] {
            give(directory, from, name);
        }
        let hba = "local all all trust\nhostssl all all all scram-sha-256 clientcert=verify-full\n";
        std::fs::write(directory.join("data/pg_hba.conf"), hba).expect("pg_hba.conf");
        let at = path(directory);
        self.source
            .execute(&format!("alter system set ssl_ca_file = '{at}/ca.pem'"))
            .await;
        self.source
            .execute(&format!("alter system set ssl_cert_file = '{at}/cert.pem'"))
            .await;
        self.source
            .execute(&format!("alter system set ssl_key_file = '{at}/key.pem'"))
            .await;
        self.source.execute("alter system set ssl = on").await;
        self.source.execute("select pg_reload_conf()").await;
        until(
            &self.source,
            "select count(*) from pg_settings where name = 'ssl' and setting = 'on'",
            1,
        )
        .await;
    }

    /// `status` as the relay's role.
    fn status(&self, password: &str, parameters: &[(&str, &Path)]) -> Command {
        let mut status = bare(&["status"]);
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, at)| format!("{name}={}", path(at)))
            .collect();
        let url = format!(
            "postgres://relay:{password}@{}/postgres?sslmode=verify-full&{}",
            self.address,
            parameters.join("&")
        );
        status.env("DATABASE_URL", url);
        status
    }
}

/// An address of this machine's that no other server listens on: all of these are its own, and the port is the same for all.
fn own_address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    match cfg!(target_os = "linux") {
        true => {
            let [high, low, ..] = std::process::id().to_be_bytes()[2..] else {
                unreachable!()
            };
            format!("127.{}.{high}.{low}", 100 + NEXT.fetch_add(1, Ordering::Relaxed))
        }
        false => "127.0.0.1".to_owned(),
    }
}

/// Whoever runs the server may read it, and nobody else.
fn give(directory: &Path, from: &Path, name: &str) {
    let to = directory.join(name);
    std::fs::copy(from, &to).expect("copy");
    std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    let owner = std::fs::metadata(directory).expect("the cluster").uid();
    if owner != std::fs::metadata(&to).expect("the copy").uid() {
        chown(&to, Some(owner), None).expect("chown");
    }
}

async fn until(source: &TestDatabase, query: &'static str, number: i64) {
    let waiting = async {
        while source.number(query).await != number {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect(query);
}

#[tokio::test]
async fn a_database_that_wants_a_password_and_a_certificate_is_given_both() {
    let guarded = Guarded::start().await;
    let (ca, relay) = (guarded.authority.ca(), guarded.authority.issue("relay", &[]));
    let somebody = guarded.authority.issue("somebody", &[]);
    let stranger = Authority::new();
    let shown = |client: &Issued| {
        [
            ("sslrootcert", ca.clone()),
            ("sslcert", client.cert.clone()),
            ("sslkey", client.key.clone()),
        ]
    };
    let ask = |password: &str, parameters: &[(&str, std::path::PathBuf)]| {
        let parameters: Vec<_> = parameters.iter().map(|(name, at)| (*name, at.as_path())).collect();
        guarded.status(password, &parameters)
    };
    refused(ask("wort", &shown(&relay)), 0, &[]).await;
    refused(ask("wrong", &shown(&relay)), 3, &["password"]).await;
    refused(ask("wort", &shown(&relay)[..1]), 3, &["client certificate"]).await;
    refused(ask("wort", &shown(&somebody)), 3, &["authentication failed"]).await;
    let mut believed = shown(&relay);
    believed[0].1 = stranger.ca();
    refused(ask("wort", &believed), 3, &["certificate"]).await;
}

#[tokio::test]
async fn a_server_that_is_not_believed_is_not_waited_for() {
    let guarded = Guarded::start().await;
    let stranger = Authority::new();
    let url = format!(
        "postgres://relay:wort@{}/postgres?sslmode=verify-full&sslrootcert={}",
        guarded.address,
        path(&stranger.ca())
    );
    let mut run = bare(&["run"]);
    run.env("DATABASE_URL", url)
        .env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1]")
        .env("RELAY_RECEIVERS__MAIN__URL", "http://127.0.0.1:9/")
        .env("RELAY_HTTP__LISTEN", "none");
    refused(run, 3, &["could not be reached", "certificate"]).await;
}

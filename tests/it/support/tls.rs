//! An authority of the test's own, what it issues, and a front of TLS before a server that has none.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// Issues certificates, as files in a directory that goes with it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    directory: tempfile::TempDir,
}

/// A certificate and its key.
pub struct Issued {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let directory = tempfile::tempdir().unwrap();
        // No other has its name.
        params
            .distinguished_name
            .push(DnType::CommonName, directory.path().display().to_string());
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let it = Self {
            issuer: Issuer::new(params, key),
            pem,
            directory,
        };
        it.file("ca.pem", &it.pem);
        it
    }

    /// Where its own certificate is.
    pub fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// For a server or a client: who it is is its common name, and where it is its other names.
    pub fn issue(&self, who: &str, places: &[&str]) -> Issued {
        let places: Vec<String> = places.iter().map(|place| (*place).to_owned()).collect();
        let mut params = CertificateParams::new(places).unwrap();
        params.distinguished_name.push(DnType::CommonName, who);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        Issued {
            cert: self.file(&format!("{who}.pem"), &cert.pem()),
            key: self.file(&format!("{who}-key.pem"), &key.serialize_pem()),
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Speaks TLS on a port of this machine's as localhost, asks whoever comes for a certificate of this authority's, and hands
    /// each request on to a server that speaks none.
    pub fn front_of(&self, server: SocketAddr) -> SocketAddr {
        let config = Arc::new(self.asking_who_comes());
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                let config = config.clone();
                std::thread::spawn(move || hand_on(socket, config, server));
            }
        });
        address
    }

    fn asking_who_comes(&self) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap())
            .unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        let server = self.issue("localhost", &["localhost"]);
        ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![CertificateDer::from_pem_file(&server.cert).unwrap()],
                PrivateKeyDer::from_pem_file(&server.key).unwrap(),
            )
            .unwrap()
    }
}

/// One request, and its answer; then the connection ends. Whoever shows no certificate gets nothing.
fn hand_on(socket: TcpStream, config: Arc<ServerConfig>, server: SocketAddr) -> Option<()> {
    let mut outside = StreamOwned::new(ServerConnection::new(config).ok()?, socket);
    let Some((head, body)) = request(&mut outside) else {
        // What is still on its way would have the connection reset, and with it why nothing is taken.
        outside.sock.shutdown(Shutdown::Write).ok()?;
        std::io::copy(&mut outside.sock, &mut std::io::sink()).ok()?;
        return None;
    };
    let mut inside = TcpStream::connect(server).ok()?;
    inside
        .write_all(format!("{head}connection: close\r\n\r\n").as_bytes())
        .ok()?;
    inside.write_all(&body).ok()?;
    let mut answer = Vec::new();
    inside.read_to_end(&mut answer).ok()?;
    outside.write_all(&answer).ok()?;
    outside.conn.send_close_notify();
    outside.flush().ok()
}

/// Its head, without the line that ends it, and its body.
fn request(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    head.truncate(head.len() - 2);
    let head = String::from_utf8(head).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

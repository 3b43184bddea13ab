//! A server on a loopback port that keeps what it gets and answers as it is set to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::serve::ListenerExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

pub struct Stub {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Received {
    /// The header's only value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(values.len() < 2, "{name} came twice");
        values.first().map(|value| value.to_str().expect("text"))
    }
}

impl Stub {
    /// Answers the request of this number, from 0, as the function says.
    pub async fn answering(answer: impl Fn(usize, &Received) -> Response + Send + Sync + 'static) -> Self {
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let connections: Arc<AtomicUsize> = Arc::default();
        let (keep, counted) = (received.clone(), connections.clone());
        let answer = Arc::new(answer);
        let app = Router::new().fallback(move |request: Request| {
            let (keep, answer) = (keep.clone(), answer.clone());
            async move {
                let request = whole(request).await;
                let number = {
                    let mut kept = keep.lock().unwrap();
                    kept.push(request.clone());
                    kept.len() - 1
                };
                answer(number, &request)
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sync", listener.local_addr().unwrap());
        let listener = listener.tap_io(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            received,
            connections,
            task,
        }
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn whole(request: Request) -> Received {
    let (parts, body) = request.into_parts();
    Received {
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
    }
}

/// An answer with this status, these headers and this text.
pub fn answer(status: u16, headers: &[(&str, &str)], text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name = axum::http::HeaderName::try_from(*name).unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A place where nobody listens.
pub async fn deserted() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Every connection gets these bytes after the head of its request, and then what `after` does with it.
/// Gives the address, and every head.
pub async fn raw<F>(bytes: &'static [u8], after: fn(TcpStream) -> F) -> (String, Arc<Mutex<Vec<String>>>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = heads.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let kept = kept.clone();
            tokio::spawn(async move {
                let head = head(&mut stream).await;
                kept.lock().unwrap().push(head);
                stream.write_all(bytes).await.ok();
                after(stream).await;
            });
        }
    });
    (address, heads)
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Closes the connection, after reading what is still under way (a reset would take the answer along).
pub async fn close(mut stream: TcpStream) {
    stream.shutdown().await.ok();
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.ok();
}

/// Goes on writing a byte at a time until nobody reads any more.
pub async fn trickle(mut stream: TcpStream) {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(5));
    while stream.write_all(b" ").await.is_ok() {
        tick.tick().await;
    }
}

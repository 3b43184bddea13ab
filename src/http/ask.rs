//! Asking a relay that runs whether it is ready: its own `/readyz`, straight, whatever proxies there are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::words::in_a_line;

/// What `/readyz` answers where all is well.
pub(super) const READY: &str = "ready\n";
/// Less than what containers and orchestrators wait for by default.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// A line for each stage that gets nowhere.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Whether the relay that listens there is ready.
///
/// # Errors
/// Where it says that it is not (exit code 1), and where it can't be asked (3).
pub async fn ask(listen: SocketAddr) -> Result<()> {
    let address = reached_at(listen);
    let unreachable = |why: String| Fault::unreachable(format!("no relay answers at http://{address}/readyz: {why}"));
    let (status, text) = match timeout(ANSWERS_WITHIN, answer(address)).await {
        Ok(answer) => answer.map_err(|error| unreachable(error.to_string()))?,
        Err(_) => return Err(unreachable(format!("nothing came within {ANSWERS_WITHIN:?}")).into()),
    };
    match status {
        StatusCode::OK if text == READY => Ok(()),
        StatusCode::SERVICE_UNAVAILABLE => {
            let lacking: Vec<_> = text.lines().collect();
            Err(Fault::finding(format!("not ready: {}", in_a_line(&lacking.join("; ")))).into())
        }
        status => Err(unreachable(format!("what listens there is something else, and answers {status}")).into()),
    }
}

/// Whoever listens everywhere is on this machine as well.
fn reached_at(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn answer(address: SocketAddr) -> Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/readyz").header(header::HOST, address.to_string());
    let request = request.header(header::CONNECTION, "close").body(Body::empty())?;
    let conversation = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let text = to_bytes(Body::new(answer.into_body()), ANSWER_BYTES_MAX).await?;
        Ok((status, String::from_utf8_lossy(&text).into_owned()))
    };
    let (answer, _) = tokio::join!(conversation, connection);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_asked_on_this_machine() {
        for (listen, asked) in [
            ("0.0.0.0:9464", "127.0.0.1:9464"),
            ("[::]:9464", "[::1]:9464"),
            ("10.0.0.5:80", "10.0.0.5:80"),
        ] {
            assert_eq!(reached_at(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}

//! Where the relay itself can be asked over HTTP.
//!
//! Not its business: what it answers.

use std::net::{Ipv4Addr, SocketAddr};

use settings::Node;
use settings::Section;
use settings::{Refusal, Validated};

/// What exporters of this format often take.
const PORT: u16 = 9464;

/// Where the relay itself can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Address and port; nowhere when not set.
    pub listen: Option<SocketAddr>,
}

impl Http {
    pub(super) fn read(section: &mut Section) -> Self {
        let default = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
        Self {
            listen: section.take("listen", default, address),
        }
    }
}

fn address(node: &Node) -> Validated<Option<SocketAddr>> {
    match node.as_str() {
        Some("none") => Ok(None),
        text => match text.and_then(|text| text.parse().ok()) {
            Some(address) => Ok(Some(address)),
            None => Err(Refusal::new(
                "must be an IP address and a port, like \"127.0.0.1:9464\" or \"[::1]:9464\", or \"none\"",
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_address_with_its_port_or_none() {
        let accepted = |text: &str| address(&Node::text("RELAY_HTTP__LISTEN".into(), text)).ok();
        assert_eq!(accepted("none"), Some(None));
        assert_eq!(accepted("[::]:80"), Some("[::]:80".parse().ok()));
        for wrong in ["", "9464", "localhost:9464", "127.0.0.1", "127.0.0.1:70000"] {
            assert_eq!(accepted(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn by_default_nobody_from_outside_can_ask() {
        let listen = super::super::Config::default().http.listen;
        assert!(listen.is_some_and(|address| address.ip().is_loopback()), "{listen:?}");
    }
}

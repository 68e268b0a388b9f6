//! The address of whoever sends a request, told apart from the proxies in between
//! ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)).

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::config::{ProxyHeader, ServerConfig};

/// The address that a request came from, as far as proxies that we trust vouch for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Read it from what the nearest peer says, if that is a proxy that we trust: the last hop that is
    /// none. Everything before that hop may be invented, and so may the header that proxies do not
    /// write.
    #[must_use]
    pub fn find(peer: IpAddr, headers: &HeaderMap, server: &ServerConfig) -> Self {
        let is_trusted =
            |address: &IpAddr| server.trusted_proxies.iter().any(|proxy| proxy.contains(address));
        let mut nearest = peer.to_canonical();
        for hop in hops(headers, server.proxy_header).into_iter().rev() {
            if !is_trusted(&nearest) {
                break;
            }
            // A hop without an address is as far as we can see.
            let Some(hop) = hop else { break };
            nearest = hop.to_canonical();
        }
        Self(nearest)
    }
}

/// The hops that the proxies name, the farthest first.
fn hops(headers: &HeaderMap, header: ProxyHeader) -> Vec<Option<IpAddr>> {
    match header {
        ProxyHeader::XForwardedFor => {
            elements(headers, "x-forwarded-for").into_iter().map(address).collect()
        }
        ProxyHeader::Forwarded => {
            elements(headers, "forwarded").into_iter().map(forwarded_for).collect()
        }
    }
}

fn elements<'a>(headers: &'a HeaderMap, name: &'static str) -> Vec<&'a str> {
    let lines = headers.get_all(HeaderName::from_static(name)).into_iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).collect()
}

fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = { pairs }.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(node.trim().trim_matches('"'))
}

/// An address, with or without a port and the brackets around IPv6 (RFC 7239 §6).
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn found(written: &str, peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a value")));
        let flags = [("trusted_proxies", "10.0.0.0/8, fd00::/8"), ("proxy_header", written)];
        let flags = flags.map(|(name, value)| (name, value.to_owned()));
        let server = Config::load(flags, []).unwrap().server;
        ClientAddress::find(peer.parse().unwrap(), &headers.collect(), &server).0.to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_where_a_request_came_from() {
        let header = [("x-forwarded-for", "192.0.2.1")];
        assert_eq!(found("x-forwarded-for", "203.0.113.9", &header), "203.0.113.9");
        assert_eq!(found("x-forwarded-for", "10.0.0.1", &header), "192.0.2.1");
        assert_eq!(found("x-forwarded-for", "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_counts_whatever_stands_before_it() {
        let from = |value| found("x-forwarded-for", "10.0.0.1", &[("x-forwarded-for", value)]);
        for value in ["1.2.3.4, 192.0.2.1", "1.2.3.4, 192.0.2.1, 10.0.0.2", "x, 192.0.2.1:99"] {
            assert_eq!(from(value), "192.0.2.1");
        }
        assert_eq!(from("1.2.3.4, unknown"), "10.0.0.1");
    }

    #[test]
    fn the_header_that_the_proxies_do_not_write_is_a_strangers() {
        let (old, new) = (("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=198.51.100.7"));
        assert_eq!(found("x-forwarded-for", "10.0.0.1", &[old, new]), "192.0.2.1");
        assert_eq!(found("x-forwarded-for", "10.0.0.1", &[new]), "10.0.0.1");
        assert_eq!(found("forwarded", "10.0.0.1", &[old, new]), "198.51.100.7");
        assert_eq!(found("forwarded", "10.0.0.1", &[old]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_in_all_its_forms() {
        let from = |peer, value| found("forwarded", peer, &[("forwarded", value)]);
        assert_eq!(from("::ffff:10.0.0.1", r#"proto=https;for="[2001:db8::1]:5""#), "2001:db8::1");
        assert_eq!(from("fd00::1", "for=192.0.2.1;by=x"), "192.0.2.1");
        assert_eq!(from("fd00::1", "for=_hidden"), "fd00::1");
    }
}

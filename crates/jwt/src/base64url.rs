//! Base64url as JOSE writes it
//! ([RFC 7515 §2](https://www.rfc-editor.org/rfc/rfc7515#section-2)): no padding, no line breaks, and
//! no stray bits in the last character, so that bytes have exactly one spelling.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn append(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_exactly_one_spelling() {
        assert_eq!(decode("QQ").unwrap(), b"A");
        for other in ["QR", "QQ==", "QQ=", " QQ", "QQ\n", "Q", "+w", "/w"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}

//! Documents of many orders one after another in one object.

/// How a format's documents stand one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packing {
    /// JSON documents, each on a line of its own.
    Lines,
    /// As they are, each ended by a line break, below the header that each of them begins with.
    Text {
        /// The header, once for all; empty where there is none.
        header: Vec<u8>,
    },
}

impl Packing {
    /// What stands before the first document.
    pub(crate) fn header(&self) -> &[u8] {
        match self {
            Self::Lines => &[],
            Self::Text { header } => header,
        }
    }

    /// The media type of all together, by that of one document.
    pub(crate) fn media_type(&self, document: String) -> String {
        match self {
            // https://github.com/ndjson/ndjson-spec
            Self::Lines => "application/x-ndjson".to_owned(),
            Self::Text { .. } => document,
        }
    }

    /// A document as it stands among the others.
    pub(crate) fn part(&self, mut document: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Lines => {
                // In JSON no text has a line break in it: they stand between values only.
                for byte in &mut document {
                    if matches!(byte, b'\r' | b'\n') {
                        *byte = b' ';
                    }
                }
                let mut line = document.trim_ascii().to_vec();
                line.push(b'\n');
                line
            }
            Self::Text { header } => {
                if document.starts_with(header) {
                    document.drain(..header.len());
                }
                if !document.is_empty() && !document.ends_with(b"\n") {
                    document.push(b'\n');
                }
                document
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_document_is_one_line_and_means_the_same() {
        let written = "\r\n{\n  \"note\": \"two\\nlines\u{2028}\",\r\n  \"no\": 1\n}\n";
        let line = Packing::Lines.part(written.into());
        let text = std::str::from_utf8(&line).unwrap();
        assert_eq!(
            (text.matches('\n').count(), text.ends_with("}\n"), text.starts_with('{')),
            (1, true, true),
            "{text}"
        );
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(text), read(written));
    }

    #[test]
    fn a_header_stands_once_and_every_text_ends_with_a_line_break() {
        let header = b"no;total\r\n".to_vec();
        for (document, expected) in
            [("no;total\r\n1;2\r\n3;4\r\n", "1;2\r\n3;4\r\n"), ("no;total\r\n", ""), ("", ""), ("1;2", "1;2\n")]
        {
            let part = Packing::Text { header: header.clone() }.part(document.into());
            assert_eq!(String::from_utf8(part).unwrap(), expected, "{document:?}");
        }
        assert_eq!(Packing::Text { header: Vec::new() }.part(b"a\nb".into()), b"a\nb\n");
    }
}

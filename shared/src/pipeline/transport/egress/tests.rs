use toml::de::DeTable;

use super::*;
use crate::config::document::{Problem, Problems, Table};

const ROOTS: &str = include_str!("../../../aws/roots.pem");

fn read_toml(text: &str) -> (Egress, Vec<Problem>) {
    let document = DeTable::parse(text).unwrap();
    let problems = Problems::new("ordersync.toml", text);
    let files = [("company.pem", ROOTS), ("key.pem", "-----BEGIN CERTIFICATE-----\nAAAA")];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().collect();
    let egress = read(Table::root(document.get_ref(), &problems).get("egress").as_ref(), &files);
    (egress, problems.into_sorted())
}

fn allowing(entries: &[&str]) -> Egress {
    let (egress, problems) = read_toml(&format!("[egress]\nallow = {entries:?}\n"));
    assert_eq!(problems, []);
    egress
}

#[test]
fn what_is_no_host_and_port_is_a_problem() {
    for entry in [
        "",
        "erp.internal",
        "erp.internal:",
        ":8443",
        "erp.internal:0",
        "erp.internal:65536",
        "erp.internal:+80",
        "https://erp.internal:8443",
        "erp.internal:8443/",
        "user@erp.internal:8443",
        "::1:9000",
        "[::1]",
        "[::1:9000",
        "*.internal:8443",
        "erp .internal:8443",
        "erp%2einternal:80",
        "10.0.0.0/8:443",
        "erp.internal:８０",
    ] {
        let (egress, problems) = read_toml(&format!("[egress]\nallow = [{entry:?}]\n"));
        assert_eq!(egress, Egress::default(), "{entry}");
        assert_eq!(problems.len(), 1, "{entry}");
        assert_eq!((problems[0].line, problems[0].path.as_str()), (2, "egress.allow[0]"));
        assert!(problems[0].message.starts_with("expected a host and port such as"), "{}", problems[0].message);
    }
}

#[test]
fn no_table_allows_nothing_and_unknown_keys_are_problems() {
    assert_eq!(read_toml(""), (Egress::default(), vec![]));
    let (_, problems) = read_toml("[egress]\nallowed = []\n");
    assert_eq!(problems[0].message, "unknown key, expected one of: allow, ca");
}

#[test]
fn roots_are_read_from_a_file_beside_the_configuration() {
    let (egress, problems) = read_toml("[egress]\nca = \"company.pem\"\n");
    assert_eq!(problems, []);
    assert_eq!(Some(egress.roots), tls::roots(ROOTS.as_bytes()));
    for (ca, expected) in [
        ("\"other.pem\"", "the file \"other.pem\" is not beside the configuration"),
        ("\"key.pem\"", "key.pem: expected root certificates in PEM (-----BEGIN CERTIFICATE-----)"),
        ("1", "expected a string that is not empty, found the number 1"),
    ] {
        let (egress, problems) = read_toml(&format!("[egress]\nca = {ca}\n"));
        assert_eq!(egress, Egress::default());
        assert_eq!(problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>(), [expected]);
        assert_eq!(problems[0].path, "egress.ca");
    }
}

#[test]
fn a_named_host_may_be_private_and_without_tls() {
    let egress = allowing(&["127.0.0.1:9000", "ERP.internal:8443", "[::1]:80", "bücher.example:443"]);
    for url in [
        "http://127.0.0.1:9000/orders",
        "https://127.0.0.1:9000/",
        "http://2130706433:9000/",
        "http://0x7f.1:9000/",
        "http://erp.internal:8443/",
        "https://erp.INTERNAL.:8443/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]:80/",
        "https://xn--bcher-kva.example/",
    ] {
        assert_eq!(egress.route(&url.parse().unwrap()), Ok(Route::Named), "{url}");
    }
}

#[test]
fn everything_else_needs_tls_and_a_public_address() {
    let egress = allowing(&["127.0.0.1:9000", "erp.internal:8443"]);
    for url in [
        "http://127.0.0.1:9001/",
        "http://erp.internal/",
        "http://sub.erp.internal:8443/",
        "http://example.com/",
        "http://127.0.0.1.nip.io:9000/",
        "ftp://127.0.0.1/",
    ] {
        let refused = egress.check(&url.parse().unwrap());
        assert!(matches!(refused, Err(Refused::Insecure(_))), "{url}: {refused:?}");
    }
    for url in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/",
        "https://0/",
        "https://10.0.0.1:443/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://１２７.0.0.1/",
        "https://127.0.0.1./",
    ] {
        let refused = egress.check(&url.parse().unwrap());
        assert!(matches!(refused, Err(Refused::NotPublic(_))), "{url}: {refused:?}");
    }
    for url in ["https://erp.example.com/", "https://8.8.8.8/", "https://[2606:4700::1111]:8443/", "https://localhost/"]
    {
        assert_eq!(egress.route(&url.parse().unwrap()), Ok(Route::Public), "{url}");
    }
}

#[test]
fn a_refusal_names_the_entry_that_would_allow_it() {
    let insecure = allowing(&[]).check(&"http://erp.internal/orders?token=x".parse().unwrap()).unwrap_err();
    insta::assert_snapshot!(insecure, @r#"http:// without TLS is only for a host and port named in [egress] allow, here "erp.internal:80"; use https://"#);
    let private = allowing(&[]).check(&"https://[::1]:8443/".parse().unwrap()).unwrap_err();
    insta::assert_snapshot!(private, @r#""[::1]:8443" is not at a public address; name it in [egress] allow if it is meant"#);
}

proptest::proptest! {
    #[test]
    fn every_spelling_of_an_address_is_judged_as_the_address(bits: u32) {
        let address = std::net::Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = address.octets();
        let public = address::is_public(address.into());
        for host in [
            format!("{address}"), format!("{bits}"), format!("{bits:#x}"), format!("0{bits:o}"),
            format!("{a:#x}.{b:#o}.{c}.{d}").replace("0o", "0"), format!("[::ffff:{address}]"),
        ] {
            let judged = Egress::default().check(&format!("https://{host}/").parse().unwrap());
            proptest::prop_assert_eq!(judged.is_ok(), public, "{}", host);
        }
    }

    #[test]
    fn no_entry_makes_the_reader_panic(entry: String) {
        let _ = Authority::parse(&entry);
    }
}

#[test]
fn what_only_looks_like_another_host_is_judged_as_what_it_is() {
    let egress = allowing(&["127.0.0.1:9000", "erp.internal:8443"]);
    for url in [
        // The user is not the host.
        "https://erp.example.com@169.254.169.254/",
        "https://erp.example.com:443@127.0.0.1/",
        "https://user:password@10.0.0.1/",
        "https://127.0.0.1:9000@127.0.0.1:9001/",
        // Neither a backslash nor the scheme's missing slashes hide it.
        "https://169.254.169.254\\@erp.example.com/",
        "https:169.254.169.254/",
        "https:///169.254.169.254/",
        "https://\t169.254.169.254\n/",
        // The metadata service in every spelling.
        "https://169.254.43518/",
        "https://169.16689662/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0xa9.0xfe.0xa9.0xfe/",
        "https://0251.0376.0251.0376/",
        "https://169.254.169.254./",
        "https://169\u{3002}254\u{3002}169\u{3002}254/",
        "https://%31%36%39.254.169.254/",
        "https://\u{2460}69.254.169.254/",
        "https://[::ffff:169.254.169.254]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::169.254.169.254]/",
        "https://[64:ff9b::169.254.169.254]/",
        "https://[64:ff9b:1::169.254.169.254]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://[FD00:EC2::254]/",
        "https://[fe80::a9fe:a9fe]/",
        "https://[0:0:0:0:0:0:0:1]/",
        // The rest of what is not public.
        "https://0.0.0.0/",
        "https://100.64.0.1/",
        "https://192.168.1.1:8443/",
        "https://[::]/",
        "https://[fc00::1]/",
    ] {
        let url: Url = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(matches!(egress.check(&url), Err(Refused::NotPublic(_))), "{url}");
    }
    for url in [
        // What is allowed is a host and a port, nothing that contains them.
        "http://127.0.0.1:9000@erp.example.com/",
        "http://erp.example.com/#@127.0.0.1:9000/",
        "http://erp.example.com/?@127.0.0.1:9000",
        "http://erp.example.com\\@127.0.0.1:9000/",
        "http://127.0.0.2:9000/",
        "http://127.0.0.1/",
        "http://[::ffff:127.0.0.1]:9000/",
        "http://xn--erp-internal:8443/",
        "http://erp.internal.example.com:8443/",
        "http://erp.internal..:8443/",
        "http://erp.internal:84430/",
        "http://erp-internal:8443/",
    ] {
        // What is no URL is not called either.
        let refused = url.parse::<Url>().map(|url| egress.check(&url));
        assert!(!matches!(refused, Ok(Ok(()))), "{url}");
    }
    for url in [
        "https://[fe80::1%25eth0]/",
        "https://[::1%eth0]/",
        "https://[v1.::1]/",
        "https://127.0.0.1.5/",
        "https://256.0.0.1/",
        "https://0x100000000/",
        "https://127.0.0.08/",
        "https://169.254.169.254%00.example.com/",
        "https://169.254.169.254 .example.com/",
    ] {
        assert!(url.parse::<Url>().is_err(), "{url} is no URL");
    }
}

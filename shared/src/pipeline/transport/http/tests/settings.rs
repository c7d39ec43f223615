//! Settings that are not as expected.

use super::*;

fn problems(settings: &str) -> Vec<String> {
    let (_, _, problems) = load(settings, &["127.0.0.1:9000".into()]);
    problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
}

#[test]
fn settings_as_they_should_be() {
    for settings in [
        r#"type = "http", url = "https://erp.example.com/orders""#,
        r#"type = "http", url = "http://127.0.0.1:9000/", method = "PATCH", timeout = "60s", gzip = true"#,
        r#"type = "http", url = "https://e.example/", headers = { Accept = "text/xml", SOAPAction = "\"new\"" }"#,
        r#"type = "http", url = "https://e.example/", auth = { type = "oauth2", token_url = "https://a.example/t",
            secret = "s", client_id = "c", scope = "a b", audience = "x", client_auth = "body" }"#,
        r#"type = "http", url = "https://e.example/", signing_secret = ["new", "old"]"#,
    ] {
        assert_eq!(problems(&settings.replace('\n', " ")), [""; 0], "{settings}");
    }
}

#[test]
fn every_problem_is_found_at_once() {
    let settings = r#"type = "http", url = "http://10.0.0.1/", method = "GET", timeout = "500ms", gzip = "yes",
        headers = { Host = "a", Authorization = "b", "Bad Name" = "c", X-Lines = "a\nb", webhook-id = "d" },
        auth = { type = "oauth2", token_url = "https://169.254.169.254/", client_auth = "post" }, retries = 3"#;
    insta::assert_snapshot!(problems(&settings.replace('\n', " ")).join("\n"), @r#"
transport.auth: the key "secret" is missing
transport.auth.client_auth: expected one of "basic", "body", found the string "post"
transport.auth.token_url: "169.254.169.254:443" is not at a public address; name it in [egress] allow if it is meant
transport.gzip: expected true or false, found the string "yes"
transport.headers.Authorization: ordersync sets the header authorization itself; use auth
transport.headers.Bad Name: this is no name of a header
transport.headers.Host: ordersync sets the header host itself
transport.headers.X-Lines: expected a string of printable ASCII characters, found the string "a\nb"
transport.headers.webhook-id: ordersync sets the header webhook-id itself
transport.method: expected one of "POST", "PUT", "PATCH", found the string "GET"
transport.retries: unknown key, expected one of: auth, gzip, headers, method, signing_secret, timeout, type, url
transport.timeout: expected a length of time from "1s" to "60s", found the string "500ms"
transport.url: http:// without TLS is only for a host and port named in [egress] allow, here "10.0.0.1:80"; use https://
"#);
}

#[test]
fn problems_of_single_settings() {
    for (settings, expected) in [
        (r#"url = "https://e.example/""#, "transport: the key \"type\" is missing"),
        (
            r#"type = "ftp", url = "ftp://e.example/""#,
            "transport.type: expected one of \"http\", \"s3\", found the string \"ftp\"",
        ),
        (r#"type = "http""#, "transport: the key \"url\" is missing"),
        (
            r#"type = "http", url = "https://127.1/""#,
            "transport.url: \"127.0.0.1:443\" is not at a public address; name it in [egress] allow if it is meant",
        ),
        (
            r#"type = "http", url = "https://e.example/", auth = "" "#,
            "transport.auth: expected a string that is not empty, found the string \"\"",
        ),
        (
            r#"type = "http", url = "https://e.example/", auth = { type = "basic" }"#,
            "transport.auth: the key \"secret\" is missing",
        ),
        (
            r#"type = "http", url = "https://e.example/", auth = { type = "header", secret = "s" }"#,
            "transport.auth: the key \"name\" is missing",
        ),
        (
            r#"type = "http", url = "https://e.example/", auth = { type = "header", name = "Host", secret = "s" }"#,
            "transport.auth.name: expected the name of a header that ordersync does not set itself, found the string \"Host\"",
        ),
        (
            r#"type = "http", url = "https://e.example/", auth = { type = "bearer", secret = "s", name = "n" }"#,
            "transport.auth.name: unknown key, expected one of: secret, type",
        ),
    ] {
        assert_eq!(problems(settings), [expected]);
    }
}

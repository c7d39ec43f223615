//! The hosts of AWS that functions call.

/// The names under which AWS's partitions have their endpoints, by the beginning of their regions.
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
const SUFFIXES: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
];

/// A host that a function calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// That of a bucket, by its name.
    Bucket(&'a str),
    /// `DynamoDB`.
    DynamoDb,
    /// That of a queue, by its URL.
    Queue(&'a str),
    /// Secrets Manager.
    SecretsManager,
}

impl Host<'_> {
    /// Its URL; where an emulator stands in for AWS, the emulator's. A bucket has its own name on AWS, but for one that
    /// no certificate fits, and is a path of the emulator.
    pub(super) fn url(self, emulator: Option<&str>, region: &str) -> String {
        let suffix =
            SUFFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("amazonaws.com", |known| known.1);
        match (emulator.map(|emulator| emulator.trim_end_matches('/')), self) {
            (Some(emulator), Host::Bucket(name)) => format!("{emulator}/{name}"),
            (Some(emulator), _) => emulator.to_owned(),
            (None, Host::Bucket(name)) if name.contains('.') => format!("https://s3.{region}.{suffix}/{name}"),
            (None, Host::Bucket(name)) => format!("https://{name}.s3.{region}.{suffix}"),
            (None, Host::DynamoDb) => format!("https://dynamodb.{region}.{suffix}"),
            (None, Host::Queue(url)) => url.to_owned(),
            (None, Host::SecretsManager) => format!("https://secretsmanager.{region}.{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_called_by_its_host_name_where_that_has_a_certificate() {
        for (emulator, bucket, region, expected) in [
            (None, "acme", "eu-central-1", "https://acme.s3.eu-central-1.amazonaws.com"),
            (None, "acme.com", "us-gov-west-1", "https://s3.us-gov-west-1.amazonaws.com/acme.com"),
            (None, "acme", "cn-north-1", "https://acme.s3.cn-north-1.amazonaws.com.cn"),
            (None, "acme", "us-isob-east-1", "https://acme.s3.us-isob-east-1.sc2s.sgov.gov"),
            (Some("http://127.0.0.1:4566/"), "acme", "us-east-1", "http://127.0.0.1:4566/acme"),
        ] {
            assert_eq!(Host::Bucket(bucket).url(emulator, region), expected);
        }
    }

    /// What is connected to ahead has to be what the SDK calls then.
    #[tokio::test]
    async fn services_are_called_where_the_sdk_calls_them() {
        use aws_sdk_dynamodb::config::endpoint::{Params as DynamoDb, ResolveEndpoint as _};
        use aws_sdk_s3::config::endpoint::{Params as S3, ResolveEndpoint as _};
        use aws_sdk_secretsmanager::config::endpoint::{Params as Secrets, ResolveEndpoint as _};
        for region in ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"] {
            let table = DynamoDb::builder().region(region).build().unwrap();
            let table = aws_sdk_dynamodb::config::endpoint::DefaultResolver::new().resolve_endpoint(&table).await;
            assert_eq!(Host::DynamoDb.url(None, region), table.unwrap().url());
            let secrets = Secrets::builder().region(region).build().unwrap();
            let secrets =
                aws_sdk_secretsmanager::config::endpoint::DefaultResolver::new().resolve_endpoint(&secrets).await;
            assert_eq!(Host::SecretsManager.url(None, region), secrets.unwrap().url());
            for bucket in ["acme", "acme.com"] {
                let bucket_params = S3::builder().region(region).bucket(bucket).build().unwrap();
                let found = aws_sdk_s3::config::endpoint::DefaultResolver::new().resolve_endpoint(&bucket_params).await;
                assert_eq!(Host::Bucket(bucket).url(None, region), found.unwrap().url());
            }
        }
    }
}

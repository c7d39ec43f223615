//! `ordersync send`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::{StreamExt as _, stream};
use ordersync::clock;
use ordersync::config::{IntakeConfig, IntakeShop};
use ordersync::pipeline::transport::egress::Egress;
use ordersync::pipeline::transport::http::client::HttpClient;
use ordersync::secrets::{Freshness, Secret};
use ordersync::webhook::{Signed, ToSign};
use serde::Serialize;
use url::Url;

use crate::args::Global;
use crate::commands::render::read_file;
use crate::configured;
use crate::exit::{Exit, Failure};
use crate::output::{Out, count, table};
use crate::pace::Pace;
use crate::stack::Stack;

const EXAMPLES: &str = "\
Examples:
  ordersync send acme-eu webhook.json --config config
  ordersync send demo-shopify events/webhooks/shopify.json --local
  ordersync send acme-eu cancelled.json --config config --topic orders/cancelled
  ordersync send acme-eu webhook.json --config config --repeat 100 --rate 10
  pass show acme-webhook | ordersync send acme-eu webhook.json --config config --secret-file - --url https://…/webhooks/acme-eu

The secret is read from Secrets Manager by the name that the configuration has for the shop, the first where there are
several, or from a file or the input; never from an argument, which other users of the machine can read.";

/// How long an answer is waited for: API Gateway gives up earlier.
const PATIENCE: Duration = Duration::from_secs(35);

/// Sign a webhook as the shop's platform does, and post it
///
/// Ends with 1 where an answer was not 2xx. Repeated, it is the same order under another delivery each time: what comes
/// twice is exported once.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Send {
    /// Code of the shop.
    #[arg(value_name = "SHOP")]
    shop: String,
    /// The webhook's body; - for the input.
    #[arg(value_name = "FILE")]
    webhook: PathBuf,
    /// The platform's word for what happened; without it, its word for a new order.
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Where to post to, instead of to the stack.
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// File with the shop's secret; - for the input.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// How often.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Most requests a second; as fast as answers come where not given.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Requests on their way at the same time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Answer {
    /// The delivery's identifier.
    delivery: String,
    /// Nothing where there was no answer.
    status: Option<u16>,
    milliseconds: u64,
    /// What was answered, or why not.
    said: String,
}

impl Send {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let stdin = [Some(&self.webhook), self.secret_file.as_ref()].into_iter().flatten();
        if stdin.filter(|file| file.as_os_str() == "-").count() > 1 {
            return Err(Failure::Usage("the input can be the webhook or the secret, not both".into()));
        }
        let body = read_file(&self.webhook)?;
        let pace = Pace::new(self.rate)?;
        let is_alone = self.url.is_some() && self.secret_file.is_some() && global.config.is_some();
        // Who names everything needs no stack.
        let (stack, config) = if is_alone {
            (None, configured::of_directory::<IntakeConfig>(global).await?.1)
        } else {
            let stack = Stack::find(global).await?;
            let config = configured::of_stack::<IntakeConfig>(global, &stack).await?;
            (Some(stack), config)
        };
        let shop = config.shops.get(&self.shop);
        let shop = shop.ok_or_else(|| configured::unknown("shop", &self.shop, config.shops.keys()))?;
        let secret = self.secret(shop, stack.as_ref()).await?;
        let url = self.url(stack.as_ref())?;
        let answers = self.post(shop, &secret, &url, &body, pace).await?;
        Ok(report(&answers, out))
    }

    async fn secret(&self, shop: &IntakeShop, stack: Option<&Stack>) -> Result<Secret, Failure> {
        if let Some(file) = &self.secret_file {
            let text = String::from_utf8(read_file(file)?);
            return text.map(Secret::new).map_err(|_| Failure::Wrong("--secret-file: expected a text".into()));
        }
        let no_secret = || Failure::Refused(format!("the platform of {} signs with a key of its own", shop.code));
        let name = shop.secrets.first().ok_or_else(no_secret)?;
        let no_stack = || Failure::Usage("name the secret's file with --secret-file".into());
        Ok(stack.ok_or_else(no_stack)?.secrets().get(name, Freshness::Usual).await?)
    }

    fn url(&self, stack: Option<&Stack>) -> Result<Url, Failure> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let base = stack.map(|stack| stack.parts.api_url.as_str()).unwrap_or_default();
        let url = format!("{}/webhooks/{}", base.trim_end_matches('/'), self.shop);
        url.parse().map_err(|_| Failure::Wrong(format!("the stack's URL is none: {url}")))
    }

    async fn post(
        &self,
        shop: &IntakeShop,
        secret: &Secret,
        url: &Url,
        body: &[u8],
        pace: Pace,
    ) -> Result<Vec<Answer>, Failure> {
        let run = clock::now().as_millisecond();
        let client = HttpClient::new(Egress::naming(url));
        let sign = |number: u32| {
            let id = format!("ordersync-{run}-{number}");
            let to_sign = ToSign { body, topic: self.topic.as_deref(), id: &id, secret, at: clock::now() };
            let signed =
                shop.platform.sign(&to_sign).map_err(|error| Failure::Refused(format!("{}: {error}", shop.code)))?;
            Ok::<_, Failure>((id, signed))
        };
        // What cannot be signed is not tried a hundred times.
        sign(0)?;
        let requests = stream::iter(1..=self.repeat).then(async |number| {
            pace.turn().await;
            sign(number)
        });
        let answers = requests.map(async |signed| {
            let (id, signed) = signed?;
            Ok(request(&client, url, id, signed).await)
        });
        let answers: Vec<Result<Answer, Failure>> = answers.buffered(self.concurrency.into()).collect().await;
        answers.into_iter().collect()
    }
}

async fn request(client: &HttpClient, url: &Url, delivery: String, signed: Signed) -> Answer {
    let began = Instant::now();
    let answer = client.post(&with_topic(url, signed.topic.as_deref()), &signed.headers, signed.body, PATIENCE).await;
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok((status, body)) => {
            let said = String::from_utf8_lossy(&body).chars().take(500).collect();
            Answer { delivery, status: Some(status), milliseconds, said }
        }
        Err(failure) => Answer { delivery, status: None, milliseconds, said: failure.to_string() },
    }
}

/// The URL with the topic in its query, unless one is there already.
fn with_topic(url: &Url, topic: Option<&str>) -> Url {
    let mut url = url.clone();
    if let Some(topic) = topic.filter(|_| !url.query_pairs().any(|(name, _)| name == "topic")) {
        url.query_pairs_mut().append_pair("topic", topic);
    }
    url
}

fn report(answers: &[Answer], out: Out) -> Exit {
    let is_good = |answer: &&Answer| answer.status.is_some_and(|status| (200..300).contains(&status));
    let good = answers.iter().filter(is_good).count();
    out.result(&answers, || match answers {
        [answer] => line(answer),
        _ => summary(answers),
    });
    if good == answers.len() {
        Exit::Done
    } else if answers.iter().all(|answer| answer.status.is_none()) {
        Exit::Unreachable
    } else {
        Exit::Wrong
    }
}

fn line(answer: &Answer) -> String {
    let status = answer.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("{status}  {} ms  {}", answer.milliseconds, crate::output::printable(&answer.said))
}

/// Many answers: how many of each kind, and how long they took.
fn summary(answers: &[Answer]) -> String {
    let mut kinds: Vec<(Option<u16>, Vec<&Answer>)> = Vec::new();
    for answer in answers {
        match kinds.iter_mut().find(|(status, _)| *status == answer.status) {
            Some((_, of_kind)) => of_kind.push(answer),
            None => kinds.push((answer.status, vec![answer])),
        }
    }
    let rows = kinds.into_iter().map(|(status, of_kind)| {
        let mut took: Vec<u64> = of_kind.iter().map(|answer| answer.milliseconds).collect();
        took.sort_unstable();
        let at = |share: usize| took.get((took.len() - 1) * share / 100).copied().unwrap_or_default().to_string();
        let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        [
            status,
            of_kind.len().to_string(),
            at(50),
            at(99),
            of_kind.first().map(|one| one.said.clone()).unwrap_or_default(),
        ]
    });
    format!(
        "{}\n{}",
        count(answers.len() as u64, "webhook"),
        table(["STATUS", "COUNT", "MS P50", "MS P99", "ANSWER"], rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: Option<u16>, milliseconds: u64) -> Answer {
        Answer { delivery: "d".into(), status, milliseconds, said: "x".into() }
    }

    #[test]
    fn the_exit_code_says_what_the_answers_were() {
        let out = Out::new(false);
        for (answers, expected) in [
            (&[answer(Some(202), 1)][..], Exit::Done),
            (&[answer(Some(202), 1), answer(Some(401), 1)], Exit::Wrong),
            (&[answer(None, 1), answer(Some(202), 1)], Exit::Wrong),
            (&[answer(None, 1)], Exit::Unreachable),
        ] {
            assert_eq!(report(answers, out), expected, "{answers:?}");
        }
    }

    #[test]
    fn many_answers_are_summed_up() {
        let answers: Vec<_> = (1..=100).map(|ms| answer(Some(if ms == 7 { 503 } else { 202 }), ms)).collect();
        insta::assert_snapshot!(summary(&answers), @"
        100 webhooks
         STATUS  COUNT  MS P50  MS P99  ANSWER
         202     99     51      99      x
         503     1      7       7       x
        ");
    }

    #[test]
    fn a_topic_is_added_to_the_url_once() {
        let url: Url = "https://x.example.com/webhooks/a?b=c".parse().unwrap();
        let once = with_topic(&url, Some("sales.order.created"));
        assert_eq!(once.as_str(), "https://x.example.com/webhooks/a?b=c&topic=sales.order.created");
        assert_eq!(with_topic(&once, Some("other")), once);
        assert_eq!(with_topic(&url, None), url);
    }
}

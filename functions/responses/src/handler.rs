//! From a later answer to the export that it is for.

use std::time::{Duration, UNIX_EPOCH};

use aws_lambda_events::s3::S3Event;
use lambda_runtime::Error;
use ordersync::clock;
use ordersync::config::{Config, Live, Pipeline};
use ordersync::ledger::Ledger;
use ordersync::pipeline::result::Responses as Mapping;
use ordersync::secrets::Secrets;
use serde_json::Value;
use tokio::time::Instant;

use crate::event::Event;
use crate::place::Placer;

/// Kept back from the invocation's time, to set a file aside and to answer.
const TO_END: Duration = Duration::from_secs(5);

/// The responses function: what it works with, built once.
#[derive(Debug)]
pub(crate) struct Responses {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) secrets: Secrets,
    pub(crate) s3: aws_sdk_s3::Client,
}

impl Responses {
    /// Answers one event. `ends_at` is the invocation's end, in milliseconds since 1970.
    ///
    /// # Errors
    /// An event of neither kind, and a file that was not dealt with because AWS is not to be had or there was no time.
    /// Lambda then runs it again.
    pub(crate) async fn handle(&self, event: Value, ends_at: u64) -> Result<Value, Error> {
        let config = self.config.current().await;
        let ends = (UNIX_EPOCH + Duration::from_millis(ends_at)).duration_since(clock::now().into());
        let deadline = Instant::now() + ends.unwrap_or_default().saturating_sub(TO_END);
        match Event::of(event) {
            Ok(Event::Objects(event)) => self.objects(&config, &event, deadline).await,
            Ok(Event::Request(request)) => {
                let answer = self.request(&config, &request, clock::now(), deadline).await;
                Ok(serde_json::to_value(answer)?)
            }
            Err(error) => {
                tracing::error!(error = %error, "{error}");
                Err(error.into())
            }
        }
    }

    /// The bucket is the one that a notification names. One object that fails does not keep the others.
    async fn objects(&self, config: &Config, event: &S3Event, deadline: Instant) -> Result<Value, Error> {
        let mut failure = None;
        for record in &event.records {
            if let Err(error) = self.object(config, record, deadline).await {
                let key = record.s3.object.key.as_deref().unwrap_or_default();
                tracing::error!(key, error = %error, "{key} was not dealt with, Lambda tries twice more: {error}");
                failure = Some(error);
            }
        }
        failure.map_or(Ok(Value::Null), |error| Err(error.into()))
    }

    /// Who records the results for a pipeline.
    pub(crate) fn placer<'a>(
        &'a self,
        config: &'a Config,
        pipeline: &'a Pipeline,
        mapping: &Mapping,
        waits: &'a [Duration],
    ) -> Placer<'a> {
        let shops = config.shops.keys().map(String::as_str).filter(|shop| pipeline.serves(shop)).collect();
        Placer { ledger: &self.ledger, pipeline: &pipeline.code, by: mapping.by, shops, waits }
    }
}

//! Back offices that call back: `POST /responses/{pipeline}`.

use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use ordersync::config::value::is_code;
use ordersync::config::{Config, Pipeline};
use ordersync::pipeline::result::Responses as Mapping;
use ordersync::secrets::Freshness;
use ordersync::webhook::{Headers, Rejection};
use tokio::time::Instant;

use crate::answer::{Answer, MAX_BODY_BYTES};
use crate::handler::Responses;
use crate::place::Stopped;

/// Longest that a request may take: API Gateway gives up after 30 s.
const AT_MOST: Duration = Duration::from_secs(20);
/// Waits for exports that are not on record yet. Short, as the caller waits too, and with it perhaps the very request
/// that delivers the export.
const WAITS: [Duration; 3] = [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];

impl Responses {
    /// Answers one request.
    pub(crate) async fn request(
        &self,
        config: &Config,
        request: &ApiGatewayV2httpRequest,
        now: Timestamp,
        deadline: Instant,
    ) -> ApiGatewayV2httpResponse {
        let request_id = request.request_context.request_id.clone().unwrap_or_default();
        let code = pipeline_code(request);
        let deadline = deadline.min(Instant::now() + AT_MOST);
        let answer = self.answer(config, code, request, now, deadline).await.unwrap_or_else(|refused| refused);
        let (status, error) = (answer.status(), answer.code());
        let what = if let Answer::Taken(tally) = &answer {
            tally.emit(code);
            tally.words()
        } else {
            format!("{status} {error}")
        };
        if status == 200 {
            tracing::info!(request_id, pipeline = code, status, "called back for {code}: {what}");
        } else {
            tracing::warn!(request_id, pipeline = code, status, code = error, "called back for {code}: {what}");
        }
        answer.into_response(&request_id)
    }

    async fn answer(
        &self,
        config: &Config,
        code: &str,
        request: &ApiGatewayV2httpRequest,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Answer, Answer> {
        let (pipeline, mapping) = called(config, code).ok_or(Answer::UnknownPipeline)?;
        if request.request_context.http.method != "POST" {
            return Err(Answer::MethodNotAllowed);
        }
        let body = body(request)?;
        let headers = headers(request);
        if !mapping.takes(headers.get("content-type")) {
            return Err(Answer::OtherMediaType(mapping.format()));
        }
        self.verify(code, mapping, &headers, &body, now).await?;
        let results = mapping.read(&body).map_err(|bad| Answer::Malformed(bad.to_string()))?;
        let placed = self.placer(config, pipeline, mapping, &WAITS).place(results, deadline).await;
        placed.map(Answer::Taken).map_err(|stopped| {
            tracing::error!(pipeline = code, error = %stopped, "results of {code} were not all recorded: {stopped}");
            unavailable(&stopped)
        })
    }

    /// A signature that fits no secret may fit a newer one: the secrets are read again, at a bounded rate.
    async fn verify(
        &self,
        code: &str,
        mapping: &Mapping,
        headers: &Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Answer> {
        let verify = async |freshness| {
            let (secrets, failed) = self.secrets.live(&mapping.secrets, freshness).await;
            for error in failed {
                tracing::error!(pipeline = code, error = %error, "{error}");
            }
            if secrets.is_empty() {
                let message = "the pipeline's secrets cannot be read now";
                return Err(Answer::Unavailable { code: "secrets_unavailable", message });
            }
            mapping.verifier.verify(headers, body, &secrets, now).map_err(Answer::Rejected)
        };
        match verify(Freshness::Usual).await {
            Err(Answer::Rejected(Rejection::BadSignature)) => verify(Freshness::Suspect).await,
            verified => verified,
        }
    }
}

/// The pipeline that may be called back for.
fn called<'c>(config: &'c Config, code: &str) -> Option<(&'c Pipeline, &'c Mapping)> {
    let pipeline = config.pipelines.iter().find(|pipeline| pipeline.code == code)?;
    let mapping = pipeline.responses.as_ref().filter(|mapping| !mapping.secrets.is_empty())?;
    Some((pipeline, mapping))
}

fn unavailable(stopped: &Stopped) -> Answer {
    let (code, message) = match stopped {
        Stopped::Unavailable(_) => ("ledger_unavailable", "the results could not all be recorded, send them again"),
        Stopped::OutOfTime => ("out_of_time", "there was not enough time for all results, send them again or fewer"),
    };
    Answer::Unavailable { code, message }
}

/// The pipeline's code: the path parameter, or the path's last segment where an event has none.
fn pipeline_code(request: &ApiGatewayV2httpRequest) -> &str {
    let parameter = request.path_parameters.get("pipeline").map(String::as_str);
    let segment = || request.raw_path.as_deref().and_then(|path| path.rsplit('/').next());
    // Whatever stands in the URL; what cannot be a pipeline is none, and not worth a line of the log.
    parameter.or_else(segment).filter(|code| is_code(code)).unwrap_or_default()
}

fn headers(request: &ApiGatewayV2httpRequest) -> Headers {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.to_string(), value.to_str().ok()?.to_owned()))
    };
    request.headers.iter().filter_map(text).collect()
}

/// The raw bytes. API Gateway encodes what it does not take for text.
fn body(request: &ApiGatewayV2httpRequest) -> Result<Vec<u8>, Answer> {
    let text = request.body.as_deref().unwrap_or_default();
    let body = if request.is_base64_encoded {
        BASE64.decode(text).map_err(|_| Answer::Malformed("the body is not base64".into()))?
    } else {
        text.as_bytes().to_vec()
    };
    if body.len() > MAX_BODY_BYTES { Err(Answer::TooLarge) } else { Ok(body) }
}

//! How AWS limits and scales: the endpoint's throttle, and how many batches a queue's mapping has processed at once.

use super::scenario::{Millis, Scenario, real};

/// Messages that were received and neither deleted nor visible again: no more than this, or nothing is received.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>
pub(crate) const MOST_IN_FLIGHT: u64 = 120_000;

/// A token bucket, as API Gateway throttles with.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html>
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    size: f64,
    tokens: f64,
    filled_at: Millis,
}

impl Bucket {
    /// Full, with room for `size`, filled at `rate` a second.
    pub(crate) fn new(rate: f64, size: f64) -> Self {
        Self { rate, size, tokens: size, filled_at: 0 }
    }

    /// Takes a token, if there is one. Times do not go back.
    pub(crate) fn take(&mut self, now: Millis) -> bool {
        let passed = real(now.saturating_sub(self.filled_at)) / 1000.0;
        self.tokens = (self.tokens + passed * self.rate).min(self.size);
        self.filled_at = now;
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

/// How many batches are processed at once, by the documented rules.
///
/// Standard: five to begin with; while there are messages, up to 300 more a minute, up to 1,250 or `MaximumConcurrency`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
///
/// Provisioned: ten for each poller; up to 1,000 more a minute, up to the most pollers.
/// <https://aws.amazon.com/blogs/aws/aws-lambda-enhances-sqs-processing-with-new-provisioned-mode-3x-faster-scaling-16x-higher-capacity>
///
/// How fast it goes down again is not documented: taken as fast as up.
#[derive(Debug)]
pub(crate) struct Mapping {
    least: u32,
    most: u32,
    /// By how many a minute they change, so by how many sixtieths a second.
    a_minute: u32,
    sixtieths: u32,
}

const STANDARD_LEAST: u32 = 5;
const STANDARD_MOST: u32 = 1250;
const STANDARD_A_MINUTE: u32 = 300;
const PROVISIONED_A_MINUTE: u32 = 1000;
const BATCHES_A_POLLER: u32 = 10;

impl Mapping {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let provisioned = scenario.pollers.zip(scenario.most_pollers);
        let (least, most, a_minute) = if let Some((least, most)) = provisioned {
            (least * BATCHES_A_POLLER, most * BATCHES_A_POLLER, PROVISIONED_A_MINUTE)
        } else {
            let most = scenario.maximum_concurrency.min(STANDARD_MOST);
            (STANDARD_LEAST.min(most), most, STANDARD_A_MINUTE)
        };
        Self { least, most: most.max(least), a_minute, sixtieths: least * 60 }
    }

    /// Once a second: more while messages wait, fewer when none do.
    pub(crate) fn second(&mut self, has_messages: bool) {
        let changed = if has_messages {
            self.sixtieths.saturating_add(self.a_minute)
        } else {
            self.sixtieths.saturating_sub(self.a_minute)
        };
        self.sixtieths = changed.clamp(self.least * 60, self.most * 60);
    }

    /// Batches that may be processed now.
    pub(crate) fn allowed(&self) -> u32 {
        self.sixtieths / 60
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::tests::scenario;
    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_its_rate() {
        let mut bucket = Bucket::new(10.0, 5.0);
        assert_eq!((0..20).filter(|_| bucket.take(1000)).count(), 5);
        assert_eq!((0..1000).filter(|ms| bucket.take(1000 + ms)).count(), 9);
    }

    #[test]
    fn a_mapping_begins_with_five_and_grows_by_three_hundred_a_minute() {
        let mut mapping = Mapping::new(&scenario("--maximum-concurrency 1000"));
        assert_eq!(mapping.allowed(), 5);
        (0..60).for_each(|_| mapping.second(true));
        assert_eq!(mapping.allowed(), 305);
        (0..600).for_each(|_| mapping.second(true));
        assert_eq!(mapping.allowed(), 1000);
        (0..600).for_each(|_| mapping.second(false));
        assert_eq!(mapping.allowed(), 5);
    }

    #[test]
    fn provisioned_pollers_are_there_at_once_and_grow_faster() {
        let mut mapping = Mapping::new(&scenario("--pollers 10 --most-pollers 200"));
        assert_eq!(mapping.allowed(), 100);
        (0..60).for_each(|_| mapping.second(true));
        assert_eq!(mapping.allowed(), 1100);
        (0..600).for_each(|_| mapping.second(true));
        assert_eq!(mapping.allowed(), 2000);
    }
}

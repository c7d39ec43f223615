//! The measurements: starts, first invocations under a quota, rounds of warm ones, slow services, system calls.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::process::{Launch, own_cpu};
use super::quota::SETTLED;
use super::session::{Session, SessionError};
use super::strace::Strace;
use super::{Bench, RunError};
use crate::profile;
use crate::results::Target;
use crate::stand_in::tally::{Counts, since};
use crate::work::Work;
use crate::work::input::Input;

/// Invocations whose instructions are counted, and before.
const COUNTED: usize = 30;
/// How long every call takes where the overlap of a batch is measured.
const SLOW: Duration = Duration::from_millis(20);

/// A start, in milliseconds and microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cold {
    pub(super) next_ms: f64,
    pub(super) first_ms: f64,
    pub(super) cpu_first_us: f64,
}

/// A round of warm invocations.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    /// CPU of an invocation, in microseconds.
    pub(super) cpu_us: f64,
    /// Of each invocation, from its event to its answer, in microseconds.
    pub(super) latencies_us: Vec<f64>,
    pub(super) per_second: f64,
    /// What it wrote, by order.
    pub(super) log_bytes: f64,
    /// The harness's own CPU, of the time that passed.
    pub(super) harness_share: f64,
    /// Of the time that passed, what the target had a core for.
    pub(super) target_share: f64,
}

impl Bench {
    /// From spawn to the first answer.
    pub(super) async fn cold(&mut self, target: Target, work: Work) -> Result<Cold, RunError> {
        let input = self.input(work)?;
        let mut session = self.start(target, work).await?;
        session.hand_out(input.event());
        let asked = session.asked().await?;
        let first = session.answered().await?;
        let cpu = session.process.cpu()?;
        self.check(&session, &input, &first.answer)?;
        let spawned = session.process.spawned;
        Ok(Cold {
            next_ms: milliseconds(asked - spawned),
            first_ms: milliseconds(first.answered - spawned),
            cpu_first_us: microseconds(cpu),
        })
    }

    /// The first invocation with the share of a core that a function of 128 MB has, in milliseconds.
    pub(super) async fn first_under_quota(&mut self, target: Target, work: Work) -> Result<Option<f64>, RunError> {
        if self.quota.is_none() {
            return Ok(None);
        }
        let input = self.input(work)?;
        let mut session = self.start(target, work).await?;
        session.asked().await?;
        let process = session.process.id();
        // What a target still does after it has asked is init's.
        tokio::time::sleep(SETTLED).await;
        if let Some(quota) = &self.quota {
            quota.limit(process)?;
        }
        tokio::time::sleep(SETTLED).await;
        session.hand_out(input.event());
        let first = session.answered().await?;
        if let Some(quota) = &self.quota {
            quota.release(process)?;
        }
        self.check(&session, &input, &first.answer)?;
        Ok(Some(milliseconds(first.answered - first.handed)))
    }

    /// Invocations that nothing is measured of.
    pub(super) async fn warm_up(&mut self, session: &mut Session, work: Work, count: usize) -> Result<(), RunError> {
        for _ in 0..count {
            let input = self.input(work)?;
            let answer = session.invoke(input.event()).await?.answer;
            self.check(session, &input, &answer)?;
        }
        Ok(())
    }

    /// Warm invocations, one after the other. What they ask for is made before, what they answer looked at after.
    pub(super) async fn round(&mut self, session: &mut Session, work: Work) -> Result<(Round, Counts), RunError> {
        let count = self.plan.invocations(work);
        let inputs: Vec<Input> = (0..count).map(|_| self.input(work)).collect::<Result<_, _>>()?;
        let (mut latencies_us, mut answers) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (counts, log) = (self.stand_ins.tally.counts(), session.process.log_bytes()?);
        let (began, cpu, own) = (Instant::now(), session.process.cpu()?, own_cpu()?);
        for input in &inputs {
            let invocation = session.invoke(input.event()).await?;
            latencies_us.push(microseconds(invocation.answered - invocation.handed));
            answers.push(invocation.answer);
        }
        let passed = began.elapsed();
        let (cpu, own) = (session.process.cpu()?.saturating_sub(cpu), own_cpu()?.saturating_sub(own));
        let counts = since(&counts, &self.stand_ins.tally.counts());
        let log = session.process.log_bytes()? - log;
        for (input, answer) in inputs.iter().zip(&answers) {
            self.check(session, input, answer)?;
        }
        let number = number(count);
        let round = Round {
            cpu_us: microseconds(cpu) / number,
            latencies_us,
            per_second: number / passed.as_secs_f64(),
            log_bytes: number_u64(log) / number / self::number(work.orders()),
            harness_share: own.as_secs_f64() / passed.as_secs_f64(),
            target_share: cpu.as_secs_f64() / passed.as_secs_f64(),
        };
        Ok((round, counts))
    }

    /// A warm batch when every call takes a while, in microseconds.
    pub(super) async fn slow(&mut self, session: &mut Session, work: Work) -> Result<f64, RunError> {
        let input = self.input(work)?;
        self.stand_ins.manners.delay(SLOW);
        let invocation = session.invoke(input.event()).await;
        self.stand_ins.manners.delay(Duration::ZERO);
        let invocation = invocation?;
        self.check(session, &input, &invocation.answer)?;
        Ok(microseconds(invocation.answered - invocation.handed))
    }

    /// System calls of a warm invocation; nothing where `strace` cannot be used.
    pub(super) async fn syscalls(&mut self, session: &mut Session, work: Work) -> Result<Option<f64>, RunError> {
        let inputs: Vec<Input> = (0..self.plan.traced).map(|_| self.input(work)).collect::<Result<_, _>>()?;
        let strace = match Strace::attach(session.process.id(), self.directory.path()).await {
            Ok(strace) => strace,
            Err(error) => {
                self.say_once(&format!("system calls are not counted: {error}"));
                return Ok(None);
            }
        };
        for input in &inputs {
            let answer = session.invoke(input.event()).await?.answer;
            self.check(session, input, &answer)?;
        }
        let calls = number_u64(strace.calls()?) / number(inputs.len());
        // Attaching adds a call or two to some hundred invocations.
        Ok(Some((calls * 10.0).round() / 10.0))
    }

    /// Instructions of a warm invocation by function.
    pub(super) async fn instructions(&mut self, target: Target, work: Work) -> Result<BTreeMap<String, f64>, RunError> {
        let counting = |launch: Launch, directory: &Path| {
            let command = profile::counting(&launch.command, directory);
            Launch { command, ..launch }
        };
        let mut session = self.start_as(target, work, counting).await?;
        session.asked().await?;
        self.warm_up(&mut session, work, COUNTED).await?;
        let process = session.process.id();
        profile::forget(process)?;
        self.warm_up(&mut session, work, COUNTED).await?;
        let functions = profile::counted(process, &self.directory(target, work))?;
        let of_one = |(function, count)| (function, number_u64(count) / number(COUNTED));
        Ok(functions.into_iter().map(of_one).collect())
    }

    pub(super) fn check(&self, session: &Session, input: &Input, answer: &[u8]) -> Result<(), SessionError> {
        input.check_answer(answer).map_err(|wrong| session.unexpected(&format!("answered wrongly: {wrong}")))?;
        match self.stand_ins.tally.take_complaints().first() {
            None => Ok(()),
            Some(complaint) => Err(session.unexpected(&format!("was refused: {complaint}"))),
        }
    }
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(super) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// A count as a figure; none here is near what a float cannot hold.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn number(count: usize) -> f64 {
    count as f64
}

/// The same.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn number_u64(count: u64) -> f64 {
    count as f64
}

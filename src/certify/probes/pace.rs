//! How much and how fast: the largest body, and many requests at once. What is measured is reported as it was, and judged by nothing.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use super::super::exchange::Exchange;
use super::super::portfolio::{A, BURST, CHANGED, Portfolio, TestProperty};
use super::super::rules::{Finding, Rule};
use super::super::session::{Asked, Halt, Sealed, Session, Step, Way};
use crate::receiver::Try;
use crate::words::thousands;

/// Requests of a burst to each of its properties.
const BURST_EACH: usize = 5;

/// As many units as the settings allow, then half as many, until a body is accepted.
pub async fn largest(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::LargestBody;
    let mut units = property.slots();
    let mut refused = None;
    loop {
        let all: Vec<_> = (0..units).map(|slot| property.unit(slot, 0)).collect();
        let step = Step::delta(
            "a delta of as many units as the settings allow, or half as many again",
            all,
        );
        let posted = session.send(property, &step).await?;
        let exchange = &session.exchanges[posted];
        let size = format!("{} bytes with {units} units", thousands(exchange.bytes as u64));
        if exchange.is_acknowledged() {
            session.measured.largest_units = Some(units);
            return Ok(vec![match refused {
                None => Finding::kept(
                    rule,
                    format!("{size} were acknowledged, the most that the settings allow"),
                ),
                Some(refused) => Finding::not_kept(rule, format!("{refused}; {size} were acknowledged")),
            }]);
        }
        refused.get_or_insert_with(|| format!("{size} were {}", exchange.in_words()));
        if units <= 1 {
            return Ok(vec![Finding::not_kept(rule, refused.unwrap_or_default())]);
        }
        units = units.div_ceil(2).min(units - 1);
    }
}

/// A few requests to each of several properties, as many at once as the settings allow.
pub async fn burst(session: &mut Session, portfolio: &Portfolio) -> Asked<Vec<Finding>> {
    let mut chains: Vec<Vec<Sealed>> = Vec::new();
    for (_, property) in portfolio.burst() {
        let mut chain = Vec::new();
        for number in 0..BURST_EACH {
            let units = vec![property.unit(A, number % (CHANGED + 1))];
            let step = Step::delta("one of a burst of deltas", units.clone()).leaving(units);
            chain.extend(session.seal(property, &step)?);
        }
        session.touched.insert(property.id);
        chains.push(chain);
    }
    let at_once = session.receiver.concurrency_max.min(BURST as usize);
    let began = Instant::now();
    let answers = answers(session, chains, at_once).await?;
    let seconds = began.elapsed().as_secs_f64();
    session.measured.burst_requests = answers.len();
    session.measured.burst_at_once = at_once;
    let mut acknowledged = 0;
    for (sealed, tried, took) in answers {
        let number = session.note(&sealed, tried, took, Way::Usual);
        acknowledged += u32::from(session.exchanges[number].is_acknowledged());
    }
    session.measured.burst_acknowledged_per_second = Some(f64::from(acknowledged) / seconds.max(0.001));
    let limits: Vec<Option<Duration>> = session.exchanges.iter().filter_map(Exchange::limit).collect();
    session.rest(limits.iter().flatten().max().copied()).await;
    let rule = Rule::RateLimit;
    let number = session.measured.burst_requests;
    Ok(vec![match (limits.is_empty(), limits.iter().all(Option::is_some)) {
        (true, _) => Finding::not_visible(rule, format!("{number} requests, {at_once} at once, met no limit")),
        (false, true) => Finding::kept(
            rule,
            format!("{} answers were 429, each with Retry-After", limits.len()),
        ),
        (false, false) => Finding::not_kept(
            rule,
            "an answer 429 has no Retry-After that could be read: the relay waits by its own schedule",
        ),
    }])
}

type Answered = (Sealed, Try, Duration);

/// Never two about one property at once.
async fn answers(session: &mut Session, chains: Vec<Vec<Sealed>>, at_once: usize) -> Asked<Vec<Answered>> {
    let pause = session.pause();
    let endpoint = session.endpoint(Way::Usual)?;
    let places = Semaphore::new(at_once);
    let next_at = tokio::sync::Mutex::new(Instant::now());
    let chain = async |chain: Vec<Sealed>| {
        let mut answers: Vec<Answered> = Vec::new();
        for sealed in chain {
            let _place = places.acquire().await.map_err(|closed| Halt::Ours(closed.into()))?;
            {
                let mut next_at = next_at.lock().await;
                sleep_until(*next_at).await;
                *next_at = Instant::now() + pause;
            }
            let began = Instant::now();
            let tried = endpoint
                .post(&sealed.sync_id, sealed.body.clone())
                .await
                .map_err(Halt::Ours)?;
            answers.push((sealed, tried, began.elapsed()));
        }
        Ok(answers)
    };
    let mut running: FuturesUnordered<_> = chains.into_iter().map(chain).collect();
    let mut all = Vec::new();
    while let Some(answers) = running.next().await {
        all.extend(answers?);
    }
    Ok(all)
}

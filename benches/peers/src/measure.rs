//! Times of repeated work on a noisy machine.
//!
//! Comes in: pieces of work that are to be compared. Goes out: for each, its times over several rounds. What must hold: the
//! rounds alternate between the pieces, so that what disturbs the machine for a while disturbs all of them.

use std::time::Duration;

/// The times of one piece of work, in seconds, ascending.
#[derive(Clone, Debug)]
pub struct Times(Vec<f64>);

impl Times {
    /// The middle one.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Half the distance between the quartiles, as a share of the median.
    pub fn spread(&self) -> f64 {
        (self.quantile(0.75) - self.quantile(0.25)) / 2.0 / self.median()
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "an index")]
    fn quantile(&self, q: f64) -> f64 {
        let at = q * (self.0.len() - 1) as f64;
        let (below, above) = (self.0[at.floor() as usize], self.0[at.ceil() as usize]);
        below + (above - below) * at.fract()
    }
}

/// The processor time that this thread has had. Unlike the time on the wall it does not count the times when other
/// processes had the processor.
pub fn now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists, and the result has a place.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Something to be timed. It does its work once, and says how long the part of it took that counts.
pub type Work<'a> = Box<dyn FnMut() -> Duration + 'a>;

/// Work all of which counts.
pub fn all<'a, T>(mut work: impl FnMut() -> T + 'a) -> Work<'a> {
    Box::new(move || {
        let start = now();
        std::hint::black_box(work());
        now().saturating_sub(start)
    })
}

/// Times each piece of work in each of the rounds; in a round, a piece is repeated until it has taken `least`.
#[allow(clippy::cast_precision_loss, reason = "a count of repetitions")]
pub fn alternate(rounds: usize, least: Duration, work: &mut [Work<'_>]) -> Vec<Times> {
    let mut times = vec![Vec::with_capacity(rounds); work.len()];
    for round in 0..=rounds {
        for (piece, times) in work.iter_mut().zip(&mut times) {
            let (mut count, mut spent) = (0u32, Duration::ZERO);
            while count == 0 || spent < least {
                spent += piece();
                count += 1;
            }
            // The first round warms up.
            if round > 0 {
                times.push(spent.as_secs_f64() / f64::from(count));
            }
        }
    }
    let sort = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        Times(times)
    };
    times.into_iter().map(sort).collect()
}

/// The geometric mean.
#[allow(clippy::cast_precision_loss, reason = "a count of kernels")]
pub fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp()
}

//! A metric with labels, of which some can be forgotten.
//!
//! The library's family tells nobody which labels it has, so they are kept here
//! once more. Labels are pairs in the order of the metric's definition.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// What tells the series of a metric apart.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Makes histograms with these upper bounds, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buckets(pub(super) &'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// All series of one metric.
pub(super) struct Series<M, C = fn() -> M> {
    family: Family<Labels, M, C>,
    labels: Arc<Mutex<BTreeSet<Labels>>>,
}

pub(super) type Counters = Series<Counter>;
pub(super) type Gauges = Series<Gauge<f64, std::sync::atomic::AtomicU64>>;
pub(super) type Histograms = Series<Histogram, Buckets>;

impl Counters {
    /// A counter; the library adds `_total`.
    pub(super) fn counter(registry: &mut Registry, name: &str, help: &str) -> Self {
        Self::of(Family::default(), registry, name, help)
    }
}

impl Gauges {
    pub(super) fn gauge(registry: &mut Registry, name: &str, help: &str) -> Self {
        Self::of(Family::default(), registry, name, help)
    }
}

impl Histograms {
    pub(super) fn histogram(
        registry: &mut Registry,
        name: &str,
        help: &str,
        buckets: Buckets,
    ) -> Self {
        Self::of(Family::new_with_constructor(buckets), registry, name, help)
    }
}

impl<M, C> Series<M, C>
where
    M: EncodeMetric + TypedMetric + Clone + std::fmt::Debug + Send + Sync + 'static,
    C: MetricConstructor<M> + Clone + Send + Sync + 'static,
{
    fn of(family: Family<Labels, M, C>, registry: &mut Registry, name: &str, help: &str) -> Self {
        registry.register(name, help, family.clone());
        Self {
            family,
            labels: Arc::default(),
        }
    }

    /// The series of these labels, made if there is none yet.
    pub(super) fn with(&self, labels: Labels) -> M {
        let metric = self.family.get_or_create_owned(&labels);
        let mut known = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(labels);
        metric
    }

    /// All series with these labels, among others, are gone.
    pub(super) fn forget(&self, of: &[(&'static str, String)]) {
        let mut known = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|labels| {
            let goes = of.iter().all(|label| labels.contains(label));
            if goes {
                self.family.remove(labels);
            }
            !goes
        });
    }
}

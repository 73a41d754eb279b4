//! Somebody in memory who tells what is spent.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use promoter::group::cloudwatch::{AlarmRef, BudgetGuard};
use promoter::port::spending::{Spending, SpendingError};
use promoter::promotion::restraint::{Alarm, AlarmState, Charges, GuardFound};

/// One alarm, and what was charged.
#[derive(Debug, Default)]
pub(crate) struct FakeSpending {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone)]
struct State {
    alarm: Option<AlarmState>,
    charged: Option<f64>,
    error: Option<SpendingError>,
    slow: Duration,
    asked: usize,
}

impl FakeSpending {
    /// Another one that says the same.
    pub(crate) fn twin(&self) -> Self {
        let state = Mutex::new(self.state.lock().unwrap().clone());
        Self { state }
    }

    /// From now on every alarm stands so.
    pub(crate) fn alarm_is(&self, state: AlarmState) {
        self.state.lock().unwrap().alarm = Some(state);
    }

    /// From now on so many USD are charged.
    pub(crate) fn charges(&self, usd: f64) {
        self.state.lock().unwrap().charged = Some(usd);
    }

    /// From now on it answers nothing else.
    pub(crate) fn fail(&self, error: SpendingError) {
        self.state.lock().unwrap().error = Some(error);
    }

    /// From now on it takes so long.
    pub(crate) fn takes(&self, slow: Duration) {
        self.state.lock().unwrap().slow = slow;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }

    async fn told<T>(&self, of: impl FnOnce(&State) -> T) -> Result<T, SpendingError> {
        let slow = self.state.lock().unwrap().slow;
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        let mut state = self.state.lock().unwrap();
        state.asked += 1;
        match &state.error {
            Some(error) => Err(error.clone()),
            None => Ok(of(&state)),
        }
    }
}

#[async_trait]
impl Spending for FakeSpending {
    async fn guard(&self, guard: &BudgetGuard) -> Result<GuardFound, SpendingError> {
        let told = self.told(|state| match guard {
            BudgetGuard::Alarm(AlarmRef { name, .. }) => {
                GuardFound::Alarm(state.alarm.map(|state| Alarm {
                    name: name.clone(),
                    state,
                    reason: "101 > 100".to_owned(),
                    since: None,
                }))
            }
            BudgetGuard::Above(_) => {
                let at = "2026-11-21T10:00:00Z".parse().unwrap();
                GuardFound::Charges(state.charged.map(|usd| Charges { usd, at }))
            }
        });
        told.await
    }
}

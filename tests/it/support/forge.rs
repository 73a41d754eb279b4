//! A forge in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use promoter::plan::proof::{Claim, Standing};
use promoter::port::proof::{Forge, ForgeError};

/// Commits and what CI says of them; all others are good.
#[derive(Debug, Default)]
pub(crate) struct FakeForge {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone)]
struct State {
    standings: BTreeMap<String, Standing>,
    error: Option<ForgeError>,
    slow: Duration,
    asked: Vec<String>,
}

impl FakeForge {
    /// Another one that says the same.
    pub(crate) fn twin(&self) -> Self {
        let state = Mutex::new(self.state.lock().unwrap().clone());
        Self { state }
    }

    /// From now on it says so of a commit.
    pub(crate) fn says(&self, commit: &str, standing: Standing) {
        let mut state = self.state.lock().unwrap();
        state.standings.insert(commit.to_owned(), standing);
    }

    /// From now on it answers nothing else.
    pub(crate) fn fail(&self, error: ForgeError) {
        self.state.lock().unwrap().error = Some(error);
    }

    /// From now on it takes so long for each commit.
    pub(crate) fn takes(&self, slow: Duration) {
        self.state.lock().unwrap().slow = slow;
    }

    /// Repository and commit of each question.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

#[async_trait]
impl Forge for FakeForge {
    async fn standing(&self, claim: &Claim) -> Result<Standing, ForgeError> {
        let slow = self.state.lock().unwrap().slow;
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        let mut state = self.state.lock().unwrap();
        state
            .asked
            .push(format!("{} {}", claim.repository, claim.commit));
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        let known = state.standings.get(claim.commit.as_str());
        Ok(known.cloned().unwrap_or(Standing::Good))
    }
}

//! No path around the gate: the pure rules over every situation, reduced to
//! what can make a difference, and over every sequence of them in a model.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::struct_excessive_bools,
    reason = "a situation is a handful of facts, and small only by chance"
)]

mod choice;
mod concrete;
mod invariants;
mod model;
mod raised;
mod sequences;
mod situations;
mod states;

use states::State;

/// Asks for the decision, which must keep every invariant.
#[track_caller]
fn judged(state: &State) -> promoter::promotion::next::Next {
    let decided = concrete::decide(state);
    let broken = invariants::broken(state, &decided);
    assert!(broken.is_empty(), "{broken:?}: {decided:?} in {state:#?}");
    decided
}

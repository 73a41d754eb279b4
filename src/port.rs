//! The few outside systems the domain needs, as traits it owns.
//!
//! Named by role, not by product. Adapters implement them; tests implement
//! them in memory. Errors say what failed and what to do, and never carry a
//! credential.

pub mod calls;
pub mod chain;
pub mod clock;
pub mod cluster;
pub mod hint;
pub mod ledger;
pub mod login;
pub mod packed;
pub mod proof;
pub mod recorder;
pub mod records;
pub mod registry;
pub mod sight;
pub mod spending;

pub use calls::Calls;
pub use chain::Chain;
pub use clock::Clock;
pub use cluster::{Cluster, ClusterError};
pub use hint::{HintError, Hints};
pub use ledger::{Epoch, Ledger, LockError};
pub use login::{Login, LoginError};
pub use packed::Packed;
pub use proof::{Forge, ForgeError};
pub use recorder::Recorder;
pub use records::{Records, RecordsError};
pub use registry::{Registry, RegistryError};
pub use spending::{Spending, SpendingError};

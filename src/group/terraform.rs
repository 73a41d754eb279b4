//! What Terraform made, put into an environment file.
//!
//! Input: the text of Terraform's output, and that of the environment's file if
//! there is one. Output: the file's new text, and what is to be said of it; or
//! what is wrong with either. Only what Terraform tells is changed: comments,
//! order and everything else a person wrote stay. Nothing is read or written
//! here, and of outputs that are not for promoter no value is ever shown.

mod edit;
mod output;
mod write;

#[cfg(test)]
mod tests;

pub use output::{Made, OutputError};
pub use write::{ImportError, Imported, import};

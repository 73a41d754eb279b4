//! Fast tests of everything that needs more than one module: scenarios with a
//! cluster in memory, adapters against stubs, whole folders of group files.

mod ecr;
mod plan;
mod promotion;
mod support;
mod tidy;
mod validate;

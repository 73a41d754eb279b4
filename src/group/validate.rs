//! From what was written to what is valid, with every problem at once.

//! The `spasm` command.

// Tests bring a `main` of their own.
#![cfg_attr(not(test), no_main)]

mod cli;
mod start;

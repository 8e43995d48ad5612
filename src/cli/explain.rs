use super::{args::Given, commands::Command, failure::Failure};
pub fn explain(_: &'static Command, _: &Given) -> Result<(), Failure> {
    Ok(())
}

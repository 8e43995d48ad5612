use super::{args::Given, failure::Failure};
pub fn list(_: &Given) -> Result<(), Failure> {
    Ok(())
}
pub fn show(_: &Given) -> Result<(), Failure> {
    Ok(())
}

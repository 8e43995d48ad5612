//! Spasm, stitched and interpreted.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use spasm::engine::{Config, Engine, Tier};
use spasm::library::Library;
use spasm::stitch::Stitcher;
use spasm::stitch::image::Image;
use spasm::store::{Linker, Store};
use spasm::verified::Verified;
use spasm::{verify, wasm};

use super::{Compile, Problem, Run};
use crate::measure::now;

/// What is kept of a module that was stitched.
pub struct Made {
    pub verified: Verified,
    pub image: Image,
}

fn verified(wasm: &[u8]) -> Result<Verified, Problem> {
    let module = wasm::translate("module.wasm", wasm).map_err(|error| error.to_string())?;
    verify::verify(module).map_err(|error| error.to_string())
}

/// See [`super::Peer::run`].
pub fn run(tier: Tier, wasm: &[u8]) -> Result<Run, Problem> {
    let engine = Engine::new(Config { tier, ..Config::default() });
    let verified = verified(wasm)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new().instantiate(&mut store, &verified).map_err(|error| error.to_string())?;
    let run = instance.get_typed_func::<i32, i64>(&store, "run").map_err(|error| error.to_string())?;
    Ok(Box::new(move |n| {
        let result = run.call(&mut store, n.cast_signed());
        result.unwrap_or_else(|error| panic!("Spasm, {tier:?}: {error}")).cast_unsigned()
    }))
}

/// See [`super::Peer::compile`].
pub fn compile() -> Compile {
    let mut stitcher = Stitcher::new(Library::native());
    Box::new(move |wasm| {
        let verified = verified(wasm)?;
        let image = stitcher.stitch(&verified).map_err(|error| error.to_string())?;
        Ok(Box::new(Made { verified, image }) as Box<dyn Any>)
    })
}

/// What making code is made up of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Bytes to a module, validation included.
    Translate,
    Verify,
    Stitch,
}

/// Does it all, and says how long one part took.
pub fn staged(stage: Stage) -> impl FnMut(&[u8]) -> Result<Duration, Problem> {
    let mut stitcher = Stitcher::new(Library::native());
    move |wasm| {
        let start = now();
        let module = Arc::new(wasm::translate("module.wasm", wasm).map_err(|error| error.to_string())?);
        let translated = now();
        let verified = verify::verify(module).map_err(|error| error.to_string())?;
        let known = now();
        let image = stitcher.stitch(&verified).map_err(|error| error.to_string())?;
        let done = now();
        std::hint::black_box((image, verified));
        Ok(match stage {
            Stage::Translate => translated - start,
            Stage::Verify => known - translated,
            Stage::Stitch => done - known,
        })
    }
}

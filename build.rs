//! placeholder
#[path = "src/isa/mod.rs"]
mod isa;
fn main() {
    let t = std::time::Instant::now();
    let abi = isa::template::Abi::parse("asm/x86_64/abi.inc", &std::fs::read_to_string("asm/x86_64/abi.inc").unwrap()).unwrap();
    let mut v = vec![];
    for e in std::fs::read_dir("asm/x86_64/op").unwrap() { let p = e.unwrap().path();
        v.extend(isa::template::parse(&p.display().to_string(), &std::fs::read_to_string(&p).unwrap(), &abi).unwrap()); }
    let cc = std::env::var("CC").unwrap_or("cc".into());
    match isa::extract::extract(v, &abi, &cc, std::path::Path::new(&std::env::var("OUT_DIR").unwrap()), "t") {
        Ok(x) => for e in x { println!("cargo:warning={} {:?} {:?} {:?}", e.template.signature(), isa::snippet::instantiate(&e.chunks, [1,2,3]).iter().map(|b| format!("{b:02x}")).collect::<String>(), e.holes, e.sites) },
        Err(e) => for e in e { println!("cargo:warning={e}") },
    }
    println!("cargo:warning={:?}", t.elapsed());
}

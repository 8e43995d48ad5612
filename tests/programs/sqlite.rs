//! `SQLite`, as its authors compile it: a database in memory, asked in SQL.
//!
//! The package is made for JavaScript: it imports its memory and system calls. A database in memory needs few of these.

use spasm::engine::Tier;
use spasm::store::Linker;
use spasm::wasi::{WasiCtx, WasiCtxBuilder};

use crate::guest::Guest;
use crate::packages::Package;

const PACKAGE: Package = Package {
    name: "@sqlite.org/sqlite-wasm",
    version: "3.54.1-build1",
    sha512: "7e85b8dbb5412c9dc6f3b6ec9ef41364273dcd87b416ad701f4a73d48e8194a2\
             ca5dc02b200c93907b6ad224f69659a170c42df53fe9ea5e4fa50421fba3bcb9",
};

/// No environment, no files, and a clock that stands still.
fn system(linker: &mut Linker<WasiCtx>) {
    const NO_SYSTEM: i32 = 52;
    const NO_ENTRY: i32 = -44;
    linker.func_wrap("wasi_snapshot_preview1", "environ_sizes_get", |_: i32, _: i32| NO_SYSTEM).unwrap();
    linker.func_wrap("env", "__syscall_openat", |_: i32, _: i32, _: i32, _: i32| NO_ENTRY).unwrap();
    linker.func_wrap("env", "emscripten_date_now", || 1e12).unwrap();
    linker.func_wrap("env", "emscripten_get_now", || 1e12).unwrap();
}

struct Database {
    guest: Guest,
    handle: u32,
}

impl Database {
    fn open(tier: Tier) -> Database {
        let module = crate::module("sqlite3.wasm", &PACKAGE.file("dist/sqlite3.wasm"));
        let context = WasiCtxBuilder::new().build();
        let mut guest = Guest::new(&crate::engine(tier), &module, context, system);
        guest.call("__wasm_call_ctors", &[]);
        let name = guest.put("sqlite3_malloc", ":memory:");
        let at = guest.call("sqlite3_malloc", &[4]);
        assert_eq!(guest.call("sqlite3_open", &[name, at]), 0);
        let handle = guest.word(at);
        Database { guest, handle }
    }

    /// What a statement gives: lines of cells, or what is wrong with it.
    fn ask(&mut self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        const ROW: u32 = 100;
        let guest = &mut self.guest;
        let text = guest.put("sqlite3_malloc", sql);
        let at = guest.call("sqlite3_malloc", &[4]);
        if guest.call("sqlite3_prepare_v2", &[self.handle, text, u32::MAX, at, 0]) != 0 {
            let message = guest.call("sqlite3_errmsg", &[self.handle]);
            return Err(guest.text(message));
        }
        let statement = guest.word(at);
        let columns = guest.call("sqlite3_column_count", &[statement]);
        let mut rows = Vec::new();
        while guest.call("sqlite3_step", &[statement]) == ROW {
            let mut cell = |column| {
                let at = guest.call("sqlite3_column_text", &[statement, column]);
                if at == 0 { "NULL".to_owned() } else { guest.text(at) }
            };
            rows.push((0..columns).map(&mut cell).collect());
        }
        if guest.call("sqlite3_finalize", &[statement]) == 0 {
            return Ok(rows);
        }
        let message = guest.call("sqlite3_errmsg", &[self.handle]);
        Err(guest.text(message))
    }
}

fn answers(tier: Tier) {
    let mut database = Database::open(tier);
    let version = database.guest.call("sqlite3_libversion", &[]);
    assert_eq!(database.guest.text(version), "3.54.1");
    let mut ask = |sql: &str| database.ask(sql).unwrap_or_else(|message| panic!("{sql}: {message}"));
    ask("create table squares (n integer primary key, square integer, name text)");
    ask("with recursive up(n) as (select 1 union all select n + 1 from up where n < 5000)
         insert into squares select n, n * n, printf('%04x', n) from up");
    assert_eq!(ask("select count(*), sum(square), max(name) from squares"), [["5000", "41679167500", "1388"]]);
    ask("create index by_name on squares (name)");
    assert_eq!(
        ask("select n, square from squares where name like '00f%' order by n desc limit 2"),
        [["255", "65025"], ["254", "64516"]]
    );
    assert_eq!(ask("select round(avg(sqrt(square)), 3), null, 1e300 * 1e10 from squares"), [["2500.5", "NULL", "Inf"]]);
    assert_eq!(
        ask("select json_group_array(n) from (select n from squares where square % 1000 = 1 limit 3)"),
        [["[1,249,251]"]]
    );
    assert_eq!(ask("pragma integrity_check"), [["ok"]]);
    assert_eq!(database.ask("select nobody from squares"), Err("no such column: nobody".to_owned()));
    assert_eq!(
        database.ask("insert into squares (n) values (7)"),
        Err("UNIQUE constraint failed: squares.n".to_owned())
    );
}

#[test]
#[ignore = "fetches a package of npm; .ci/run runs it"]
fn sqlite_answers_as_machine_code() {
    answers(Tier::Baseline);
}

#[test]
#[ignore = "fetches a package of npm; .ci/run runs it"]
fn sqlite_answers_interpreted() {
    answers(Tier::Interp);
}

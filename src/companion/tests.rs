//! What the companions of a module look like.

use super::{Host, bridges, thunks};
use crate::module::native::Target;
use crate::text::{parse, print};
use crate::verified::Verified;
use crate::verify::verify;

fn verified(text: &str) -> Verified {
    verify(parse("test", text).unwrap_or_else(|errors| panic!("{errors}"))).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn each_way_of_calling_c_has_one_thunk() {
    let program = verified(
        "extern \"\" printf(ptr, ...) -> i32\nextern \"\" puts(ptr) -> i32\nfunc f(f64)\n call printf, r1, a1, r2\n \
         call puts, r1\n call r1, puts, r1\n call printf, r3, a1, r1\n call printf, r1\n callp r1, (f32) -> struct{f32, i8}\
         , r4\n ret",
    );
    let thunks = thunks(&program).expect("they are few");
    assert_eq!(thunks.index[&(0, vec![true, false])], 0);
    assert_eq!(thunks.index[&(1, vec![])], 1);
    assert_eq!(thunks.index.len(), 4);
    let text = print(&thunks.module);
    let first = "func \"call 0\"(i64)\n    load r1, a1\n    load r2, a1, 8\n    load.f64 r3, a1, 16\n    load r4, a1, 24\n    \
                 callp r5, r1, (i64, ...) -> i32, r2, r3, r4\n    store r5, a1\n    ret\n";
    assert!(text.starts_with(first), "{text}");
    assert!(
        text.contains(
            "    callp (r3, r4), r1, (f32) -> struct{f32, i8}, r2\n    store.f32 r3, a1\n    store r4, a1, 8\n"
        )
    );
    verify(thunks.module).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn bridges_stand_for_functions_whose_addresses_are_taken() {
    let program = verified(
        "extern \"\" qsort(ptr, i64, i64, ptr)\ndata list = ptr compare, addresses, list, qsort\nfunc unused\n ret\n\
         func compare(i32, f32) -> (i64, f64)\n ret r1, r2\nfunc main\n addr r1, sum\n ret\n\
         func sum(f64, ...) -> i32\n ret r1\nfunc addresses\n ret",
    );
    let host = Host { context: 1, begin: 2, run: 3, end: 4 };
    let made = bridges(&program, host, false).expect("they are few");
    let functions = [1, 3, 4].map(Target::Function);
    assert_eq!(made.targets, [&[Target::Extern(0), Target::Data(0)][..], &functions].concat());
    let names: Vec<&str> = made.module.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["compare", "sum", "addresses", "addresses'"]);
    assert_eq!(made.addresses, 3);
    let text = print(&made.module);
    assert!(text.contains("data list = ptr compare, addresses, list, qsort\n"), "{text}");
    let compare = "func compare(i32, f32) -> (i64, f64)\n    const r1, 1\n    const r2, 2\n    const r3, 1\n    \
                   callp r4, r2, (i64, i64, i64) -> i64, r1, r3, r0\n    store a1, r4\n    store.f32 a2, r4, 8\n    \
                   const r5, 3\n    callp r6, r5, (i64, i64) -> i64, r1, r4\n    jmpt r6, stopped\n    load r7, r4\n    \
                   load.f64 r8, r4, 8\n    const r9, 4\n    callp r9, (i64, i64), r1, r4\n    ret r7, r8\nstopped:\n    const r10, 2\n    eq r10, r10, r6\n    jmpt r10, halt\n    trap\nhalt:\n    halt\n";
    assert!(text.contains(compare), "{text}");
    verify(made.module).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn programs_without_c_have_empty_companions() {
    let program = verified("func f\n ret");
    assert!(thunks(&program).expect("they are few").module.functions.is_empty());
    let made = bridges(&program, Host { context: 0, begin: 0, run: 0, end: 0 }, false).expect("they are few");
    assert_eq!((made.targets.len(), made.module.functions.len()), (0, 1));
}

//! Memory for code: never writable and executable, handed out and taken back, and refused without a crash.

use super::super::arena::{Arena, Publishing};
use super::super::memory::LinearMemory;
use super::super::sys::{calls_left, fail_call};
use super::*;

const BOTH: [Publishing; 2] = [Publishing::Dual, Publishing::Sealed];
const FILLER: u8 = 0x5a;

/// The permissions of the mapping that `address` lies in.
fn permissions(address: usize) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let found = maps.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        range.contains(&address).then(|| words.next().unwrap_or("").to_owned())
    });
    found.unwrap_or_default()
}

#[test]
fn nothing_is_writable_and_executable() {
    for publishing in BOTH {
        let runtime = Runtime::with(small(), publishing).unwrap();
        let mut made = instance_on(&runtime, EVERYTHING).unwrap();
        assert_eq!(call(&mut made, "identity", &[3]).unwrap(), [3]);
        let (address, code) = made.code();
        let shown = permissions(address);
        assert!(shown.starts_with("r-x"), "{publishing:?}: {shown}");
        assert_eq!(code.len(), made.image().code.len());
        let mut writable = runtime.arena().code(10).unwrap();
        let view = writable.bytes_mut().as_ptr() as usize;
        assert!(permissions(view).starts_with("rw-"), "{publishing:?}");
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(!maps.lines().any(|line| line.contains(" rwx")), "{maps}");
        drop(writable);
        assert_eq!(trap(&mut made, "unreachable", &[]).0, TrapKind::Unreachable);
    }
}

#[test]
fn code_and_data_are_in_reach_of_each_other() {
    let size = ArenaSize { code: usize::MAX, data: usize::MAX };
    if let Ok(arena) = Arena::with(size, &[FILLER], Publishing::Dual) {
        assert!(arena.size().code + arena.size().data < 1 << 31);
        let data = arena.data(8).unwrap().base() as i64;
        let code = arena.code(arena.size().code).unwrap();
        assert!(code.address() as i64 + (arena.size().code as i64) - data < 1 << 31);
    }
}

#[test]
fn freed_code_is_overwritten_and_used_again() {
    let arena = Arena::with(small(), &[FILLER], Publishing::Dual).unwrap();
    let all = arena.free_code();
    let publish = |byte: u8, len: usize| {
        let mut code = arena.code(len).unwrap();
        code.bytes_mut().fill(byte);
        code.publish().unwrap()
    };
    let (one, two, three) = (publish(1, 100), publish(2, 200), publish(3, 300));
    let address = two.address();
    assert!(one.bytes().iter().all(|&b| b == 1) && three.bytes().iter().all(|&b| b == 3));
    drop(two);
    let mut again = arena.code(150).unwrap();
    assert_eq!(again.address(), address);
    assert!(again.bytes_mut().iter().all(|&byte| byte == FILLER));
    drop((one, three, again));
    assert_eq!(arena.free_code(), all);
    assert_eq!(arena.code(all).unwrap().bytes_mut().len(), all);
}

#[test]
fn sealed_code_is_gone_when_it_is_freed() {
    let arena = Arena::with(small(), &[FILLER], Publishing::Sealed).unwrap();
    let all = arena.free_code();
    let mut code = arena.code(5000).unwrap();
    code.bytes_mut().fill(7);
    let code = code.publish().unwrap();
    let address = code.address();
    assert_eq!((code.bytes()[4999], permissions(address).as_str()), (7, "r-xp"));
    drop(code);
    assert_eq!((permissions(address).as_str(), arena.free_code()), ("---p", all));
    assert!(arena.code(1).unwrap().bytes_mut().iter().all(|&byte| byte == 0));
}

#[test]
fn a_full_arena_is_an_error() {
    for publishing in BOTH {
        let runtime = Runtime::with(ArenaSize { code: 1 << 16, data: 1 << 16 }, publishing).unwrap();
        let mut kept = Vec::new();
        let error = loop {
            match instance_on(&runtime, EVERYTHING) {
                Ok(made) => kept.push(made),
                Err(error) => break error,
            }
            assert!(kept.len() < 5000);
        };
        let shown = error.to_string();
        assert!(shown.starts_with("no room for ") && shown.ends_with("give the engine a larger arena"), "{shown}");
        for made in &mut kept {
            assert_eq!(call(made, "identity", &[8]).unwrap(), [8]);
        }
        let count = kept.len();
        kept.clear();
        kept.extend((0..count).map(|_| instance_on(&runtime, EVERYTHING).unwrap()));
        assert_eq!(trap(&mut kept[count - 1], "unreachable", &[]).0, TrapKind::Unreachable);
    }
    let error = runtime().arena().code(usize::MAX).unwrap_err();
    assert!(matches!(error, ExecError::Full { what: "code", .. }), "{error}");
}

#[test]
fn an_image_of_another_module_is_refused() {
    let two = verified("func identity(i64) -> i64\nfunc halt\n");
    let one = verified("func bump.0(i64) -> i64\nglobal g i64 = 1\n");
    let runtime = runtime();
    let make = |verified: &Verified, image: Image| match Instance::new(&runtime, verified, Arc::new(image), None, 0) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    };
    assert!(make(&one, image(&two)).ends_with("2 functions instead of 1"));
    let without = verified("func bump.0(i64) -> i64\n");
    assert!(make(&without, image(&one)).contains("refers to Global(0), which the module does not have"));
    let mut cut = image(&one);
    cut.relocations[0].offset = cut.code.len() as u32 - 3;
    assert!(make(&one, cut).contains("lies outside of its code"));
    let mut far = image(&one);
    far.relocations[0].addend = i32::MIN;
    let error = make(&one, far);
    assert!(error.contains("more than 32 bits can say") || error.contains("accepted"), "{error}");
}

/// Everything that happens from nothing to the end of a call, on a thread of its own.
fn life(publishing: Option<Publishing>) -> Result<u64, String> {
    let runtime = match publishing {
        Some(publishing) => Runtime::with(small(), publishing),
        None => Runtime::new(ArenaSize::default()),
    };
    let mut made = instance_on(&runtime.map_err(|e| e.to_string())?, EVERYTHING).map_err(|e| e.to_string())?;
    match call(&mut made, "identity", &[11]) {
        Ok(results) => Ok(results[0]),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn every_refusal_of_the_system_is_an_error_or_does_no_harm() {
    functions();
    for publishing in [Some(Publishing::Dual), Some(Publishing::Sealed), None] {
        let mut errors = Vec::new();
        for nth in 0.. {
            let script = move || {
                fail_call(Some((nth, if nth % 2 == 0 { libc::ENOMEM } else { libc::EPERM })));
                let result = life(publishing);
                (result, calls_left().is_some())
            };
            let (result, untouched) = std::thread::spawn(script).join().unwrap();
            match result {
                Ok(value) => assert_eq!(value, 11),
                Err(error) => errors.push(error),
            }
            if untouched {
                break;
            }
        }
        let told = |what: &str| errors.iter().any(|error| error.contains(what));
        for what in [
            "cannot reserve address space for a linear memory",
            "cannot grow a linear memory",
            "cannot reserve a stack",
        ] {
            assert!(told(what), "{publishing:?} {what}: {errors:#?}");
        }
        let also = match publishing {
            Some(Publishing::Dual) => ["cannot map memory for code twice", "cannot map code for execution"],
            Some(Publishing::Sealed) => ["cannot make memory for code writable", "cannot make code executable"],
            None => ["not enough memory: cannot reserve a stack: ", "cannot make a stack writable"],
        };
        assert!(also.iter().all(|what| told(what)), "{publishing:?}: {errors:#?}");
        assert!(errors.iter().all(|error| error.contains("; ")), "each says what to do: {errors:#?}");
    }
}

#[test]
fn without_the_second_view_code_is_sealed() {
    for nth in 2..7 {
        let arena = std::thread::spawn(move || {
            fail_call(Some((nth, libc::EPERM)));
            Arena::new(small(), &[FILLER]).unwrap()
        });
        assert_eq!(arena.join().unwrap().publishing(), Publishing::Sealed, "{nth}");
    }
    assert_eq!(Arena::new(small(), &[FILLER]).unwrap().publishing(), Publishing::Dual);
}

#[test]
fn memory_that_the_system_refuses_does_not_grow() {
    let memory = LinearMemory::new(&crate::module::Memory::new(1, None)).unwrap();
    fail_call(Some((0, libc::ENOMEM)));
    assert_eq!(memory.grow(1), None);
    assert_eq!((memory.pages(), memory.grow(2), memory.pages()), (1, Some(1), 3));
    assert!(memory.write((3 << 16) - 1, &[1]).is_ok() && memory.write(3 << 16, &[1]).is_err());
    assert_eq!(memory.grow(65_534), None);
}

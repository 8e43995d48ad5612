//! Names of Spasm functions as C has them.
//!
//! Comes in: a module. Goes out: for each function a name that C and C++ accept. What must hold: no two are alike; a name
//! that C can write, and that nothing else has, stays as it is.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::module::Module;
use crate::module::link::{Export, Item};

/// The words that are no names in C or C++, or stand for something in the headers that ours includes.
const TAKEN: &str = "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t \
    class co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype \
    default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int \
    long main mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register \
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch \
    template this thread_local throw true try typedef typeid typename typeof typeof_unqual union unsigned using virtual \
    void volatile wchar_t while xor xor_eq \
    _start _init _fini environ NULL offsetof size_t ptrdiff_t max_align_t linux unix \
    mmap mprotect munmap write read open close sigaction sigaltstack strlen fflush pthread_getspecific pthread_setspecific \
    pthread_mutex_lock pthread_mutex_unlock pthread_key_create pthread_key_delete stdin stdout stderr \
    abort abs acos acosh aligned_alloc alloca asctime asin asinh assert atan atan2 atanh atexit atof atoi atol atoll \
    bcmp bcopy bsearch bzero calloc cbrt ceil clearerr clock copysign cos cosh ctime difftime div erf erfc exit exp exp2 \
    expm1 fabs fclose fdim feof ferror fflush fgetc fgets floor fma fmax fmin fmod fopen fprintf fputc fputs fread free \
    freopen frexp fscanf fseek fsetpos ftell fwrite getc getchar getenv gets gmtime hypot ilogb index isalnum isalpha \
    iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit j0 j1 jn labs ldexp ldiv lgamma llabs lldiv \
    llrint llround localtime log log10 log1p log2 logb longjmp lrint lround malloc memchr memcmp memcpy memmove memset \
    mktime modf nan nearbyint nextafter perror pow pow10 printf putc putchar puts qsort raise rand realloc remainder \
    remove remquo rename rewind rindex rint round scalbn scanf setbuf setjmp setvbuf sin sinh snprintf sprintf sqrt srand \
    sscanf strcat strchr strcmp strcoll strcpy strcspn strdup strerror strftime strlen strncat strncmp strncpy strndup \
    strpbrk strrchr strspn strstr strtod strtok strtol strtoul system tan tanh tgamma time tmpfile tmpnam tolower toupper \
    trunc ungetc vfprintf vprintf vsnprintf vsprintf y0 y1 yn";

/// Something that C may use of a linked module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CExport<'m> {
    /// The name that the module has for it.
    pub own: &'m str,
    /// What it is called in C.
    pub name: String,
    /// A function or a global.
    pub item: Item,
}

/// What C may use of a linked module: its exported functions and globals, in their order, with names as for
/// [functions](c_names). Globals that C gives it are left out: C has these by the names of the imports.
#[must_use]
pub fn c_exports(module: &Module) -> Vec<CExport<'_>> {
    let seen = |export: &&Export| match export.item {
        Item::Function(_) => true,
        Item::Global(index) => module.globals.get(index as usize).is_some_and(|global| global.import.is_none()),
        Item::Table(_) | Item::Memory => false,
    };
    let exports: Vec<&Export> = module.exports.iter().filter(seen).collect();
    let names = spellings(exports.iter().map(|export| export.name.as_str()));
    exports.iter().zip(names).map(|(export, name)| CExport { own: &export.name, name, item: export.item }).collect()
}

/// The names of the module's functions in C, in their order.
///
/// A function whose own name will not do is called `spasm_` and its name, with `_` and two hexadecimal digits for each
/// byte that C does not allow.
#[must_use]
pub fn c_names(module: &Module) -> Vec<String> {
    spellings(module.functions.iter().map(|function| function.name.as_str()))
}

/// What names are in C.
fn spellings<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Vec<String> {
    let plain = |name: &str| is_plain(name) && !is_of_c(name);
    // Most modules have plain names only, and objects are to be written fast.
    if names.clone().all(plain) {
        return names.map(str::to_owned).collect();
    }
    let mut used: HashSet<String> = names.clone().filter(|name| plain(name)).map(str::to_owned).collect();
    let own = |name: &str| {
        if plain(name) {
            return name.to_owned();
        }
        let mut made = c_name(name);
        let stem = made.clone();
        let mut number = 2;
        while !used.insert(made.clone()) {
            made = format!("{stem}_{number}");
            number += 1;
        }
        made
    };
    names.map(own).collect()
}

/// True for names of the C library's functions, and the like.
pub fn is_of_c(name: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| TAKEN.split_whitespace().collect());
    WORDS.contains(name)
}

/// True for what C takes for a name, and leaves to programs.
fn is_plain(name: &str) -> bool {
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let reserved = name.starts_with("__") || name.starts_with("spasm_") || name.ends_with("_t");
    let capital = name.strip_prefix('_').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    let macros = name.starts_with("INT") || name.starts_with("UINT") || name.starts_with("SPASM_");
    word && !reserved && !capital && !macros && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// A name for C made of any name.
#[must_use]
pub fn c_name(name: &str) -> String {
    let mut made = String::from("spasm_");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            made.push(char::from(byte));
        } else {
            let _ = write!(made, "_{byte:02x}");
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Function;

    #[test]
    fn names_that_c_cannot_have_are_changed_and_stay_different() {
        let names = ["plain", "int", "a.b", "a$b", "", "main", "class", "sqrt", "a_2eb", "__x", "2x", "ü"];
        let functions = names.iter().map(|&name| Function { name: name.into(), ..Function::default() });
        let made = c_names(&Module { functions: functions.collect(), ..Module::default() });
        let wanted = [
            "plain",
            "spasm_int",
            "spasm_a_2eb",
            "spasm_a_24b",
            "spasm_",
            "spasm_main",
            "spasm_class",
            "spasm_sqrt",
            "a_2eb",
            "spasm___x",
            "spasm_2x",
            "spasm__c3_bc",
        ];
        assert_eq!(made, wanted);
        let functions =
            ["a.b", "a_2eb", "spasm_a_2eb"].map(|name| Function { name: name.into(), ..Function::default() });
        let made = c_names(&Module { functions: functions.into(), ..Module::default() });
        assert_eq!(made, ["spasm_a_2eb", "a_2eb", "spasm_spasm_a_2eb"]);
    }
}

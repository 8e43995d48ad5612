//! What entries of debugging information are made of: which attributes in which forms (DWARF 4, section 7.5.3).
//!
//! Comes in: nothing. Goes out: the contents of `.debug_abbrev`, and the number of each kind of entry in it. What must
//! hold: whoever writes an entry writes its attributes in the order and the forms that stand here.

use gimli::constants::{self as dw, DwAt, DwForm, DwTag};

use super::Section;

/// A kind of entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A module.
    Unit,
    /// One of the types of registers.
    Type,
    /// Several results, its members within.
    Struct,
    /// A member of a struct.
    Member,
    /// An argument.
    Param,
    /// Further arguments.
    More,
    /// A function.
    Function {
        /// Whether it gives something.
        typed: bool,
        /// Whether its line is known.
        placed: bool,
        /// Whether it has arguments, which stand within.
        inner: bool,
    },
}

impl Entry {
    /// The number that stands for it; one byte of LEB128.
    pub const fn code(self) -> u8 {
        match self {
            Entry::Unit => 1,
            Entry::Type => 2,
            Entry::Struct => 3,
            Entry::Member => 4,
            Entry::Param => 5,
            Entry::More => 6,
            Entry::Function { typed, placed, inner } => 8 + typed as u8 + 2 * placed as u8 + 4 * inner as u8,
        }
    }
}

const NAME: (DwAt, DwForm) = (dw::DW_AT_name, dw::DW_FORM_string);
const TYPE: (DwAt, DwForm) = (dw::DW_AT_type, dw::DW_FORM_ref4);
const LOW: (DwAt, DwForm) = (dw::DW_AT_low_pc, dw::DW_FORM_addr);
/// A constant here is the distance from the low one.
const HIGH: (DwAt, DwForm) = (dw::DW_AT_high_pc, dw::DW_FORM_udata);
const SIZE: (DwAt, DwForm) = (dw::DW_AT_byte_size, dw::DW_FORM_udata);

const UNIT: [(DwAt, DwForm); 6] = [
    (dw::DW_AT_producer, dw::DW_FORM_string),
    (dw::DW_AT_language, dw::DW_FORM_data2),
    NAME,
    LOW,
    HIGH,
    (dw::DW_AT_stmt_list, dw::DW_FORM_sec_offset),
];
const BASE: [(DwAt, DwForm); 3] =
    [NAME, (dw::DW_AT_encoding, dw::DW_FORM_data1), (dw::DW_AT_byte_size, dw::DW_FORM_data1)];
const MEMBER: [(DwAt, DwForm); 3] = [NAME, TYPE, (dw::DW_AT_data_member_location, dw::DW_FORM_udata)];
const FUNCTION: [(DwAt, DwForm); 5] =
    [NAME, (dw::DW_AT_external, dw::DW_FORM_flag_present), (dw::DW_AT_prototyped, dw::DW_FORM_flag_present), LOW, HIGH];

/// The table, behind these bytes.
pub fn table(bytes: Vec<u8>) -> Section {
    let mut out = Section::onto(bytes, 256, 0);
    add(&mut out, Entry::Unit, dw::DW_TAG_compile_unit, true, &UNIT);
    add(&mut out, Entry::Type, dw::DW_TAG_base_type, false, &BASE);
    add(&mut out, Entry::Struct, dw::DW_TAG_structure_type, true, &[SIZE]);
    add(&mut out, Entry::Member, dw::DW_TAG_member, false, &MEMBER);
    add(&mut out, Entry::Param, dw::DW_TAG_formal_parameter, false, &[NAME, TYPE]);
    add(&mut out, Entry::More, dw::DW_TAG_unspecified_parameters, false, &[]);
    for kind in 0..8 {
        let (typed, placed, inner) = (kind & 1 != 0, kind & 2 != 0, kind & 4 != 0);
        let mut attributes = FUNCTION.to_vec();
        if placed {
            attributes.push((dw::DW_AT_decl_file, dw::DW_FORM_data1));
            attributes.push((dw::DW_AT_decl_line, dw::DW_FORM_udata));
        }
        if typed {
            attributes.push(TYPE);
        }
        add(&mut out, Entry::Function { typed, placed, inner }, dw::DW_TAG_subprogram, inner, &attributes);
    }
    out.u8(0);
    out
}

fn add(out: &mut Section, entry: Entry, tag: DwTag, inner: bool, attributes: &[(DwAt, DwForm)]) {
    out.u8(entry.code());
    out.uleb(tag.0.into());
    out.u8(u8::from(inner));
    for (name, form) in attributes {
        out.uleb(name.0.into());
        out.uleb(form.0.into());
    }
    out.bytes.extend_from_slice(&[0, 0]);
}

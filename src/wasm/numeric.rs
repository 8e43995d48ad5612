//! Operators that compute, and those on linear memory: one row each.
//!
//! Comes in: operators of a validated function. Goes out: an instruction for each, rarely two. What must hold: an i32 is
//! zero-extended in its register wherever more than its lower half is looked at.

use wasmparser::{Ieee32, Ieee64, MemArg};

use crate::isa::op::Op;

use super::stack::{Entry, Kind, Pool, Translator};

/// The offset of a memory access. Of 32-bit memories, the validator takes no larger ones.
fn offset(memarg: &MemArg) -> u32 {
    memarg.offset as u32
}

impl Translator<'_> {
    #[inline]
    fn one(&mut self, op: Op, pool: Pool) {
        let a = self.pop();
        let d = self.push_result(pool);
        self.emit(op, d, a, 0);
    }

    #[inline]
    fn wrap(&mut self, op: Op, pool: Pool) {
        self.one(op, pool);
        self.after_wrap = self.here();
    }

    /// The next instruction looks at the lower halves of its operands only, which are so many of the highest entries: if the last one did nothing but clear the upper
    /// half of one of them, it is not needed.
    #[inline]
    fn take_wide(&mut self, operands: usize) {
        if self.after_wrap == self.here() && self.after_wrap != 0 {
            self.take_wrapped(operands);
        }
    }

    fn take_wrapped(&mut self, operands: usize) {
        let here = self.here();
        let made_last = |entry: &&mut Entry| entry.kind == Kind::Result && entry.y + 1 == here;
        let Some(entry) = self.stack.iter_mut().rev().take(operands).find(made_last) else { return };
        let Some(wrap) = self.insts.pop() else { return };
        let narrow = std::mem::replace(&mut entry.x, wrap.a);
        // The register is not this entry's to give back.
        entry.kind = Kind::Owned;
        self.release(Pool::I32, narrow);
        self.after_wrap = 0;
    }

    #[inline]
    fn two_narrow(&mut self, op: Op, pool: Pool) {
        self.take_wide(2);
        self.two(op, pool);
    }

    #[inline]
    fn two_narrow_swapped(&mut self, op: Op, pool: Pool) {
        self.take_wide(2);
        self.two_swapped(op, pool);
    }

    #[inline]
    fn two(&mut self, op: Op, pool: Pool) {
        let b = self.pop();
        let a = self.pop();
        let d = self.push_result(pool);
        self.emit(op, d, a, b);
    }

    /// The same with the operands exchanged.
    #[inline]
    fn two_swapped(&mut self, op: Op, pool: Pool) {
        let b = self.pop();
        let a = self.pop();
        let d = self.push_result(pool);
        self.emit(op, d, b, a);
    }

    #[inline]
    fn is_zero(&mut self, op: Op) {
        self.push_const(Pool::I32, 0);
        self.two(op, Pool::I32);
        self.after_eqz = self.here();
    }

    #[inline]
    fn load(&mut self, op: Op, pool: Pool, memarg: &MemArg) {
        self.take_wide(1);
        let a = self.pop();
        let d = self.push_result(pool);
        self.emit(op, d, a, offset(memarg));
    }

    /// A load that extends the sign to 64 bits, of which 32 are wanted.
    fn load_signed(&mut self, op: Op, memarg: &MemArg) {
        self.take_wide(1);
        let a = self.pop();
        let wide = self.temporary(Pool::I64);
        self.emit(op, wide, a, offset(memarg));
        self.release(Pool::I64, wide);
        let d = self.push_result(Pool::I32);
        self.emit(Op::Wrap, d, wide, 0);
    }

    #[inline]
    fn store(&mut self, op: Op, memarg: &MemArg) {
        self.take_wide(2);
        let value = self.pop();
        let index = self.pop();
        self.emit(op, value, index, offset(memarg));
    }
}

macro_rules! operators {
    ($($kind:ident { $($visit:ident $op:ident $($pool:ident)?;)* })*) => {
        $(operators!(@ $kind { $($visit $op $($pool)?;)* });)*
    };
    (@ load { $($visit:ident $op:ident $pool:ident;)* }) => { impl Translator<'_> { $(
        #[inline]
        pub(super) fn $visit(&mut self, memarg: MemArg) {
            self.load(Op::$op, Pool::$pool, &memarg);
        }
    )* } };
    (@ load_signed { $($visit:ident $op:ident;)* }) => { impl Translator<'_> { $(
        pub(super) fn $visit(&mut self, memarg: MemArg) {
            self.load_signed(Op::$op, &memarg);
        }
    )* } };
    (@ store { $($visit:ident $op:ident;)* }) => { impl Translator<'_> { $(
        #[inline]
        pub(super) fn $visit(&mut self, memarg: MemArg) {
            self.store(Op::$op, &memarg);
        }
    )* } };
    (@ is_zero { $($visit:ident $op:ident;)* }) => { impl Translator<'_> { $(
        #[inline]
        pub(super) fn $visit(&mut self) {
            self.is_zero(Op::$op);
        }
    )* } };
    (@ $kind:ident { $($visit:ident $op:ident $pool:ident;)* }) => { impl Translator<'_> { $(
        #[inline]
        pub(super) fn $visit(&mut self) {
            self.$kind(Op::$op, Pool::$pool);
        }
    )* } };
}

operators! {
    load {
        visit_i32_load MloadI32 I32;
        visit_i64_load MloadI64 I64;
        visit_f32_load MloadF32 F32;
        visit_f64_load MloadF64 F64;
        visit_i32_load8_u Mload8u I32;
        visit_i32_load16_u Mload16u I32;
        visit_i64_load8_s Mload8s I64;
        visit_i64_load8_u Mload8u I64;
        visit_i64_load16_s Mload16s I64;
        visit_i64_load16_u Mload16u I64;
        visit_i64_load32_s Mload32s I64;
        visit_i64_load32_u MloadI32 I64;
    }
    load_signed {
        visit_i32_load8_s Mload8s;
        visit_i32_load16_s Mload16s;
    }
    store {
        visit_i32_store MstoreI32;
        visit_i64_store MstoreI64;
        visit_f32_store MstoreF32;
        visit_f64_store MstoreF64;
        visit_i32_store8 Mstore8;
        visit_i32_store16 Mstore16;
        visit_i64_store8 Mstore8;
        visit_i64_store16 Mstore16;
        visit_i64_store32 MstoreI32;
    }
    is_zero {
        visit_i32_eqz EqI32;
        visit_i64_eqz EqI64;
        visit_ref_is_null EqI32;
    }
    one {
        visit_i32_clz ClzI32 I32;
        visit_i32_ctz CtzI32 I32;
        visit_i32_popcnt PopcntI32 I32;
        visit_i64_clz ClzI64 I64;
        visit_i64_ctz CtzI64 I64;
        visit_i64_popcnt PopcntI64 I64;
        visit_f32_abs AbsF32 F32;
        visit_f32_neg NegF32 F32;
        visit_f32_ceil CeilF32 F32;
        visit_f32_floor FloorF32 F32;
        visit_f32_trunc TruncF32 F32;
        visit_f32_nearest NearestF32 F32;
        visit_f32_sqrt SqrtF32 F32;
        visit_f64_abs AbsF64 F64;
        visit_f64_neg NegF64 F64;
        visit_f64_ceil CeilF64 F64;
        visit_f64_floor FloorF64 F64;
        visit_f64_trunc TruncF64 F64;
        visit_f64_nearest NearestF64 F64;
        visit_f64_sqrt SqrtF64 F64;
        visit_i32_trunc_f32_s CvtI32F32 I32;
        visit_i32_trunc_f32_u CvtuI32F32 I32;
        visit_i32_trunc_f64_s CvtI32F64 I32;
        visit_i32_trunc_f64_u CvtuI32F64 I32;
        visit_i64_extend_i32_s Exts I64;
        visit_i64_trunc_f32_s CvtI64F32 I64;
        visit_i64_trunc_f32_u CvtuI64F32 I64;
        visit_i64_trunc_f64_s CvtI64F64 I64;
        visit_i64_trunc_f64_u CvtuI64F64 I64;
        visit_f32_convert_i32_s CvtF32I32 F32;
        visit_f32_convert_i32_u CvtuF32I32 F32;
        visit_f32_convert_i64_s CvtF32I64 F32;
        visit_f32_convert_i64_u CvtuF32I64 F32;
        visit_f32_demote_f64 Demote F32;
        visit_f64_convert_i32_s CvtF64I32 F64;
        visit_f64_convert_i32_u CvtuF64I32 F64;
        visit_f64_convert_i64_s CvtF64I64 F64;
        visit_f64_convert_i64_u CvtuF64I64 F64;
        visit_f64_promote_f32 Promote F64;
        visit_i32_reinterpret_f32 BitsI32F32 I32;
        visit_i64_reinterpret_f64 BitsI64F64 I64;
        visit_f32_reinterpret_i32 BitsF32I32 F32;
        visit_f64_reinterpret_i64 BitsF64I64 F64;
        visit_i32_extend8_s Ext8I32 I32;
        visit_i32_extend16_s Ext16I32 I32;
        visit_i64_extend8_s Ext8I64 I64;
        visit_i64_extend16_s Ext16I64 I64;
        visit_i64_extend32_s Ext32I64 I64;
        visit_i32_trunc_sat_f32_s CvtsI32F32 I32;
        visit_i32_trunc_sat_f32_u CvtsuI32F32 I32;
        visit_i32_trunc_sat_f64_s CvtsI32F64 I32;
        visit_i32_trunc_sat_f64_u CvtsuI32F64 I32;
        visit_i64_trunc_sat_f32_s CvtsI64F32 I64;
        visit_i64_trunc_sat_f32_u CvtsuI64F32 I64;
        visit_i64_trunc_sat_f64_s CvtsI64F64 I64;
        visit_i64_trunc_sat_f64_u CvtsuI64F64 I64;
    }
    wrap {
        visit_i32_wrap_i64 Wrap I32;
    }
    two_narrow {
        visit_i32_eq EqI32 I32;
        visit_i32_ne NeI32 I32;
        visit_i32_lt_s LessI32 I32;
        visit_i32_lt_u LessuI32 I32;
        visit_i32_le_s LeqI32 I32;
        visit_i32_le_u LequI32 I32;
        visit_i32_add AddI32 I32;
        visit_i32_sub SubI32 I32;
        visit_i32_mul MulI32 I32;
        visit_i32_div_s DivI32 I32;
        visit_i32_div_u DivuI32 I32;
        visit_i32_rem_s ModI32 I32;
        visit_i32_rem_u ModuI32 I32;
        visit_i32_and AndI32 I32;
        visit_i32_or OrI32 I32;
        visit_i32_xor XorI32 I32;
        visit_i32_shl ShlI32 I32;
        visit_i32_shr_s ShrI32 I32;
        visit_i32_shr_u ShruI32 I32;
        visit_i32_rotl RotlI32 I32;
        visit_i32_rotr RotrI32 I32;
    }
    two {
        visit_i64_eq EqI64 I32;
        visit_i64_ne NeI64 I32;
        visit_i64_lt_s LessI64 I32;
        visit_i64_lt_u LessuI64 I32;
        visit_i64_le_s LeqI64 I32;
        visit_i64_le_u LequI64 I32;
        visit_f32_eq EqF32 I32;
        visit_f32_ne NeF32 I32;
        visit_f32_lt LessF32 I32;
        visit_f32_le LeqF32 I32;
        visit_f64_eq EqF64 I32;
        visit_f64_ne NeF64 I32;
        visit_f64_lt LessF64 I32;
        visit_f64_le LeqF64 I32;
        visit_i64_add AddI64 I64;
        visit_i64_sub SubI64 I64;
        visit_i64_mul MulI64 I64;
        visit_i64_div_s DivI64 I64;
        visit_i64_div_u DivuI64 I64;
        visit_i64_rem_s ModI64 I64;
        visit_i64_rem_u ModuI64 I64;
        visit_i64_and AndI64 I64;
        visit_i64_or OrI64 I64;
        visit_i64_xor XorI64 I64;
        visit_i64_shl ShlI64 I64;
        visit_i64_shr_s ShrI64 I64;
        visit_i64_shr_u ShruI64 I64;
        visit_i64_rotl RotlI64 I64;
        visit_i64_rotr RotrI64 I64;
        visit_f32_add AddF32 F32;
        visit_f32_sub SubF32 F32;
        visit_f32_mul MulF32 F32;
        visit_f32_div DivF32 F32;
        visit_f32_min MinF32 F32;
        visit_f32_max MaxF32 F32;
        visit_f32_copysign CopysignF32 F32;
        visit_f64_add AddF64 F64;
        visit_f64_sub SubF64 F64;
        visit_f64_mul MulF64 F64;
        visit_f64_div DivF64 F64;
        visit_f64_min MinF64 F64;
        visit_f64_max MaxF64 F64;
        visit_f64_copysign CopysignF64 F64;
    }
    two_narrow_swapped {
        visit_i32_gt_s LessI32 I32;
        visit_i32_gt_u LessuI32 I32;
        visit_i32_ge_s LeqI32 I32;
        visit_i32_ge_u LequI32 I32;
    }
    two_swapped {
        visit_i64_gt_s LessI64 I32;
        visit_i64_gt_u LessuI64 I32;
        visit_i64_ge_s LeqI64 I32;
        visit_i64_ge_u LequI64 I32;
        visit_f32_gt LessF32 I32;
        visit_f32_ge LeqF32 I32;
        visit_f64_gt LessF64 I32;
        visit_f64_ge LeqF64 I32;
    }
}

/// Constants, and what computes nothing.
impl Translator<'_> {
    #[inline]
    pub(super) fn visit_i32_const(&mut self, value: i32) {
        self.push_const(Pool::I32, u64::from(value.cast_unsigned()));
    }

    #[inline]
    pub(super) fn visit_i64_const(&mut self, value: i64) {
        self.push_const(Pool::I64, value.cast_unsigned());
    }

    pub(super) fn visit_f32_const(&mut self, value: Ieee32) {
        self.push_const(Pool::F32, u64::from(value.bits()));
    }

    pub(super) fn visit_f64_const(&mut self, value: Ieee64) {
        self.push_const(Pool::F64, value.bits());
    }

    /// An i32 is zero-extended already.
    #[allow(clippy::unused_self, reason = "an operator like all others")]
    pub(super) fn visit_i64_extend_i32_u(&mut self) {}
}

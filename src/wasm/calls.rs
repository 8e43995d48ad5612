//! Calls, globals, and the operators on tables, elements and segments.
//!
//! Comes in: operators of a validated function. Goes out: an instruction for each, with its list. What must hold: indices of
//! WebAssembly are those of the module, but for functions, of which the imported ones are counted by themselves.

use wasmparser::{HeapType, ValType};

use crate::isa::op::{Op, Type};
use crate::module::Inst;

use super::stack::{Kind, Pool, Translator};

impl Translator<'_> {
    /// Writes the list of a call: what `before` has, results, arguments. Pops these and pushes those.
    fn call_list(&mut self, before: &[u32], params: usize, results: &[Type]) -> u32 {
        let list = self.lists.len();
        self.lists.reserve(before.len() + 2 + params + results.len());
        self.lists.extend_from_slice(before);
        self.lists.push(results.len() as u32);
        let at = self.lists.len();
        self.lists.resize(at + results.len(), 0);
        self.lists.push(params as u32);
        let base = self.stack.len() - params;
        let args = self.lists.len();
        self.lists.resize(args + params, 0);
        for arg in (args..args + params).rev() {
            self.lists[arg] = self.pop();
        }
        debug_assert_eq!(self.stack.len(), base);
        self.watch_size();
        for (at, &ty) in (at..).zip(results) {
            let pool = Pool::of(ty);
            let d = self.temporary(pool);
            self.lists[at] = d;
            self.push(Kind::Listed, pool, d, at as u32);
        }
        list as u32
    }

    pub(super) fn visit_call(&mut self, function_index: u32) {
        let signature = self.items.signature_of(function_index);
        let list = self.call_list(&[], signature.params.len(), &signature.results);
        let (d, a) = self.items.target(function_index).fields();
        self.emit(Op::Call, d, a, list);
    }

    pub(super) fn visit_call_indirect(&mut self, type_index: u32, table_index: u32) {
        let signature = &self.items.signatures()[type_index as usize];
        let index = self.pop();
        let list = self.call_list(&[type_index], signature.params.len(), &signature.results);
        self.emit(Op::Calli, table_index, index, list);
    }

    /// An operator of the shape `Object`.
    fn object(&mut self, op: Op, named: [u32; 2], params: usize, result: bool) {
        let results: &[Type] = if result { &[Type::I32] } else { &[] };
        let list = self.call_list(&named, params, results);
        self.emit(op, 0, 0, list);
    }

    pub(super) fn visit_ref_func(&mut self, function_index: u32) {
        let (kind, index) = self.items.target(function_index).fields();
        self.object(Op::Ref, [kind, index], 0, true);
    }

    pub(super) fn visit_ref_null(&mut self, _: HeapType) {
        self.push_const(Pool::I32, 0);
    }

    pub(super) fn visit_table_get(&mut self, table: u32) {
        self.object(Op::Tget, [table, 0], 1, true);
    }

    pub(super) fn visit_table_set(&mut self, table: u32) {
        self.object(Op::Tset, [table, 0], 2, false);
    }

    pub(super) fn visit_table_size(&mut self, table: u32) {
        self.object(Op::Tsize, [table, 0], 0, true);
    }

    pub(super) fn visit_table_grow(&mut self, table: u32) {
        self.object(Op::Tgrow, [table, 0], 2, true);
    }

    pub(super) fn visit_table_fill(&mut self, table: u32) {
        self.object(Op::Tfill, [table, 0], 3, false);
    }

    pub(super) fn visit_table_copy(&mut self, dst_table: u32, src_table: u32) {
        self.object(Op::Tcopy, [dst_table, src_table], 3, false);
    }

    pub(super) fn visit_table_init(&mut self, elem_index: u32, table: u32) {
        self.object(Op::Tinit, [table, elem_index], 3, false);
    }

    pub(super) fn visit_elem_drop(&mut self, elem_index: u32) {
        self.object(Op::Edrop, [elem_index, 0], 0, false);
    }

    pub(super) fn visit_memory_init(&mut self, data_index: u32, _: u32) {
        self.object(Op::Minit, [data_index, 0], 3, false);
    }

    pub(super) fn visit_data_drop(&mut self, data_index: u32) {
        self.object(Op::Mdrop, [data_index, 0], 0, false);
    }

    pub(super) fn visit_memory_size(&mut self, _: u32) {
        let d = self.push_result(Pool::I32);
        self.emit(Op::Msize, d, 0, 0);
    }

    pub(super) fn visit_memory_grow(&mut self, _: u32) {
        let n = self.pop();
        let d = self.push_result(Pool::I32);
        self.emit(Op::Mgrow, d, n, 0);
    }

    pub(super) fn visit_memory_copy(&mut self, _: u32, _: u32) {
        self.three(Op::Mcopy);
    }

    pub(super) fn visit_memory_fill(&mut self, _: u32) {
        self.three(Op::Mfill);
    }

    fn three(&mut self, op: Op) {
        let b = self.pop();
        let a = self.pop();
        let d = self.pop();
        self.emit(op, d, a, b);
    }

    #[inline]
    pub(super) fn visit_global_get(&mut self, global_index: u32) {
        let pool = self.items.global_pool(global_index);
        let d = self.push_result(pool);
        self.emit(Op::Gget, d, 0, global_index);
    }

    #[inline]
    pub(super) fn visit_global_set(&mut self, global_index: u32) {
        let value = self.pop();
        self.emit(Op::Gset, 0, value, global_index);
    }

    #[inline]
    pub(super) fn visit_drop(&mut self) {
        self.drop_top();
    }

    pub(super) fn visit_typed_select(&mut self, _: ValType) {
        self.visit_select();
    }

    /// The instructions and labels as the module has them: constants at the head.
    pub(super) fn finish(&self) -> (Vec<Inst>, Vec<u32>, usize) {
        let head = self.consts.insts.len();
        let mut insts = Vec::with_capacity(head + self.insts.len());
        insts.extend_from_slice(&self.consts.insts);
        insts.extend_from_slice(&self.insts);
        (insts, self.lists.clone(), head)
    }
}

//! Straight lines of `add` and `mul`, from an equal description through four code generators.
//!
//! Comes in: a number of instructions and of registers that they are spread over. Goes out: for Spasm the verified module,
//! for the others what they start from; and code from each. What must hold: all of them compute the same.

use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, UserFuncName, types};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetFrontendConfig};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{Context, control::ControlPlane, isa::CallConv};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};
use dynasmrt::{DynasmApi, VecAssembler, dynasm, x64::X64Relocation};
use spasm::verified::Verified;
use spasm::{text, verify};

/// One instruction: registers 0 and 1 hold the arguments at the start, all others zero.
#[derive(Clone, Copy)]
pub struct Step {
    mul: bool,
    d: u8,
    a: u8,
    b: u8,
}

/// A straight line of instructions. Its result is the sum of its registers.
pub struct Line {
    pub steps: Vec<Step>,
    pub registers: u8,
}

impl Line {
    pub fn new(count: usize, registers: u8) -> Line {
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut register = || u8::try_from(next(registers.into())).unwrap_or(0);
        let steps = (0..count).map(|n| Step { mul: n % 2 == 1, d: register(), a: register(), b: register() });
        Line { steps: steps.collect(), registers }
    }

    /// What the code must give for two arguments.
    pub fn result(&self, args: [i64; 2]) -> i64 {
        let mut values = vec![0i64; self.registers.into()];
        values[..2].copy_from_slice(&args);
        for step in &self.steps {
            let (a, b) = (values[usize::from(step.a)], values[usize::from(step.b)]);
            values[usize::from(step.d)] = if step.mul { a.wrapping_mul(b) } else { a.wrapping_add(b) };
        }
        values.into_iter().fold(0, i64::wrapping_add)
    }

    /// How many instructions Spasm has for it.
    pub fn insts(&self) -> usize {
        self.steps.len() + usize::from(self.registers)
    }

    pub fn spasm(&self) -> Verified {
        let name = |register: u8| match register {
            0 | 1 => format!("a{}", register + 1),
            _ => format!("r{}", register - 1),
        };
        let mut source = "func line(i64, i64) -> i64\n".to_owned();
        for Step { mul, d, a, b } in &self.steps {
            let op = if *mul { "mul" } else { "add" };
            source += &format!("    {op} {}, {}, {}\n", name(*d), name(*a), name(*b));
        }
        for register in 1..self.registers {
            source += &format!("    add a1, a1, {}\n", name(register));
        }
        source += "    ret a1\n";
        let module = text::parse("line.spasm", &source).unwrap_or_else(|errors| panic!("{errors}"));
        verify::verify(module).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Assembles it as somebody would by hand: up to ten registers in machine registers, more of them in the frame.
    pub fn dynasm(&self) -> Vec<u8> {
        let mut ops = VecAssembler::<X64Relocation>::new(0);
        if self.registers <= 10 {
            self.in_registers(&mut ops)
        } else {
            self.in_frame(&mut ops)
        }
        ops.finalize().expect("there are no labels")
    }

    fn in_registers(&self, ops: &mut impl DynasmApi) {
        const MACHINE: [u8; 10] = [7, 6, 0, 1, 2, 8, 9, 10, 11, 3];
        dynasm!(ops ; .arch x64 ; push rbx);
        for register in 2..self.registers {
            let r = MACHINE[usize::from(register)];
            dynasm!(ops ; .arch x64 ; xor Rd(r), Rd(r));
        }
        for step in &self.steps {
            let [d, mut a, mut b] = [step.d, step.a, step.b].map(|register| MACHINE[usize::from(register)]);
            if d == b {
                (a, b) = (b, a);
            }
            if d != a {
                dynasm!(ops ; .arch x64 ; mov Rq(d), Rq(a));
            }
            if step.mul {
                dynasm!(ops ; .arch x64 ; imul Rq(d), Rq(b));
            } else {
                dynasm!(ops ; .arch x64 ; add Rq(d), Rq(b));
            }
        }
        for register in 1..self.registers {
            dynasm!(ops ; .arch x64 ; add rdi, Rq(MACHINE[usize::from(register)]));
        }
        dynasm!(ops ; .arch x64 ; mov rax, rdi ; pop rbx ; ret);
    }

    fn in_frame(&self, ops: &mut impl DynasmApi) {
        let frame = (i32::from(self.registers) * 8 + 15) & !15;
        dynasm!(ops ; .arch x64 ; sub rsp, frame + 8 ; mov [rsp], rdi ; mov [rsp + 8], rsi ; xor eax, eax);
        for register in 2..self.registers {
            dynasm!(ops ; .arch x64 ; mov [rsp + 8 * i32::from(register)], rax);
        }
        for step in &self.steps {
            let [d, a, b] = [step.d, step.a, step.b].map(|register| 8 * i32::from(register));
            dynasm!(ops ; .arch x64 ; mov rax, [rsp + a]);
            if step.mul {
                dynasm!(ops ; .arch x64 ; imul rax, [rsp + b]);
            } else {
                dynasm!(ops ; .arch x64 ; add rax, [rsp + b]);
            }
            dynasm!(ops ; .arch x64 ; mov [rsp + d], rax);
        }
        dynasm!(ops ; .arch x64 ; mov rax, [rsp]);
        for register in 1..self.registers {
            dynasm!(ops ; .arch x64 ; add rax, [rsp + 8 * i32::from(register)]);
        }
        dynasm!(ops ; .arch x64 ; add rsp, frame + 8 ; ret);
    }

    /// The function in Cranelift's form, in which each value is defined once.
    pub fn cranelift(&self, config: TargetFrontendConfig) -> Function {
        let mut function = Function::with_name_signature(UserFuncName::user(0, 0), signature(2));
        let mut context = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut function, &mut context);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        let mut values = builder.block_params(block).to_vec();
        let zero = builder.ins().iconst(types::I64, 0);
        values.resize(self.registers.into(), zero);
        for step in &self.steps {
            let (a, b) = (values[usize::from(step.a)], values[usize::from(step.b)]);
            let value = if step.mul { builder.ins().imul(a, b) } else { builder.ins().iadd(a, b) };
            values[usize::from(step.d)] = value;
        }
        let sum = values.into_iter().reduce(|a, b| builder.ins().iadd(a, b)).expect("there are registers");
        builder.ins().return_(&[sum]);
        builder.seal_all_blocks();
        builder.finalize(config);
        function
    }
}

fn signature(params: usize) -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params = vec![AbiParam::new(types::I64); params];
    signature.returns.push(AbiParam::new(types::I64));
    signature
}

/// Cranelift without optimisation, with its default or its quick register allocator.
pub fn cranelift_isa(quick: bool) -> OwnedTargetIsa {
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", "none"),
        ("enable_verifier", "false"),
        ("regalloc_algorithm", if quick { "single_pass" } else { "backtracking" }),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
    ] {
        flags.set(name, value).expect("a setting of Cranelift");
    }
    cranelift_native::builder().expect("a known machine").finish(settings::Flags::new(flags)).expect("a target")
}

/// Bytes of machine code, not placed anywhere.
pub fn cranelift_code(isa: &OwnedTargetIsa, function: &Function, context: &mut Context) -> usize {
    context.clear();
    context.func = function.clone();
    let compiled = context.compile(&**isa, &mut ControlPlane::default()).expect("it compiles");
    compiled.code_buffer().len()
}

/// A module with the function in it, and the function's address.
pub fn cranelift_jit(isa: OwnedTargetIsa, function: Function) -> (JITModule, *const u8) {
    let mut module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
    let id = module.declare_function("line", Linkage::Export, &function.signature).expect("a new name");
    let mut context = Context::for_function(function);
    module.define_function(id, &mut context).expect("it compiles");
    module.finalize_definitions().expect("there is room");
    let address = module.get_finalized_function(id);
    (module, address)
}

/// `add_answer` in Cranelift's form, built from nothing.
pub fn cranelift_add_answer(config: TargetFrontendConfig) -> Function {
    let mut function = Function::with_name_signature(UserFuncName::user(0, 0), signature(1));
    let mut context = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut function, &mut context);
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    let answer = builder.ins().iconst(types::I64, 42);
    let argument = builder.block_params(block)[0];
    let sum = builder.ins().iadd(argument, answer);
    builder.ins().return_(&[sum]);
    builder.seal_all_blocks();
    builder.finalize(config);
    function
}

/// `add_answer` by dynasmrt's own assembler, executable.
pub fn dynasm_add_answer() -> dynasmrt::ExecutableBuffer {
    let mut ops = dynasmrt::x64::Assembler::new().expect("there is memory");
    dynasm!(ops ; .arch x64 ; mov rax, 42 ; add rax, rdi ; ret);
    ops.finalize().expect("nobody else holds it")
}

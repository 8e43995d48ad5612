//! The functions of WASI preview 1, with what WebAssembly passes to them.
//!
//! Comes in: a linker, and the names of modules. Goes out: the functions in that linker. What must hold: all functions are
//! there; the types of each are compared with those that `wasi-common` has for it when this is compiled.

/// What is done with the functions that both snapshots have. All give an error number, save for `proc_exit`, which gives
/// nothing and is not here; `sock_accept` came later than the rest.
macro_rules! functions {
    ($then:ident: $($given:tt)*) => {
        $crate::wasi::functions::$then! { $($given)*
            args_get(argv: i32, bytes: i32)
            args_sizes_get(count: i32, size: i32)
            environ_get(environ: i32, bytes: i32)
            environ_sizes_get(count: i32, size: i32)
            clock_res_get(clock: i32, result: i32)
            clock_time_get(clock: i32, precision: i64, result: i32)
            fd_advise(fd: i32, offset: i64, len: i64, advice: i32)
            fd_allocate(fd: i32, offset: i64, len: i64)
            fd_close(fd: i32)
            fd_datasync(fd: i32)
            fd_fdstat_get(fd: i32, result: i32)
            fd_fdstat_set_flags(fd: i32, flags: i32)
            fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64)
            fd_filestat_get(fd: i32, result: i32)
            fd_filestat_set_size(fd: i32, size: i64)
            fd_filestat_set_times(fd: i32, accessed: i64, modified: i64, which: i32)
            fd_pread(fd: i32, buffers: i32, count: i32, offset: i64, result: i32)
            fd_prestat_get(fd: i32, result: i32)
            fd_prestat_dir_name(fd: i32, path: i32, len: i32)
            fd_pwrite(fd: i32, buffers: i32, count: i32, offset: i64, result: i32)
            fd_read(fd: i32, buffers: i32, count: i32, result: i32)
            fd_readdir(fd: i32, buffer: i32, len: i32, cookie: i64, result: i32)
            fd_renumber(fd: i32, to: i32)
            fd_seek(fd: i32, offset: i64, whence: i32, result: i32)
            fd_sync(fd: i32)
            fd_tell(fd: i32, result: i32)
            fd_write(fd: i32, buffers: i32, count: i32, result: i32)
            path_create_directory(fd: i32, path: i32, len: i32)
            path_filestat_get(fd: i32, flags: i32, path: i32, len: i32, result: i32)
            path_filestat_set_times(
                fd: i32, flags: i32, path: i32, len: i32, accessed: i64, modified: i64, which: i32
            )
            path_link(old_fd: i32, flags: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32)
            path_open(
                fd: i32, flags: i32, path: i32, len: i32, how: i32, base: i64, inheriting: i64, status: i32, result: i32
            )
            path_readlink(fd: i32, path: i32, len: i32, buffer: i32, buffer_len: i32, result: i32)
            path_remove_directory(fd: i32, path: i32, len: i32)
            path_rename(old_fd: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32)
            path_symlink(old: i32, old_len: i32, fd: i32, new: i32, new_len: i32)
            path_unlink_file(fd: i32, path: i32, len: i32)
            poll_oneoff(subscriptions: i32, events: i32, count: i32, result: i32)
            proc_raise(signal: i32)
            sched_yield()
            random_get(buffer: i32, len: i32)
            sock_recv(fd: i32, buffers: i32, count: i32, flags: i32, size: i32, result: i32)
            sock_send(fd: i32, buffers: i32, count: i32, flags: i32, result: i32)
            sock_shutdown(fd: i32, how: i32)
        }
    };
}

/// Defines functions of a snapshot in a linker.
macro_rules! define {
    ($linker:ident, $context:ident, $module:expr, $snapshot:path; $($name:ident($($x:ident: $t:ty),*))*) => {{
        use $snapshot as snapshot;
        $(
            let function = move |mut caller: Caller<'_, T>, $($x: $t),*| -> Given<i32> {
                let (mut memory, context) = guest(&mut caller, $context, stringify!($name))?;
                ready(stringify!($name), snapshot::$name(context, &mut memory, $($x),*))
            };
            $linker.func_wrap($module, stringify!($name), function)?;
        )*
    }};
}

pub(super) use {define, functions};

;; Prints the files that it is given: a command of WASI, with what it asks the system for written out by hand.
;;
;;     spasm run --dir . examples/wasm/cat.wat README.md
;;     spasm build --exe --dir . examples/wasm/cat.wat -o cat && ./cat README.md
;;
;; Names are looked up in the first directory that is granted. A file that cannot be opened or read ends the program with
;; the number that WASI gives the error: 8 where no directory was granted, 44 where there is no such file.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  ;; 0 is for single results, 8 for one buffer's address and length; from 16 on there are the addresses of the arguments,
  ;; their bytes, and then what is read.
  (memory (export "memory") 2)

  (func $check (param $error i32)
    (if (local.get $error) (then (call $proc_exit (local.get $error)))))

  (func $length (param $text i32) (result i32) (local $at i32)
    (local.set $at (local.get $text))
    (loop $next
      (if (i32.load8_u (local.get $at))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (i32.sub (local.get $at) (local.get $text)))

  ;; Writes a buffer, in several pieces if need be.
  (func $print (param $from i32) (param $count i32)
    (loop $more
      (i32.store (i32.const 8) (local.get $from))
      (i32.store (i32.const 12) (local.get $count))
      (call $check (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
      (local.set $from (i32.add (local.get $from) (i32.load (i32.const 0))))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.load (i32.const 0)))))))

  (func $cat (param $name i32) (local $file i32)
    (call $check
      (call $path_open
        (i32.const 3) (i32.const 1) ;; in the first directory, following links
        (local.get $name) (call $length (local.get $name))
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) ;; as it is, to be read
        (i32.const 0)))
    (local.set $file (i32.load (i32.const 0)))
    (loop $more
      (i32.store (i32.const 8) (i32.const 65536))
      (i32.store (i32.const 12) (i32.const 65536))
      (call $check (call $fd_read (local.get $file) (i32.const 8) (i32.const 1) (i32.const 0)))
      (if (i32.load (i32.const 0))
        (then
          (call $print (i32.const 65536) (i32.load (i32.const 0)))
          (br $more))))
    (call $check (call $fd_close (local.get $file))))

  (func (export "_start") (local $at i32) (local $end i32)
    (call $check (call $args_sizes_get (i32.const 0) (i32.const 8)))
    (local.set $end (i32.add (i32.const 16) (i32.mul (i32.const 4) (i32.load (i32.const 0)))))
    (call $check (call $args_get (i32.const 16) (local.get $end)))
    (local.set $at (i32.const 20)) ;; behind the program's own name
    (loop $next
      (if (i32.lt_u (local.get $at) (local.get $end))
        (then
          (call $cat (i32.load (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (br $next))))))

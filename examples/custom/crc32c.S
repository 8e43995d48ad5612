# crc32c d, a, b: the checksum a with the eight bytes of b added to it, by the polynomial 0x1EDC6F41 (Castagnoli), which
# is not the one of gzip. In a and d, the upper half is zero.

opcode crc32c.i64(i64, i64) -> i64

template crc32c.i64, inout d:gp, in b:gp, needs sse4.2
        crc32   \d, \b
end

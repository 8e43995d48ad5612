# crc32c d, a, b: the checksum a with the eight bytes of b added to it, lowest byte first, by the polynomial 0x1edc6f41
# (Castagnoli), which iSCSI, ext4 and Btrfs use. The upper half of d is zero.

opcode crc32c.i64(i64, i64) -> i64

template crc32c.i64, inout d:gp, in b:gp, needs sse4.2
        crc32   \d, \b
end

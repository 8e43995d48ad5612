//! CRC-32 as zip and PNG have it: the polynomial 0xEDB88320, reflected.
//!
//! Comes in: bytes. Goes out: their checksum. What must hold: any single damaged run of up to 32 bits shows.

/// For each byte what it does to the checksum, with as many zero bytes behind it as the number of its table.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut n = 0;
    while n < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "n is below 256")]
        let mut value = n as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 0 { value >> 1 } else { value >> 1 ^ 0xedb8_8320 };
            bit += 1;
        }
        tables[0][n] = value;
        n += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut n = 0;
        while n < 256 {
            let before = tables[table - 1][n];
            tables[table][n] = tables[0][(before & 0xff) as usize] ^ before >> 8;
            n += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of these bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32_of(&[bytes])
}

/// The checksum of these pieces one behind the other.
pub fn crc32_of(pieces: &[&[u8]]) -> u32 {
    !pieces.iter().fold(!0, |crc, piece| {
        let (words, rest) = piece.as_chunks::<8>();
        let crc = words.iter().fold(crc, |crc, word| {
            let word = u64::from_le_bytes(*word) ^ u64::from(crc);
            let bytes = word.to_le_bytes().into_iter().zip(TABLES.iter().rev());
            bytes.fold(0, |sum, (byte, table)| sum ^ table[usize::from(byte)])
        });
        rest.iter().fold(crc, |crc: u32, &byte| {
            let [low, ..] = crc.to_le_bytes();
            TABLES[0][usize::from(low ^ byte)] ^ crc >> 8
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn pieces_are_one_text() {
        let bytes: Vec<u8> = (0..200u32).map(|n| (n * 37 % 251) as u8).collect();
        let slow = |bytes: &[u8]| {
            !bytes.iter().fold(!0u32, |crc, &byte| {
                (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
            })
        };
        for at in 0..bytes.len() {
            assert_eq!(super::crc32_of(&[&bytes[..at], &bytes[at..]]), slow(&bytes), "{at}");
        }
    }

    #[test]
    fn known_values() {
        assert_eq!(super::crc32(b""), 0);
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(super::crc32(&[0; 32]), 0x190a_55ad);
    }
}

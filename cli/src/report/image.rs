//! Small pictures as PNG in a data URL: for matrices with more cells than a page should have elements.

use std::fmt::Write;

/// A picture of RGB pixels, row by row, as `data:image/png;base64,…`.
///
/// The data are stored without compression (deflate blocks of type 0).
///
/// Reference: PNG specification (W3C, third edition), RFC 1950, RFC 1951 section 3.2.4.
pub fn data_url(width: usize, pixels: &[[u8; 3]]) -> String {
    let height = pixels.len() / width.max(1);
    let mut raw = Vec::with_capacity(height * (3 * width + 1));
    for row in pixels.chunks_exact(width.max(1)) {
        raw.push(0); // no filter
        raw.extend(row.iter().flatten());
    }
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    header.extend([8, 2, 0, 0, 0]); // 8 bits, RGB, the only methods there are, not interlaced
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"IDAT", &stored(&raw));
    chunk(&mut png, *b"IEND", &[]);
    format!("data:image/png;base64,{}", base64(&png))
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(data);
    let sum = crc32(&png[start..]);
    png.extend(sum.to_be_bytes());
}

/// A zlib stream of stored blocks.
fn stored(raw: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 65535;
    let mut out = vec![0x78, 0x01];
    let blocks = raw.chunks(BLOCK).count();
    for (i, block) in raw.chunks(BLOCK).enumerate() {
        let length = block.len() as u16;
        out.push(u8::from(i + 1 == blocks));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in raw {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    out.extend(((b << 16) | a).to_be_bytes());
    out
}

fn crc32(data: &[u8]) -> u32 {
    let step = |mut c: u32| {
        for _ in 0..8 {
            c = if c & 1 == 1 {
                0xedb8_8320 ^ (c >> 1)
            } else {
                c >> 1
            };
        }
        c
    };
    let table: Vec<u32> = (0..256).map(step).collect();
    !data.iter().fold(!0, |c, byte| {
        table[((c ^ u32::from(*byte)) & 0xff) as usize] ^ (c >> 8)
    })
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for group in data.chunks(3) {
        let word =
            group.iter().fold(0_u32, |w, b| (w << 8) | u32::from(*b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63] as char;
            let _ = out.write_char(if i <= group.len() { digit } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_sums_and_digits() {
        // The check value of CRC-32/ISO-HDLC, and the examples of RFC 4648, section 10.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(
            [base64(b""), base64(b"f"), base64(b"fo"), base64(b"foobar")],
            ["", "Zg==", "Zm8=", "Zm9vYmFy"]
        );
    }

    /// Adler-32 of "Wikipedia" is 0x11e60398.
    #[test]
    fn stored_stream() {
        let stream = stored(b"Wikipedia");
        assert_eq!(stream[..7], [0x78, 0x01, 1, 9, 0, 0xf6, 0xff]);
        assert_eq!(stream[16..], [0x11, 0xe6, 0x03, 0x98]);
        assert_eq!(stored(&vec![7; 70000]).len(), 2 + 5 + 65535 + 5 + 4465 + 4);
    }
}

//! What the self-test embeds: texts, a picture and a sound in several versions, made on the spot.
//!
//! The files are the simplest of their kinds: PNG with stored blocks (RFC 2083, RFC 1951), WAVE with 16-bit PCM.

use vw_protocol::Modality;

/// The first two say the same in other words; the third is about something else.
const TEXTS: [&str; 3] = [
    "A man is playing a guitar on stage.",
    "Someone performs a song with his guitar in front of an audience.",
    "The tax return is due at the end of March.",
];

/// Pixels of a picture's side.
const SIDE: usize = 96;

/// Samples of a second, and seconds of a sound.
const RATE: u32 = 16_000;
const SECONDS: u32 = 3;

/// Three inputs of a modality: the first two are alike, the third is not.
pub fn samples(modality: Modality) -> [Vec<u8>; 3] {
    match modality {
        Modality::Text => TEXTS.map(|text| text.as_bytes().to_vec()),
        Modality::Image => [
            png(|x, y| disc(x, y, [220, 40, 30])),
            png(|x, y| disc(x + 2, y + 1, [210, 50, 35])),
            png(|x, y| if (x / 8 + y / 8).is_multiple_of(2) { [10, 30, 160] } else { [230, 230, 250] }),
        ],
        Modality::Audio => [wav(|time| tone(time, 440.0)), wav(|time| tone(time, 450.0)), wav(clicks)],
    }
}

/// A disc on green.
fn disc(x: usize, y: usize, colour: [u8; 3]) -> [u8; 3] {
    let (dx, dy) = (x.abs_diff(SIDE / 2), y.abs_diff(SIDE / 2));
    if dx * dx + dy * dy < 900 { colour } else { [60, 140, 70] }
}

fn tone(time: f32, pitch: f32) -> f32 {
    let turn = std::f32::consts::TAU * pitch * time;
    0.4 * turn.sin() + 0.2 * (2.0 * turn).sin()
}

/// Noise in short bursts.
fn clicks(time: f32) -> f32 {
    let noise = ((time * RATE as f32) as u32).wrapping_mul(2_654_435_761) >> 16;
    if (time * 10.0).fract() < 0.1 { noise as f32 / 65_536.0 - 0.5 } else { 0.0 }
}

/// Write a picture of `SIDE` by `SIDE` pixels.
fn png(pixel: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..SIDE {
        rows.push(0);
        (0..SIDE).for_each(|x| rows.extend(pixel(x, y)));
    }
    let mut packed = vec![0x78, 0x01];
    let blocks = rows.chunks(0xFFFF);
    let last = blocks.len().saturating_sub(1);
    for (at, block) in blocks.enumerate() {
        let length = block.len() as u16;
        packed.push(u8::from(at == last));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    packed.extend(adler(&rows).to_be_bytes());
    let side = (SIDE as u32).to_be_bytes();
    let header = [&side[..], &side[..], &[8, 2, 0, 0, 0]].concat();
    let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &packed), chunk(b"IEND", &[])];
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat()].concat()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&name[..], data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _: u32| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

fn adler(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

/// Write a sound of one channel.
fn wav(sample: impl Fn(f32) -> f32) -> Vec<u8> {
    let count = RATE * SECONDS;
    let samples = (0..count).map(|at| (sample(at as f32 / RATE as f32) * 32_767.0) as i16);
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_formats() {
        assert_eq!(crc(b"IEND"), 0xAE42_6082);
        assert_eq!(adler(b"Wikipedia"), 0x11E6_0398);
        let sound = wav(|_| 0.0);
        assert_eq!(sound.len(), 44 + (RATE * SECONDS * 2) as usize);
    }
}

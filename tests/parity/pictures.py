"""Pictures made on the spot, and files of every format and colour mode of them, for image_reference.py.

Nothing is random but by fixed seeds. What Pillow cannot write (interlaced PNG, 16-bit colour, BMP with bit fields or run
lengths, YCCK and unusual subsampling in JPEG) is put together or patched here; Pillow reads all of it.
"""

import io
import struct
import zlib

import numpy
from PIL import Image, ImageDraw

SIZES = [(1, 1), (2, 3), (7, 5), (17, 31), (64, 48), (65, 33), (3, 120), (130, 2)]


def gradient(width, height):
    """Tones that rise along both sides, with a hue that turns."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [255 * x / max(1, width - 1), 255 * y / max(1, height - 1), (x * 5 + y * 3) % 256]
    return numpy.stack(planes, axis=-1).astype(numpy.uint8)


def noise(width, height, channels=3, seed=1):
    """Every tone as likely as any other."""
    return numpy.random.default_rng([seed, width, height]).integers(0, 256, (height, width, channels), dtype=numpy.uint8)


def render(width, height):
    """Soft blobs of light with edges and grain: as near to a photograph as a formula comes."""
    generator = numpy.random.default_rng([2, width, height])
    y, x = numpy.mgrid[0:height, 0:width] / max(width, height)
    light = numpy.zeros((height, width, 3))
    for _ in range(12):
        centre, radius, colour = generator.random(2), generator.uniform(0.03, 0.4), generator.random(3)
        distance = numpy.hypot(x - centre[0], y - centre[1]) / radius
        shape = numpy.exp(-distance**2) if generator.random() < 0.6 else (distance < 1) * 0.8
        light += shape[..., None] * colour
    light = light / max(1e-9, light.max()) + generator.normal(0, 0.02, light.shape)
    return (255 * numpy.clip(light, 0, 1)).astype(numpy.uint8)


def text(width, height):
    """Black letters on white: the sharpest edges there are."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for line in range(0, height, 11):
        draw.text((1, line), "The quick brown fox, 0123456789 & so on", fill=(line % 256, 0, 60))
    return numpy.array(image)


def save(image, form, **options):
    """The bytes of an image's file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def exif(orientation):
    """An Exif block with nothing but an orientation."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def png(width, height, depth, colour, raw, chunks=(), interlaced=False):
    """A PNG file from filtered rows."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    body = b"".join(chunk(name, data) for name, data in chunks)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + body + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def rows(pixels):
    """Rows as PNG stores them, each behind the number of no filter."""
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def interlaced(pixels):
    """The seven passes of Adam7."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [pixels[y::down, x::across] for x, y, across, down in passes]
    return b"".join(rows(part) for part in parts if part.size)


def png_files():
    wide = numpy.random.default_rng(3).integers(0, 65536, (9, 11, 4), dtype=numpy.uint16)
    eight = noise(11, 9, 4)
    palette = bytes(noise(16, 1).tobytes())
    packed = noise(5, 9, 1)[..., 0]
    yield "grey16", png(11, 9, 16, 0, rows(wide[..., 0].astype(">u2")))
    yield "rgb16", png(11, 9, 16, 2, rows(wide[..., :3].astype(">u2")))
    yield "la16", png(11, 9, 16, 4, rows(wide[..., :2].astype(">u2")))
    yield "rgba16", png(11, 9, 16, 6, rows(wide.astype(">u2")))
    yield "interlaced_rgb", png(11, 9, 8, 2, interlaced(eight[..., :3]), interlaced=True)
    yield "interlaced_rgba", png(11, 9, 8, 6, interlaced(eight), interlaced=True)
    yield "interlaced_grey", png(11, 9, 8, 0, interlaced(eight[..., :1]), interlaced=True)
    yield "interlaced_rgb16", png(11, 9, 16, 2, interlaced(wide[..., :3].astype(">u2")), interlaced=True)
    yield "grey1", png(40, 9, 1, 0, rows(packed))
    yield "grey2", png(20, 9, 2, 0, rows(packed))
    yield "grey4", png(10, 9, 4, 0, rows(packed))
    for depth, width in [(1, 40), (2, 20), (4, 10)]:
        colours = palette[:3 << depth]
        yield f"palette{depth}", png(width, 9, depth, 3, rows(packed), [(b"PLTE", colours)])
        yield f"palette{depth}_short", png(width, 9, depth, 3, rows(packed), [(b"PLTE", colours[:6])])
        alphas = [(b"PLTE", colours), (b"tRNS", bytes([0, 100, 255, 3][:2]))]
        yield f"palette{depth}_clear", png(width, 9, depth, 3, rows(packed), alphas)
    key = bytes([0, int(eight[0, 0, 0])])
    yield "grey_key", png(11, 9, 8, 0, rows(eight[..., :1]), [(b"tRNS", key)])
    key = b"".join(bytes([0, int(sample)]) for sample in eight[2, 3, :3])
    yield "rgb_key", png(11, 9, 8, 2, rows(eight[..., :3]), [(b"tRNS", key)])
    picture = render(33, 20)
    for mode in ["1", "L", "LA", "P", "RGB", "RGBA"]:
        yield f"mode_{mode}", save(Image.fromarray(picture).convert(mode), "PNG")
    clear = numpy.dstack([picture, noise(33, 20, 1, seed=9)])
    yield "alpha", save(Image.fromarray(clear, "RGBA"), "PNG")
    frames = [Image.fromarray(noise(12, 8, seed=seed)) for seed in range(3)]
    yield "animated", save(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=False)
    for orientation in range(1, 9):
        yield f"turned{orientation}", save(Image.fromarray(picture), "PNG", exif=exif(orientation))


def patched(file, changes):
    """A JPEG file with bytes of its frame header changed: offset behind the marker, value."""
    at = next(file.index(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in file)
    file = bytearray(file)
    for offset, value in changes:
        file[at + offset] = value
    return bytes(file)


def jpeg_files():
    for make in (gradient, noise, render, text):
        for width, height in SIZES:
            for sampling in (0, 1, 2):
                name = f"{make.__name__}_{width}x{height}_s{sampling}"
                image = Image.fromarray(make(width, height))
                yield name, save(image, "JPEG", quality=85, subsampling=sampling)
    picture = Image.fromarray(render(83, 61))
    for quality in (5, 30, 60, 95, 100):
        for sampling in (0, 1, 2):
            for progressive in (False, True):
                name = f"q{quality}_s{sampling}_{'progressive' if progressive else 'baseline'}"
                yield name, save(picture, "JPEG", quality=quality, subsampling=sampling, progressive=progressive)
    yield "grey", save(picture.convert("L"), "JPEG")
    yield "grey_progressive", save(picture.convert("L"), "JPEG", progressive=True)
    yield "rgb", save(picture, "JPEG", keep_rgb=True)
    yield "restart", save(picture, "JPEG", restart_marker_blocks=3)
    yield "restart_progressive", save(picture, "JPEG", restart_marker_rows=1, progressive=True)
    yield "optimised", save(picture, "JPEG", optimize=True)
    inks = Image.fromarray(noise(40, 24, 4), "CMYK")
    yield "cmyk", save(inks, "JPEG", quality=90)
    soft = Image.fromarray(numpy.dstack([render(40, 24), gradient(40, 24)[..., :1]]), "CMYK")
    yield "cmyk_soft", save(soft, "JPEG", quality=90)
    yield "cmyk_progressive", save(soft, "JPEG", quality=90, progressive=True)
    file = save(soft, "JPEG", quality=90)
    at = file.index(b"Adobe") + 11
    yield "ycck", file[:at] + b"\x02" + file[at + 1:]
    # The same blocks under another subsampling: as many in a unit, and as many units.
    square = Image.fromarray(render(64, 64))
    half, quarter = (save(square, "JPEG", subsampling=sampling) for sampling in (1, 2))
    yield "rows_halved", patched(half, [(11, 0x12)])
    yield "columns_quartered", patched(quarter, [(11, 0x41)])
    yield "rows_quartered", patched(quarter, [(11, 0x14)])
    for orientation in range(1, 9):
        yield f"turned{orientation}", save(Image.fromarray(render(33, 20)), "JPEG", exif=exif(orientation))


def webp_files():
    for width, height in SIZES:
        image = Image.fromarray(render(width, height))
        yield f"lossy_{width}x{height}", save(image, "WEBP", quality=80)
        yield f"lossless_{width}x{height}", save(image, "WEBP", lossless=True)
    picture = render(83, 61)
    clear = Image.fromarray(numpy.dstack([picture, gradient(83, 61)[..., :1]]), "RGBA")
    for quality in (10, 50, 100):
        yield f"q{quality}", save(Image.fromarray(picture), "WEBP", quality=quality)
        yield f"alpha_q{quality}", save(clear, "WEBP", quality=quality)
    yield "alpha_lossless", save(clear, "WEBP", lossless=True, exact=True)
    frames = [Image.fromarray(noise(40, 30, seed=seed)) for seed in range(3)]
    yield "animated", save(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    yield "animated_lossy", save(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=70)
    for orientation in range(1, 9):
        yield f"turned{orientation}", save(Image.fromarray(picture), "WEBP", lossless=True, exif=exif(orientation))


def descriptor(file):
    """Where the first frame's descriptor is in a GIF file: behind the global palette and the extensions."""
    at = 13 + (3 * (2 << (file[10] & 7)) if file[10] & 0x80 else 0)
    while file[at:at + 1] == b"!":
        at += 2
        while file[at]:
            at += file[at] + 1
        at += 1
    return at


def gif_files():
    picture = Image.fromarray(render(41, 30))
    for mode in ["1", "L", "P", "RGB"]:
        yield f"mode_{mode}", save(picture.convert(mode), "GIF")
    yield "plain", save(picture.convert("P"), "GIF", interlace=0)
    yield "interlaced", save(picture.convert("P"), "GIF", interlace=1)
    yield "clear", save(picture.convert("P"), "GIF", transparency=0)
    frames = [Image.fromarray(noise(12, 8, seed=seed)) for seed in range(3)]
    yield "animated", save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    # A frame that is smaller than its screen, and one that sticks out.
    file = save(picture.convert("P"), "GIF", interlace=0)
    yield "small_frame", file[:6] + struct.pack("<HH", 60, 50) + file[10:]
    yield "large_frame", file[:6] + struct.pack("<HH", 20, 10) + file[10:]
    at = descriptor(file)
    yield "moved_frame", file[:6] + struct.pack("<HH", 60, 50) + file[10:at + 1] + struct.pack("<HH", 7, 3) + file[at + 5:]


def bmp(width, height, bits, compression, pixels, palette=b"", masks=b"", size=40):
    """A BMP file with a Windows header."""
    header = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, len(pixels), 0, 0, len(palette) // 4, 0)
    header += masks
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels


def bmp_files():
    picture = Image.fromarray(render(41, 30))
    for mode in ["1", "L", "P", "RGB", "RGBA"]:
        yield f"mode_{mode}", save(picture.convert(mode), "BMP")
    words = numpy.random.default_rng(4).integers(0, 65536, (6, 8), dtype=numpy.uint16)
    yield "555", bmp(8, 6, 16, 0, words.tobytes())
    yield "565", bmp(8, 6, 16, 3, words.tobytes(), masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    yield "555_fields", bmp(8, 6, 16, 3, words.tobytes(), masks=struct.pack("<III", 0x7C00, 0x3E0, 0x1F))
    yield "downward", bmp(8, -6, 16, 0, words.tobytes())
    longs = noise(8, 6, 4).tobytes()
    yield "32", bmp(8, 6, 32, 0, longs)
    for name, masks in {
        "bgra": (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
        "rgba": (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        "abgr": (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
    }.items():
        yield name, bmp(8, 6, 32, 3, longs, masks=struct.pack("<IIII", *masks), size=56)
    palette = noise(16, 1, 4).tobytes()
    yield "16_colours", bmp(8, 6, 4, 0, noise(4, 6, 1).tobytes(), palette)
    runs = bytes([8, 1, 0, 0, 3, 2, 5, 4, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 3, 9, 0, 0] + [4, 7, 4, 8, 0, 0] * 3 + [0, 1])
    yield "rle8", bmp(8, 6, 8, 1, runs, palette)
    runs = bytes([8, 0x12, 0, 0, 3, 0x30, 5, 0x45, 0, 0, 0, 5, 0x12, 0x34, 0x50, 0, 3, 0x67, 0, 0] + [8, 0x9A, 0, 0] * 3 + [0, 1])
    yield "rle4", bmp(8, 6, 4, 2, runs, palette)


def tiff_files():
    picture = Image.fromarray(render(41, 30))
    for mode in ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"]:
        for compression in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
            yield f"{mode}_{compression}", save(picture.convert(mode), "TIFF", compression=compression)
    yield "group4", save(picture.convert("1"), "TIFF", compression="group4")
    clear = numpy.dstack([render(41, 30), noise(41, 30, 1)])
    yield "alpha", save(Image.fromarray(clear, "RGBA"), "TIFF")
    grey = numpy.random.default_rng(5).integers(0, 65536, (9, 11), dtype=numpy.uint16)
    yield "grey16", save(Image.fromarray(grey), "TIFF")
    yield "inverted", save(Image.fromarray(noise(11, 9, 1)[..., 0]), "TIFF", tiffinfo={262: 0})
    yield "planes", save(picture, "TIFF", tiffinfo={284: 1})
    yield "strips", save(picture, "TIFF", strip_size=41 * 3 * 4, compression="tiff_lzw")
    for orientation in range(1, 9):
        yield f"turned{orientation}", save(picture, "TIFF", tiffinfo={274: orientation})


def files():
    """All files: name and bytes."""
    for kind in (png_files, jpeg_files, webp_files, gif_files, bmp_files, tiff_files):
        form = kind.__name__.removesuffix("_files")
        for name, file in kind():
            yield f"{form}_{name}.{form}", file

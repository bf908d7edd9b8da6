"""One drawing: the inside of an SVG to a picture with alpha, by resvg, and a picture to a smaller one."""

import io

import resvg_py
from PIL import Image

SIDE = 96  # of the cut-outs that are trained on


def picture(body, icons, entry, side=2 * SIDE):
    """Draw the inside of an SVG, centred in a square; a Pillow image with alpha."""
    left, top = entry.get("left", 0), entry.get("top", 0)
    width = entry.get("width", icons.get("width", 16))
    height = entry.get("height", icons.get("height", 16))
    return drawn(body, left, top, width, height, side)


def drawn(body, left, top, width, height, side=2 * SIDE):
    largest = max(width, height)
    box = f"{left - (largest - width) / 2} {top - (largest - height) / 2} {largest} {largest}"
    text = (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{side}" height="{side}" viewBox="{box}" color="#000">{body}</svg>')
    data = bytes(resvg_py.svg_to_bytes(svg_string=text, width=side, height=side, skip_system_fonts=True))
    return Image.open(io.BytesIO(data)).convert("RGBA")


def smaller(image, side=SIDE):
    """Pillow's bicubic over premultiplied colours, so that no dark edge appears."""
    return image.convert("RGBa").resize((side, side), Image.Resampling.BICUBIC).convert("RGBA")

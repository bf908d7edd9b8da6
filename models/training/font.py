"""The drawings of a font that lies in pieces, as web fonts do."""

from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

from drawing import drawn


class Font:
    """The outlines of a font that lies in pieces, one set of pieces a weight."""

    def __init__(self, folder):
        self.folder, self.weights = folder, {}

    def glyphs(self, weight):
        """Character -> (font, glyph's name)."""
        made = {}
        for path in sorted(self.folder.glob(f"files/*-{weight}-normal.woff2")):
            font = TTFont(path)
            made |= {point: (font, name) for point, name in font.getBestCmap().items()}
        return made

    def picture(self, name):
        """The drawing of WEIGHT:CODE, or None where the font has none."""
        weight, code = name.split(":")
        if weight not in self.weights:
            self.weights[weight] = self.glyphs(weight)
        font, glyph = self.weights[weight].get(int(code, 16), (None, None))
        if font is None:
            return None
        outlines = font.getGlyphSet()
        bounds, path = BoundsPen(outlines), SVGPathPen(outlines)
        outlines[glyph].draw(bounds)
        outlines[glyph].draw(path)
        if bounds.bounds is None:
            return None
        left, bottom, right, top = bounds.bounds
        room = 0.04 * max(right - left, top - bottom)
        return drawn(f'<path transform="scale(1 -1)" d="{path.getCommands()}"/>', left - room, -top - room,
                     right - left + 2 * room, top - bottom + 2 * room)

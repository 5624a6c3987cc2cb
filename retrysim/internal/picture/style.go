package picture

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palettes are the colours of series. They are those of Okabe and Ito, which people with the
// common kinds of colour blindness can tell apart (https://jfly.uni-koeln.de/color/). The
// lighter ones come first on a dark background.
var palettes = map[Theme][]color.RGBA{
	Light: {
		rgb(0x00, 0x72, 0xB2), rgb(0xD5, 0x5E, 0x00), rgb(0x00, 0x9E, 0x73),
		rgb(0xCC, 0x79, 0xA7), rgb(0x00, 0x00, 0x00), rgb(0xE6, 0x9F, 0x00),
	},
	Dark: {
		rgb(0x56, 0xB4, 0xE9), rgb(0xE6, 0x9F, 0x00), rgb(0x00, 0xC0, 0x8B),
		rgb(0xE3, 0x9A, 0xC5), rgb(0xF0, 0xE4, 0x42), rgb(0xFF, 0xFF, 0xFF),
	},
}

// colors are the colours of everything except series.
type colors struct{ paper, ink, grid, shade color.RGBA }

var themeColors = map[Theme]colors{
	Light: {rgb(0xFF, 0xFF, 0xFF), rgb(0x22, 0x22, 0x22), rgb(0xDD, 0xDD, 0xDD), rgb(0xEE, 0xEE, 0xEE)},
	Dark:  {rgb(0x17, 0x1B, 0x21), rgb(0xE6, 0xE6, 0xE6), rgb(0x3A, 0x40, 0x48), rgb(0x2A, 0x30, 0x38)},
}

func rgb(r, g, b uint8) color.RGBA { return color.RGBA{r, g, b, 0xFF} }

var dashes = [][]vg.Length{nil, {8, 3}, {2, 3}, {9, 3, 2, 3}, {14, 4}, {4, 2}}

var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{},
	draw.SquareGlyph{},
	draw.TriangleGlyph{},
	draw.CrossGlyph{},
	draw.RingGlyph{},
	draw.PlusGlyph{},
}

// style is how a series is drawn.
type style struct {
	color color.RGBA
	dash  []vg.Length
	glyph draw.GlyphDrawer
}

func styleOf(i int, theme Theme) style {
	return style{palettes[theme][i%len(palettes[theme])], dashes[i%len(dashes)], glyphs[i%len(glyphs)]}
}

func (s style) line() draw.LineStyle {
	return draw.LineStyle{Color: s.color, Width: 1.75, Dashes: s.dash}
}

func (s style) bar() draw.LineStyle { return draw.LineStyle{Color: s.withAlpha(0x70), Width: 7} }

func (s style) mark() draw.GlyphStyle {
	return draw.GlyphStyle{Color: s.color, Radius: 3, Shape: s.glyph}
}

func (s style) withAlpha(alpha uint8) color.Color {
	return color.NRGBA{s.color.R, s.color.G, s.color.B, alpha}
}

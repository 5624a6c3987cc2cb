package picture

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// shading is a Shade as a plotter.
type shading struct {
	Shade
	sheet *sheet
}

// Plot fills the part of the axis and writes its label into its upper right corner.
func (s shading) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	from, to := max(x(s.From), c.Min.X), min(x(s.To), c.Max.X)
	c.FillPolygon(s.sheet.ground.shade, []vg.Point{
		{X: from, Y: c.Min.Y}, {X: to, Y: c.Min.Y}, {X: to, Y: c.Max.Y}, {X: from, Y: c.Max.Y},
	})
	style := s.sheet.text(textSize)
	style.XAlign = -1
	c.FillText(style, vg.Point{X: to - 4, Y: c.Max.Y - 2}, s.Label)
}

// level is a Rule as a plotter.
type level struct {
	Rule
	sheet *sheet
}

// Plot draws the level and writes its label above its right end.
func (l level) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	at := y(l.At)
	c.StrokeLine2(draw.LineStyle{Color: l.sheet.ground.ink, Width: 1, Dashes: []vg.Length{1, 2}}, c.Min.X, at, c.Max.X, at)
	style := l.sheet.text(textSize)
	style.XAlign, style.YAlign = -1, 0
	c.FillText(style, vg.Point{X: c.Max.X - 2, Y: at + 2}, l.Label)
}

// DataRange makes the axis reach a little past the level.
func (l level) DataRange() (xmin, xmax, ymin, ymax float64) {
	return math.Inf(1), math.Inf(-1), l.At, l.At * 1.15
}

package picture

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// shadePlotter draws a Shade.
type shadePlotter struct {
	Shade
	drawing *drawing
}

// Plot fills the part of the axis and writes the label into the upper right corner.
func (s shadePlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	from, to := max(x(s.From), c.Min.X), min(x(s.To), c.Max.X)
	c.FillPolygon(s.drawing.colors.shade, []vg.Point{
		{X: from, Y: c.Min.Y}, {X: to, Y: c.Min.Y}, {X: to, Y: c.Max.Y}, {X: from, Y: c.Max.Y},
	})
	style := s.drawing.textStyle(textSize)
	style.XAlign = -1
	c.FillText(style, vg.Point{X: to - 4, Y: c.Max.Y - 2}, s.Label)
}

// rulePlotter draws a Rule.
type rulePlotter struct {
	Rule
	drawing *drawing
}

// Plot draws the line and writes the label above its right end.
func (r rulePlotter) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	at := y(r.At)
	c.StrokeLine2(draw.LineStyle{Color: r.drawing.colors.ink, Width: 1, Dashes: []vg.Length{1, 2}}, c.Min.X, at, c.Max.X, at)
	style := r.drawing.textStyle(textSize)
	style.XAlign, style.YAlign = -1, 0
	c.FillText(style, vg.Point{X: c.Max.X - 2, Y: at + 2}, r.Label)
}

// DataRange makes the axis reach a little beyond the line.
func (r rulePlotter) DataRange() (xmin, xmax, ymin, ymax float64) {
	return math.Inf(1), math.Inf(-1), r.At, r.At * 1.15
}

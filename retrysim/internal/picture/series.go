package picture

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawn is a series in its style, as a plotter.
type drawn struct {
	*Series
	style style
}

// Plot draws the series.
func (d drawn) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := func(px, py float64) vg.Point { return vg.Point{X: x(px), Y: y(py)} }
	switch d.Kind {
	case Line, Marked:
		points := make([]vg.Point, len(d.X))
		for i := range d.X {
			points[i] = at(d.X[i], d.Y[i])
		}
		c.StrokeLines(d.style.line(), c.ClipLinesXY(points)...)
		if d.Kind == Marked {
			d.marks(c, points)
		}
	case Area:
		d.area(c, at)
	case Ranges, Spans:
		points := make([]vg.Point, len(d.X))
		for i := range d.X {
			points[i] = at(d.X[i], d.Y[i])
			low, high := at(d.X[i], d.Low[i]), at(d.X[i], d.High[i])
			if d.Kind == Spans {
				low, high = at(d.Low[i], d.Y[i]), at(d.High[i], d.Y[i])
			}
			c.StrokeLine2(d.style.bar(), low.X, low.Y, high.X, high.Y)
		}
		d.marks(c, points)
	}
}

func (d drawn) marks(c draw.Canvas, points []vg.Point) {
	for _, at := range points {
		c.DrawGlyph(d.style.mark(), at)
	}
}

// area draws steps, each from its X to the next.
func (d drawn) area(c draw.Canvas, at func(x, y float64) vg.Point) {
	if len(d.X) < 2 {
		return
	}
	var outline []vg.Point
	for i := range d.X[:len(d.X)-1] {
		outline = append(outline, at(d.X[i], d.Y[i]), at(d.X[i+1], d.Y[i]))
	}
	last := d.X[len(d.X)-1]
	filled := append([]vg.Point{at(d.X[0], 0)}, outline...)
	c.FillPolygon(d.style.faint(0x60), c.ClipPolygonXY(append(filled, at(last, 0))))
	line := d.style.line()
	line.Dashes, line.Width = nil, 1
	c.StrokeLines(line, c.ClipLinesXY(outline)...)
}

// DataRange returns what the axes must reach over.
func (d drawn) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = bounds(d.X)
	ymin, ymax = bounds(d.Y)
	if d.Low == nil {
		return xmin, xmax, ymin, ymax
	}
	low, _ := bounds(d.Low)
	_, high := bounds(d.High)
	if d.Kind == Spans {
		return math.Min(xmin, low), math.Max(xmax, high), ymin, ymax
	}
	return xmin, xmax, math.Min(ymin, low), math.Max(ymax, high)
}

func bounds(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	return low, high
}

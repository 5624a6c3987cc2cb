package picture

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// seriesPlotter draws a series in its style.
type seriesPlotter struct {
	*Series
	style style
}

// Plot draws the series.
func (s seriesPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := func(px, py float64) vg.Point { return vg.Point{X: x(px), Y: y(py)} }
	switch s.Kind {
	case Line, Marked:
		points := s.points(at)
		c.StrokeLines(s.style.line(), c.ClipLinesXY(points)...)
		if s.Kind == Marked {
			s.drawMarks(c, points)
		}
	case Area:
		s.drawArea(c, at)
	case Ranges, Spans:
		s.drawBars(c, at)
		s.drawMarks(c, s.points(at))
	}
}

// points returns the points of the series on the canvas.
func (s seriesPlotter) points(at func(x, y float64) vg.Point) []vg.Point {
	points := make([]vg.Point, len(s.X))
	for i := range s.X {
		points[i] = at(s.X[i], s.Y[i])
	}
	return points
}

// drawBars draws a bar from Low to High at each point.
func (s seriesPlotter) drawBars(c draw.Canvas, at func(x, y float64) vg.Point) {
	for i := range s.X {
		low, high := at(s.X[i], s.Low[i]), at(s.X[i], s.High[i])
		if s.Kind == Spans {
			low, high = at(s.Low[i], s.Y[i]), at(s.High[i], s.Y[i])
		}
		c.StrokeLine2(s.style.bar(), low.X, low.Y, high.X, high.Y)
	}
}

func (s seriesPlotter) drawMarks(c draw.Canvas, points []vg.Point) {
	for _, at := range points {
		c.DrawGlyph(s.style.mark(), at)
	}
}

// drawArea draws steps, each from its X to the next X.
func (s seriesPlotter) drawArea(c draw.Canvas, at func(x, y float64) vg.Point) {
	if len(s.X) < 2 {
		return
	}
	var outline []vg.Point
	for i := range s.X[:len(s.X)-1] {
		outline = append(outline, at(s.X[i], s.Y[i]), at(s.X[i+1], s.Y[i]))
	}
	last := s.X[len(s.X)-1]
	filled := append([]vg.Point{at(s.X[0], 0)}, outline...)
	c.FillPolygon(s.style.withAlpha(0x60), c.ClipPolygonXY(append(filled, at(last, 0))))
	line := s.style.line()
	line.Dashes, line.Width = nil, 1
	c.StrokeLines(line, c.ClipLinesXY(outline)...)
}

// DataRange returns the range that the axes must cover.
func (s seriesPlotter) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = bounds(s.X)
	ymin, ymax = bounds(s.Y)
	if s.Low == nil {
		return xmin, xmax, ymin, ymax
	}
	low, _ := bounds(s.Low)
	_, high := bounds(s.High)
	if s.Kind == Spans {
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

package picture

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// panel makes the plot of a panel; the last one bears the label of the X axis.
func (s *sheet) panel(panel *Panel, last bool) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = transparent
	s.axis(&p.X, s.X)
	s.axis(&p.Y, panel.Y)
	p.Y.Label.Text = ""
	if !last {
		p.X.Label.Text = ""
	}
	for _, shade := range panel.Shades {
		p.Add(shading{shade, s})
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = s.ground.grid, s.ground.grid
	p.Add(grid)
	for i := range panel.Series {
		p.Add(drawn{&panel.Series[i], styleOf(panel.Series[i].Style, s.theme)})
	}
	for _, rule := range panel.Rules {
		p.Add(level{rule, s})
	}
	limit(&p.X, s.X, headroom)
	if panel.Shades != nil {
		limit(&p.Y, panel.Y, labelRoom)
	} else {
		limit(&p.Y, panel.Y, headroom)
	}
	return p
}

func (s *sheet) axis(a *plot.Axis, from Axis) {
	a.Color, a.Tick.Color = s.ground.ink, s.ground.ink
	a.Label.Text, a.Label.TextStyle.Color = from.Label, s.ground.ink
	a.Label.TextStyle.Font = typeface(textSize)
	a.Tick.Label.Color, a.Tick.Label.Font = s.ground.ink, typeface(textSize)
	a.Tick.Marker = roundNumbers{}
	a.Padding = 2
	if from.Log {
		a.Scale, a.Tick.Marker = logarithmic{}, powers{}
	}
	switch {
	case from.Names != nil:
		var ticks plot.ConstantTicks
		for i, name := range from.Names {
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
		}
		a.Tick.Marker, a.Tick.Length = ticks, 0
	case from.Marks != nil:
		var ticks plot.ConstantTicks
		for _, m := range from.Marks {
			ticks = append(ticks, plot.Tick{Value: m.At, Label: m.Name})
		}
		a.Tick.Marker = ticks
	}
}

// limit sets the ends of the axis where they are given, and else leaves room beyond the data.
func limit(a *plot.Axis, from Axis, room float64) {
	switch {
	case from.Min != 0 || from.Max != 0:
		a.Min, a.Max = from.Min, from.Max
	case from.Names != nil:
		a.Min, a.Max = -0.5, float64(len(from.Names))-0.5
	case from.Log:
		limitLog(a)
	default:
		a.Min = math.Min(a.Min, 0)
		a.Max += (a.Max - a.Min) * room
	}
}

// limitLog gives a logarithmic axis a length, also where there is one value or none.
func limitLog(a *plot.Axis) {
	if !(a.Max > 0) || math.IsInf(a.Max, 0) {
		a.Max = 1
	}
	if !(a.Min > 0) {
		a.Min = a.Max
	}
	if a.Max < 2*a.Min {
		a.Min, a.Max = a.Min/2, a.Max*2
	}
}

// logarithmic is a scale on which values that have no logarithm stand at the lower end.
type logarithmic struct{}

// Normalize returns where x stands between low, 0, and high, 1.
func (logarithmic) Normalize(low, high, x float64) float64 {
	return math.Log(math.Max(x, low)/low) / math.Log(high/low)
}

// Parts of an axis that stay free above what is drawn.
const (
	headroom  = 0.06
	labelRoom = 0.2 // for the label of a shade
)

// roundNumbers puts some four to seven round numbers on an axis.
type roundNumbers struct{}

func (roundNumbers) Ticks(low, high float64) (ticks []plot.Tick) {
	if !(high > low) {
		return []plot.Tick{{Value: low, Label: number(low)}}
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, factor := range []float64{5, 2.5, 2} {
		if step*factor <= (high-low)/3 {
			step *= factor
			break
		}
	}
	for n := math.Ceil(low / step); n*step <= high+step*1e-9; n++ {
		ticks = append(ticks, plot.Tick{Value: n * step, Label: number(n * step)})
	}
	return ticks
}

// powers puts powers of ten on an axis, or of two where there are few of ten.
type powers struct{}

func (powers) Ticks(low, high float64) (ticks []plot.Tick) {
	base := 10.0
	if high/low < 100 {
		base = 2
	}
	for n := math.Ceil(math.Log(low)/math.Log(base) - 1e-9); ; n++ {
		value := math.Pow(base, n)
		if value > high*(1+1e-9) || len(ticks) > 30 {
			return ticks
		}
		ticks = append(ticks, plot.Tick{Value: value, Label: number(value)})
	}
}

// number writes a number with commas between thousands.
func number(x float64) string {
	if math.Abs(x) < 1e-12 {
		return "0"
	}
	digits := strconv.FormatFloat(x, 'f', -1, 64)
	if math.Abs(x) < 1000 {
		return strconv.FormatFloat(x, 'g', 4, 64)
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction == "" || math.Abs(x) >= 10000 {
		return whole
	}
	return whole + "." + fraction[:1]
}

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

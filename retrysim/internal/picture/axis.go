package picture

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

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

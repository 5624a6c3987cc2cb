package picture

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// axis sets the colours, the label and the ticks of an axis.
func (d *drawing) axis(a *plot.Axis, from Axis) {
	a.Color, a.Tick.Color = d.colors.ink, d.colors.ink
	a.Label.Text, a.Label.TextStyle.Color = from.Label, d.colors.ink
	a.Label.TextStyle.Font = typeface(textSize)
	a.Tick.Label.Color, a.Tick.Label.Font = d.colors.ink, typeface(textSize)
	a.Tick.Marker = roundTicks{}
	a.Padding = 2
	if from.Log {
		a.Scale, a.Tick.Marker = logScale{}, powerTicks{}
	}
	switch {
	case from.Names != nil:
		a.Tick.Marker, a.Tick.Length = nameTicks(from.Names), 0
	case from.Marks != nil:
		a.Tick.Marker = markTicks(from.Marks)
	}
}

// nameTicks returns ticks at 0, 1, 2, …
func nameTicks(names []string) (ticks plot.ConstantTicks) {
	for i, name := range names {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
	}
	return ticks
}

func markTicks(marks []Mark) (ticks plot.ConstantTicks) {
	for _, m := range marks {
		ticks = append(ticks, plot.Tick{Value: m.At, Label: m.Name})
	}
	return ticks
}

// setLimits sets the ends of the axis. Unless they are given, it adds room, as a share of the
// length, above the data.
func setLimits(a *plot.Axis, from Axis, room float64) {
	switch {
	case from.Min != 0 || from.Max != 0:
		a.Min, a.Max = from.Min, from.Max
	case from.Names != nil:
		a.Min, a.Max = -0.5, float64(len(from.Names))-0.5
	case from.Log:
		setLogLimits(a)
	default:
		a.Min = math.Min(a.Min, 0)
		a.Max += (a.Max - a.Min) * room
	}
}

// setLogLimits gives a logarithmic axis a length, even if it has one value or none.
func setLogLimits(a *plot.Axis) {
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

// logScale is a logarithmic scale. Values without a logarithm are at its lower end.
type logScale struct{}

// Normalize returns the position of x on an axis on which low is 0 and high is 1.
func (logScale) Normalize(low, high, x float64) float64 {
	return math.Log(math.Max(x, low)/low) / math.Log(high/low)
}

// The free room above the data, as a share of the axis.
const (
	headroom  = 0.06
	labelRoom = 0.2 // for the label of a shade
)

// roundTicks puts about four to seven round numbers on an axis.
type roundTicks struct{}

func (roundTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	if !(high > low) {
		return []plot.Tick{{Value: low, Label: formatNumber(low)}}
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, factor := range []float64{5, 2.5, 2} {
		if step*factor <= (high-low)/3 {
			step *= factor
			break
		}
	}
	for n := math.Ceil(low / step); n*step <= high+step*1e-9; n++ {
		ticks = append(ticks, plot.Tick{Value: n * step, Label: formatNumber(n * step)})
	}
	return ticks
}

// powerTicks puts powers of ten on an axis, or powers of two on a short axis.
type powerTicks struct{}

func (powerTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	base := 10.0
	if high/low < 100 {
		base = 2
	}
	for n := math.Ceil(math.Log(low)/math.Log(base) - 1e-9); ; n++ {
		value := math.Pow(base, n)
		if value > high*(1+1e-9) || len(ticks) > 30 {
			return ticks
		}
		ticks = append(ticks, plot.Tick{Value: value, Label: formatNumber(value)})
	}
}

// formatNumber formats a number with commas between thousands.
func formatNumber(x float64) string {
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

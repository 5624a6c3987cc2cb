// Package picture draws figures: panels under each other, with axes, a legend, colours that a
// colour-blind reader can tell apart and a dash of its own for each series.
package picture

// Figure is what is to be drawn.
type Figure struct {
	Title  string
	X      Axis
	Panels []Panel
	// Legend is the names of the styles from 0 on; none: no legend.
	Legend []string
}

// Axis is a scale.
type Axis struct {
	Label string
	Log   bool
	// Min and Max are the ends of the axis. Where both are 0 the data say.
	Min, Max float64
	// Names are put at 0, 1, 2, … in place of numbers.
	Names []string
	// Marks are put at these places in place of round numbers.
	Marks []Mark
}

// Mark is a named place on an axis.
type Mark struct {
	At   float64
	Name string
}

// Panel is a pair of axes with what is in them. All panels of a figure share the X axis. The
// label of the Y axis stands above it, behind the panel's title.
type Panel struct {
	Title  string
	Y      Axis
	Series []Series
	Shades []Shade
	Rules  []Rule
}

// Kind is how a series is drawn.
type Kind int

// The kinds of series.
const (
	Line   Kind = iota // straight lines from point to point
	Marked             // the same with a mark at each point
	Area               // steps, filled down to zero
	Ranges             // bars from Low to High over each X, with a mark at Y
	Spans              // bars from Low to High along X, at each Y
)

// Series is data with a style.
type Series struct {
	Style     int // index of colour, dash and mark
	Kind      Kind
	X, Y      []float64
	Low, High []float64
}

// Shade is a part of the X axis that stands out.
type Shade struct {
	From, To float64
	Label    string
}

// Rule is a level on the Y axis.
type Rule struct {
	At    float64
	Label string
}

// Theme is the colours of a picture's surroundings.
type Theme int

// The themes.
const (
	Light Theme = iota
	Dark
)

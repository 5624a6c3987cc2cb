// Package picture draws figures as SVG or PNG. A figure has panels below each other, axes and a
// legend. Each series has its own dash, and a colour that colour-blind readers can tell apart.
package picture

// Figure is a picture to draw.
type Figure struct {
	Title  string
	X      Axis
	Panels []Panel
	// Legend lists the names of the styles, from style 0 on. Without names there is no legend.
	Legend []string
}

// Axis is the scale of a panel.
type Axis struct {
	Label string
	Log   bool
	// Min and Max are the ends of the axis. If both are 0, the data determine them.
	Min, Max float64
	// Names replace the numbers 0, 1, 2, …
	Names []string
	// Marks replace the ticks at round numbers.
	Marks []Mark
}

// Mark is a named place on an axis.
type Mark struct {
	At   float64
	Name string
}

// Panel is a plot. All panels of a figure share the X axis. The label of the Y axis is above
// the panel, after the panel's title.
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
	Marked             // lines with a mark at each point
	Area               // steps, filled down to 0
	Ranges             // bars from Low to High over each X, with a mark at Y
	Spans              // bars from Low to High along X, at each Y
)

// Series is data and the style to draw it in.
type Series struct {
	Style     int // index of the colour, the dash and the mark
	Kind      Kind
	X, Y      []float64
	Low, High []float64
}

// Shade is a part of the X axis with a darker background.
type Shade struct {
	From, To float64
	Label    string
}

// Rule is a horizontal line at a value of the Y axis.
type Rule struct {
	At    float64
	Label string
}

// Theme selects the colours of a picture.
type Theme int

// The themes.
const (
	Light Theme = iota
	Dark
)

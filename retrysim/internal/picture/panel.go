package picture

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
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

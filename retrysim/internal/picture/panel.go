package picture

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// panel makes the plot of a panel. Only the last panel has the label of the X axis.
func (d *drawing) panel(panel *Panel, last bool) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = transparent
	d.axis(&p.X, d.X)
	d.axis(&p.Y, panel.Y)
	p.Y.Label.Text = ""
	if !last {
		p.X.Label.Text = ""
	}
	for _, shade := range panel.Shades {
		p.Add(shadePlotter{shade, d})
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = d.colors.grid, d.colors.grid
	p.Add(grid)
	for i := range panel.Series {
		p.Add(seriesPlotter{&panel.Series[i], styleOf(panel.Series[i].Style, d.theme)})
	}
	for _, rule := range panel.Rules {
		p.Add(rulePlotter{rule, d})
	}
	setLimits(&p.X, d.X, headroom)
	if panel.Shades != nil {
		setLimits(&p.Y, panel.Y, labelRoom)
	} else {
		setLimits(&p.Y, panel.Y, headroom)
	}
	return p
}

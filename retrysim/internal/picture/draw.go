package picture

import (
	"bytes"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The sizes, in points. A CSS pixel is three quarters of one.
const (
	pixel       = vg.Length(0.75)
	textSize    = vg.Length(11)
	titleSize   = vg.Length(13)
	lineHeight  = vg.Length(17)
	panelHeight = vg.Length(150)
	margin      = vg.Length(6)
)

// typeface returns the sans-serif font of gonum. Its letters are as wide as those of Arial and
// Helvetica.
func typeface(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// SVG draws the figure. The width is in CSS pixels.
func SVG(f Figure, width int, theme Theme) ([]byte, error) {
	d := newDrawing(f, width, theme)
	canvas := vgsvg.New(d.width, d.height())
	d.draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	// If Liberation Sans is not installed, use a font with letters of the same width.
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), nil
}

// PNG draws the figure with two dots per pixel. The width is in CSS pixels.
func PNG(f Figure, width int, theme Theme) ([]byte, error) {
	d := newDrawing(f, width, theme)
	canvas := vgimg.NewWith(vgimg.UseWH(d.width, d.height()), vgimg.UseDPI(192))
	d.draw(draw.New(canvas))
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(&b)
	return b.Bytes(), err
}

// drawing is a figure that is being drawn.
type drawing struct {
	Figure
	theme  Theme
	colors colors
	width  vg.Length
	title  []string // lines of the title
	legend [][]int  // rows of the legend, as indices into Legend
}

func newDrawing(f Figure, width int, theme Theme) *drawing {
	d := &drawing{Figure: f, theme: theme, colors: themeColors[theme], width: vg.Length(width) * pixel}
	d.title = d.wrap(f.Title, d.textStyle(titleSize))
	d.Legend = nil
	for _, name := range f.Legend {
		d.Legend = append(d.Legend, clip(name, d.textStyle(textSize), d.width-2*margin-sampleWidth-sampleGap))
	}
	d.legend = d.legendRows()
	return d
}

func (d *drawing) textStyle(size vg.Length) text.Style {
	return text.Style{Color: d.colors.ink, Font: typeface(size), Handler: plot.DefaultTextHandler, YAlign: text.YTop}
}

func (d *drawing) top() vg.Length {
	return margin + lineHeight*vg.Length(len(d.title)+len(d.legend)) + margin
}

func (d *drawing) height() vg.Length {
	return d.top() + (panelHeight+lineHeight)*vg.Length(len(d.Panels)) + lineHeight
}

func (d *drawing) draw(c draw.Canvas) {
	c.SetColor(d.colors.paper)
	c.Fill(c.Path())
	y := c.Max.Y - margin
	for _, line := range d.title {
		c.FillText(d.textStyle(titleSize), vg.Point{X: margin, Y: y}, line)
		y -= lineHeight
	}
	for _, row := range d.legend {
		d.drawLegend(c, row, y)
		y -= lineHeight
	}
	d.drawPanels(draw.Crop(c, margin, -margin*2, margin, -d.top()))
}

// wrap breaks a text into lines that fit the width.
func (d *drawing) wrap(words string, style text.Style) (lines []string) {
	for word := range strings.FieldsSeq(words) {
		last := len(lines) - 1
		if last >= 0 && style.Width(lines[last]+" "+word) <= d.width-2*margin {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

const (
	sampleWidth = vg.Length(26) // of the line before a name
	sampleGap   = vg.Length(5)
	legendGap   = vg.Length(12)
)

// entryWidth is the width of an entry of the legend, with the gap that follows.
func (d *drawing) entryWidth(i int) vg.Length {
	return sampleWidth + sampleGap + d.textStyle(textSize).Width(d.Legend[i]) + legendGap
}

// legendRows breaks the legend into rows that fit the width.
func (d *drawing) legendRows() (rows [][]int) {
	var used vg.Length
	for i := range d.Legend {
		if len(rows) == 0 || used+d.entryWidth(i) > d.width-2*margin {
			rows, used = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], i)
		used += d.entryWidth(i)
	}
	return rows
}

func (d *drawing) drawLegend(c draw.Canvas, row []int, y vg.Length) {
	x, middle := margin, y-textSize/2
	for _, i := range row {
		style := styleOf(i, d.theme)
		c.StrokeLine2(style.line(), x, middle, x+sampleWidth, middle)
		c.DrawGlyph(style.mark(), vg.Point{X: x + sampleWidth/2, Y: middle})
		c.FillText(d.textStyle(textSize), vg.Point{X: x + sampleWidth + sampleGap, Y: y}, d.Legend[i])
		x += d.entryWidth(i)
	}
}

// drawPanels draws the panels below each other, with their axes aligned.
func (d *drawing) drawPanels(c draw.Canvas) {
	column := make([][]*plot.Plot, len(d.Panels))
	for i := range d.Panels {
		column[i] = []*plot.Plot{d.panel(&d.Panels[i], i == len(d.Panels)-1)}
	}
	tiles := draw.Tiles{Rows: len(column), Cols: 1, PadY: lineHeight + 4, PadTop: lineHeight + 4}
	for i, area := range plot.Align(column, tiles, c) {
		column[i][0].Draw(area[0])
		d.drawHeading(c, &d.Panels[i], area[0].Max.Y)
	}
}

// drawHeading writes the panel's title and the label of its Y axis above the panel.
func (d *drawing) drawHeading(c draw.Canvas, p *Panel, y vg.Length) {
	heading := p.Y.Label
	if p.Title != "" {
		heading = p.Title + ": " + heading
	}
	style := d.textStyle(textSize)
	style.YAlign = text.YBottom
	c.FillText(style, vg.Point{X: c.Min.X, Y: y + 3}, clip(heading, style, c.Max.X-c.Min.X))
}

// clip shortens a text to the width.
func clip(line string, style text.Style, width vg.Length) string {
	if style.Width(line) <= width {
		return line
	}
	runes := []rune(line)
	for len(runes) > 0 && style.Width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

var transparent = color.NRGBA{}

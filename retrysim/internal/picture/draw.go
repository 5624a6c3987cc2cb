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

// typeface is the sans-serif of gonum, whose widths are Arial's and Helvetica's.
func typeface(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// SVG draws the figure, so many CSS pixels wide.
func SVG(f Figure, width int, theme Theme) ([]byte, error) {
	s := newSheet(f, width, theme)
	canvas := vgsvg.New(s.width, s.height())
	s.draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	// Where Liberation Sans is not installed, fonts of the same widths stand in.
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), nil
}

// PNG draws the figure, so many CSS pixels wide, at two dots a pixel.
func PNG(f Figure, width int, theme Theme) ([]byte, error) {
	s := newSheet(f, width, theme)
	canvas := vgimg.NewWith(vgimg.UseWH(s.width, s.height()), vgimg.UseDPI(192))
	s.draw(draw.New(canvas))
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(&b)
	return b.Bytes(), err
}

// sheet is a figure on its way to paper.
type sheet struct {
	Figure
	theme  Theme
	ground ground
	width  vg.Length
	title  []string // lines
	legend [][]int  // rows of indices of Legend
}

func newSheet(f Figure, width int, theme Theme) *sheet {
	s := &sheet{Figure: f, theme: theme, ground: grounds[theme], width: vg.Length(width) * pixel}
	s.title = s.wrap(f.Title, s.text(titleSize))
	s.Legend = nil
	for _, name := range f.Legend {
		s.Legend = append(s.Legend, clip(name, s.text(textSize), s.width-2*margin-sampleWidth-sampleGap))
	}
	s.legend = s.legendRows()
	return s
}

func (s *sheet) text(size vg.Length) text.Style {
	return text.Style{Color: s.ground.ink, Font: typeface(size), Handler: plot.DefaultTextHandler, YAlign: text.YTop}
}

func (s *sheet) top() vg.Length {
	return margin + lineHeight*vg.Length(len(s.title)+len(s.legend)) + margin
}

func (s *sheet) height() vg.Length {
	return s.top() + (panelHeight+lineHeight)*vg.Length(len(s.Panels)) + lineHeight
}

func (s *sheet) draw(c draw.Canvas) {
	c.SetColor(s.ground.paper)
	c.Fill(c.Path())
	y := c.Max.Y - margin
	for _, line := range s.title {
		c.FillText(s.text(titleSize), vg.Point{X: margin, Y: y}, line)
		y -= lineHeight
	}
	for _, row := range s.legend {
		s.drawLegend(c, row, y)
		y -= lineHeight
	}
	s.drawPanels(draw.Crop(c, margin, -margin*2, margin, -s.top()))
}

// wrap breaks a text into lines that fit the width.
func (s *sheet) wrap(words string, style text.Style) (lines []string) {
	for word := range strings.FieldsSeq(words) {
		last := len(lines) - 1
		if last >= 0 && style.Width(lines[last]+" "+word) <= s.width-2*margin {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

const (
	sampleWidth = vg.Length(26) // of a line in the legend
	sampleGap   = vg.Length(5)
	legendGap   = vg.Length(12)
)

// entryWidth is what an entry of the legend takes.
func (s *sheet) entryWidth(i int) vg.Length {
	return sampleWidth + sampleGap + s.text(textSize).Width(s.Legend[i]) + legendGap
}

// legendRows breaks the legend into rows that fit the width.
func (s *sheet) legendRows() (rows [][]int) {
	var used vg.Length
	for i := range s.Legend {
		if len(rows) == 0 || used+s.entryWidth(i) > s.width-2*margin {
			rows, used = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], i)
		used += s.entryWidth(i)
	}
	return rows
}

func (s *sheet) drawLegend(c draw.Canvas, row []int, y vg.Length) {
	x, middle := margin, y-textSize/2
	for _, i := range row {
		look := styleOf(i, s.theme)
		c.StrokeLine2(look.line(), x, middle, x+sampleWidth, middle)
		c.DrawGlyph(look.mark(), vg.Point{X: x + sampleWidth/2, Y: middle})
		c.FillText(s.text(textSize), vg.Point{X: x + sampleWidth + sampleGap, Y: y}, s.Legend[i])
		x += s.entryWidth(i)
	}
}

// drawPanels draws the panels under each other, their axes aligned.
func (s *sheet) drawPanels(c draw.Canvas) {
	column := make([][]*plot.Plot, len(s.Panels))
	for i := range s.Panels {
		column[i] = []*plot.Plot{s.panel(&s.Panels[i], i == len(s.Panels)-1)}
	}
	tiles := draw.Tiles{Rows: len(column), Cols: 1, PadY: lineHeight + 4, PadTop: lineHeight + 4}
	for i, area := range plot.Align(column, tiles, c) {
		column[i][0].Draw(area[0])
		s.drawHeading(c, &s.Panels[i], area[0].Max.Y)
	}
}

// drawHeading writes a panel's title and the label of its Y axis above it.
func (s *sheet) drawHeading(c draw.Canvas, p *Panel, y vg.Length) {
	heading := p.Y.Label
	if p.Title != "" {
		heading = p.Title + ": " + heading
	}
	style := s.text(textSize)
	style.YAlign = text.YBottom
	c.FillText(style, vg.Point{X: c.Min.X, Y: y + 3}, clip(heading, style, c.Max.X-c.Min.X))
}

// clip cuts a text to the width.
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

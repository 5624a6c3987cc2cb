package report

import (
	"bytes"
	"embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
)

// Text writes the table and the notes for people.
func (r Report) Text(w io.Writer) error {
	widths := r.columnWidths()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Title)
	writeLine(&b, widths, func(i int) string { return r.Columns[i].Heading })
	for _, row := range r.Rows {
		writeLine(&b, widths, func(i int) string { return row[i].Text })
	}
	if r.Notes != nil {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(r.Notes, "\n"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// columnWidths returns the width of each column in characters.
func (r Report) columnWidths() []int {
	widths := make([]int, len(r.Columns))
	for i, c := range r.Columns {
		widths[i] = utf8.RuneCountInString(c.Heading)
		for _, row := range r.Rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].Text))
		}
	}
	return widths
}

// writeLine writes a line of the table. The first column is aligned left, the others right.
func writeLine(b *strings.Builder, widths []int, cell func(i int) string) {
	for i, width := range widths {
		text := cell(i)
		gap := strings.Repeat(" ", width-utf8.RuneCountInString(text))
		if i == 0 {
			b.WriteString(text + gap)
		} else {
			b.WriteString("  " + gap + text)
		}
	}
	b.WriteByte('\n')
}

// CSV writes the table for programs. The first line has the names of the columns.
func (r Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	record := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		record[i] = c.Name
	}
	_ = out.Write(record) // Error reports it below
	for _, row := range r.Rows {
		for i, cell := range row {
			record[i] = cell.Raw
		}
		_ = out.Write(record)
	}
	out.Flush()
	return out.Error()
}

// MarshalJSON returns an array with an object for each row. Its keys are the names of the
// columns, in the order of the columns.
func (r Report) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for n, row := range r.Rows {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for i, cell := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%q:%s", r.Columns[i].Name, cell.json())
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

// json returns the value as JSON: a string, a number, or null for a number without a value.
func (c Cell) json() []byte {
	switch {
	case !c.Number:
		text, _ := json.Marshal(c.Raw) //nolint:errchkjson // a string
		return text
	case c.Raw == "":
		return []byte("null")
	}
	return []byte(c.Raw)
}

// JSON writes the result of MarshalJSON with indentation.
func (r Report) JSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(r)
}

// DefaultWidth is the width of a picture in CSS pixels. It suits a README.
const DefaultWidth = 560

// SVG writes the picture.
func (r Report) SVG(w io.Writer) error {
	svg, err := picture.SVG(r.Figure, DefaultWidth, picture.Light)
	if err == nil {
		_, err = w.Write(svg)
	}
	return err
}

// PNG writes the picture.
func (r Report) PNG(w io.Writer) error {
	png, err := picture.PNG(r.Figure, DefaultWidth, picture.Light)
	if err == nil {
		_, err = w.Write(png)
	}
	return err
}

//go:embed report.html
var files embed.FS

var pages = template.Must(template.ParseFS(files, "report.html"))

// HTML writes a page with the picture and the table. It needs no other file.
func (r Report) HTML(w io.Writer) error {
	svg, err := picture.SVG(r.Figure, DefaultWidth, picture.Light)
	if err != nil {
		return err
	}
	_, drawing, _ := strings.Cut(string(svg), "?>") // HTML has no XML declaration
	return pages.ExecuteTemplate(w, "report.html", struct {
		Report
		Drawing template.HTML
	}{r, template.HTML(drawing)}) //nolint:gosec // the SVG writer escapes texts
}

const formatCSV = "csv"

// Formats lists the formats of standard output, and Endings those of files.
var (
	Formats = []string{"text", formatCSV, "json"}
	Endings = []string{"svg", "png", "html", formatCSV}
)

// Write writes the report in a format of Formats or Endings.
func (r Report) Write(w io.Writer, format string) error {
	write := map[string]func(io.Writer) error{
		"text": r.Text, formatCSV: r.CSV, "json": r.JSON,
		"svg": r.SVG, "png": r.PNG, "html": r.HTML,
	}[format]
	if write == nil {
		return fmt.Errorf("%q is not a format", format)
	}
	return write(w)
}

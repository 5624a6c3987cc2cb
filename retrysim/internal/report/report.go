// Package report runs the models for people: it reads policies from text, and makes of the
// results a table and a picture that can be written in several formats.
package report

import (
	"strconv"
	"time"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
)

// Report is what a command found out.
type Report struct {
	Command string
	Title   string
	Columns []Column
	Rows    [][]Cell
	Notes   []string
	Figure  picture.Figure
}

// Names that are a column's and its heading, and some a flag's too.
const (
	colPolicy  = "policy"
	colClients = "clients"
	colLayers  = "layers"
	colRetry   = "retry"
)

// Column has the name for machines and the heading for people.
type Column struct{ Name, Heading string }

// Cell is a value: for people, and for machines. Where there is none both are empty.
type Cell struct {
	Text   string
	Raw    string
	Number bool
}

func name(s string) Cell { return Cell{Text: s, Raw: s} }

func number(x float64, decimals int, unit string) Cell {
	return Cell{Text: grouped(x, decimals) + unit, Raw: raw(x), Number: true}
}

func count(n int) Cell { return number(float64(n), 0, "") }

func share(x float64) Cell {
	return Cell{Text: strconv.FormatFloat(100*x, 'f', 1, 64) + " %", Raw: raw(x), Number: true}
}

// millis is a time: as people write it, and in milliseconds.
func millis(d time.Duration) Cell {
	return Cell{Text: short(d), Raw: raw(float64(d) / float64(time.Millisecond)), Number: true}
}

// raw writes a number with at most six decimals and no more than it needs.
func raw(x float64) string {
	text := strconv.FormatFloat(x, 'f', 6, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}

// grouped writes a number with commas between thousands.
func grouped(x float64, decimals int) string {
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	whole := len(text)
	if decimals > 0 {
		whole -= decimals + 1
	}
	for i := whole - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// short writes a duration with at most three figures that matter.
func short(d time.Duration) string {
	unit := time.Duration(1)
	for unit*1000 <= d && unit < 100*time.Millisecond {
		unit *= 10
	}
	return d.Round(unit).String()
}

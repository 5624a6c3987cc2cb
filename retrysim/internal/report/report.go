// Package report runs the models of package sim for people. It parses policies and flags, and
// turns results into a table and a picture. A [Report] can be written in several formats.
package report

import (
	"strconv"
	"time"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
)

// Report is the output of a command.
type Report struct {
	Command string
	Title   string
	Columns []Column
	Rows    [][]Cell
	Notes   []string
	Figure  picture.Figure
}

// Names of columns that are also their headings. Some are also names of flags.
const (
	colPolicy  = "policy"
	colClients = "clients"
	colLayers  = "layers"
	colRetry   = "retry"
)

// Column has a name for programs and a heading for people.
type Column struct{ Name, Heading string }

// Cell is a value as text for people, and as raw text for programs. Raw is empty if there is
// no value.
type Cell struct {
	Text   string
	Raw    string
	Number bool
}

func textCell(s string) Cell { return Cell{Text: s, Raw: s} }

func numberCell(x float64, decimals int, unit string) Cell {
	return Cell{Text: withCommas(x, decimals) + unit, Raw: rawNumber(x), Number: true}
}

func countCell(n int) Cell { return numberCell(float64(n), 0, "") }

// percentCell is a share: a percentage for people, and from 0 to 1 for programs.
func percentCell(x float64) Cell {
	return Cell{Text: strconv.FormatFloat(100*x, 'f', 1, 64) + " %", Raw: rawNumber(x), Number: true}
}

// durationCell is a duration: rounded for people, and in milliseconds for programs.
func durationCell(d time.Duration) Cell {
	return Cell{Text: rounded(d), Raw: rawNumber(float64(d) / float64(time.Millisecond)), Number: true}
}

// rawNumber formats a number with at most six decimals and no trailing zeros.
func rawNumber(x float64) string {
	text := strconv.FormatFloat(x, 'f', 6, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}

// withCommas formats a number with commas between thousands.
func withCommas(x float64, decimals int) string {
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

// rounded formats a duration with three significant figures, or to a tenth of a second if it
// is longer than 100 seconds.
func rounded(d time.Duration) string {
	unit := time.Duration(1)
	for unit*1000 <= d && unit < 100*time.Millisecond {
		unit *= 10
	}
	return d.Round(unit).String()
}

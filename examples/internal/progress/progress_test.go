package progress

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/schollz/progressbar/v3"
	"github.com/stretchr/testify/assert"
)

// screen is a terminal that knows what the bar sends: "\r", "\n", and the codes that clear a line or
// the rest of it. It has the bar and the program's output, as the user's terminal has.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// lines returns what the user sees.
func (s *screen) lines(t *testing.T) (lines []string) {
	t.Helper()
	var line []rune
	column := 0
	text := strings.NewReplacer("\033[2K", "\x01", "\033[0K", "\x02").Replace(s.text.String())
	for _, c := range text {
		switch c {
		case '\n':
			lines = append(lines, strings.TrimRight(string(line), " "))
			line, column = nil, 0
		case '\r':
			column = 0
		case '\x01':
			line = []rune(strings.Repeat(" ", column))
		case '\x02':
			line = line[:column]
		case '\033':
			t.Fatal("a code that the screen does not know")
		default:
			line = append(line[:column], append([]rune{c}, line[min(column+1, len(line)):]...)...)
			column++
		}
	}
	return append(lines, strings.TrimRight(string(line), " "))
}

// Lines that are written while the bar moves are whole, and the bar is below them.
func TestLinesAreWhole(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]progressbar.Option{
		"steps": progressbar.OptionShowIts(), "bytes": progressbar.OptionShowBytes(true),
	} {
		var s screen
		bar := newBar(10, &s, unit)
		out := bar.Writer(&s)
		var want []string
		for n := range 9 {
			bar.Add(1)
			fmt.Fprintln(out, "item", n)
			want = append(want, fmt.Sprint("item ", n))
		}
		lines := s.lines(t)
		assert.Equal(t, want, lines[:9], name)
		assert.Contains(t, lines[9], "90%", name)

		bar.Close()
		bar.Add(1)
		fmt.Fprintln(out, "9 items")
		lines = s.lines(t)
		assert.Equal(t, append(want, "9 items", ""), lines, name)
	}
}

// A bar that is full removes itself.
func TestFull(t *testing.T) {
	t.Parallel()
	var s screen
	bar := newBar(2, &s, progressbar.OptionShowIts())
	out := bar.Writer(&s)
	bar.Set(1)
	bar.Set(2)
	fmt.Fprintln(out, "done")
	bar.Close()
	fmt.Fprintln(out, "bye")
	assert.Equal(t, []string{"done", "bye", ""}, s.lines(t))
}

// Standard error is no terminal here: only the output is left.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, bar := range []*Bar{New(2), NewBytes(2)} {
		bar.Set(1)
		fmt.Fprint(bar.Writer(&out), "line\n")
		bar.Add(1)
		bar.Close()
	}
	assert.Equal(t, "line\nline\n", out.String())
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	var s screen
	bar := newBar(100, &s, progressbar.OptionShowIts())
	out := bar.Writer(&s)
	var writers sync.WaitGroup
	for range 10 {
		writers.Go(func() {
			for range 10 {
				bar.Add(1)
				fmt.Fprintln(out, "a line")
			}
		})
	}
	writers.Wait()
	bar.Close()
	lines := s.lines(t)
	assert.Len(t, lines, 101)
	for _, line := range lines[:100] {
		assert.Equal(t, "a line", line)
	}
}

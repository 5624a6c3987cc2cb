package main

import (
	"cmp"
	"errors"
	"slices"

	"github.com/seed-205ff063/retry"
)

// errUndone is why an attempt failed that the bank answered: it did not take all rows.
var errUndone = errors.New("the bank took it at no attempt")

// chunk is an item: some rows, and what became of them so far. One worker at a time has it.
type chunk struct {
	pending  []row
	refused  []letter
	sent     int
	answered bool  // by the bank, at an attempt at least
	last     int   // line
	end      int64 // the byte behind it
}

// letter is a row that was not sent.
type letter struct {
	row
	why string
}

func (c *chunk) refuse(r row, why error) { c.refused = append(c.refused, letter{r, why.Error()}) }

// blames reports whether the chunk failed because of rows in it: the bank was there, and whenever it
// answered took others of the chunk, or none, but not those.
func (c *chunk) blames(err error) bool {
	var failed *retry.Error
	return errors.As(err, &failed) && failed.Reason == retry.ErrExhausted && c.answered
}

// letters returns the dead letters once the chunk is settled, in the order of the file.
func (c *chunk) letters(err error) []letter {
	if err != nil {
		for _, r := range c.pending {
			c.refuse(r, errUndone)
		}
	}
	slices.SortFunc(c.refused, func(a, b letter) int { return cmp.Compare(a.line, b.line) })
	return c.refused
}

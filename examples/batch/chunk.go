package main

import (
	"cmp"
	"errors"
	"slices"
)

// maxSends is how often a row may be sent before it is a dead letter.
const maxSends = 5

var (
	errIncomplete = errors.New("the bank did not take all rows") // of an attempt
	errNeverTaken = errors.New("the bank never took it")         // of a row
)

// chunk is an item of the pool: some rows and their state. One worker at a time has it.
type chunk struct {
	pending []row
	refused []deadLetter
	sent    int
	last    int   // number of its last line
	end     int64 // offset after that line
}

// deadLetter is a row that was not sent.
type deadLetter struct {
	row
	why string
}

func (c *chunk) refuse(r row, why error) { c.refused = append(c.refused, deadLetter{r, why.Error()}) }

// deadLetters returns the dead letters of a settled chunk, in the order of the file.
func (c *chunk) deadLetters() []deadLetter {
	slices.SortFunc(c.refused, func(a, b deadLetter) int { return cmp.Compare(a.line, b.line) })
	return c.refused
}

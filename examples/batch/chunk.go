package main

import (
	"cmp"
	"errors"
	"slices"
)

// tries is how often the bank may say of a row that it is to be sent again.
const tries = 5

var (
	errUndone = errors.New("the bank did not take all rows") // why an attempt failed
	errTries  = errors.New("the bank took it at no attempt") // why a row is given up
)

// chunk is an item: some rows, and what became of them so far. One worker at a time has it.
type chunk struct {
	pending []row
	refused []letter
	sent    int
	last    int   // line
	end     int64 // the byte behind it
}

// letter is a row that was not sent.
type letter struct {
	row
	why string
}

func (c *chunk) refuse(r row, why error) { c.refused = append(c.refused, letter{r, why.Error()}) }

// letters returns the dead letters once the chunk is settled, in the order of the file.
func (c *chunk) letters() []letter {
	slices.SortFunc(c.refused, func(a, b letter) int { return cmp.Compare(a.line, b.line) })
	return c.refused
}

// Package gallery has the pictures of the documentation. Each is made by the models and the
// real policies, with fixed seeds, so that anybody can make them again.
package gallery

import (
	"context"
	"fmt"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Width is that of all pictures in CSS pixels: narrow enough that the text can be read on a
// phone, which shrinks them.
const Width = 460

// Picture is a file and how it is made.
type Picture struct {
	File string
	Make func(ctx context.Context) (picture.Figure, error)
}

// SVG draws the picture.
func (p Picture) SVG(ctx context.Context) ([]byte, error) {
	f, err := p.Make(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.File, err)
	}
	return picture.SVG(f, Width, picture.Light)
}

// All are the pictures of the documentation.
var All = []Picture{
	{"herd-jitter.svg", herdJitter},
	{"strategies.svg", strategies},
	{"jitter-ranges.svg", jitterRanges},
	{"cap.svg", capTrap},
	{"budget.svg", budget},
	{"layers.svg", layers},
	{"occ.svg", competition},
	{"default-plan.svg", defaultPlan},
	{"metastable.svg", metastable},
}

const seed = 1

// policy makes a policy of its name and its text.
func policy(name, text string) sim.Policy {
	var p retry.Policy
	if err := p.UnmarshalText([]byte(text)); err != nil {
		panic(err) // a text in this package
	}
	return sim.Policy{Name: name, Policy: &p}
}

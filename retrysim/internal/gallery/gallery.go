// Package gallery makes the pictures of the documentation. The models and the real policies
// produce them with fixed seeds, so everybody gets the same pictures.
package gallery

import (
	"context"
	"fmt"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/internal/picture"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Width is the width of all pictures in CSS pixels. It is small, so that the text stays readable
// when a phone shrinks the picture.
const Width = 460

// Picture is a file and the function that makes its figure.
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

// All lists the pictures of the documentation.
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

// policy parses the text of a policy.
func policy(name, text string) sim.Policy {
	var p retry.Policy
	if err := p.UnmarshalText([]byte(text)); err != nil {
		panic(err) // all texts are constants in this package
	}
	return sim.Policy{Name: name, Policy: &p}
}

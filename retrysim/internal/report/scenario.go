package report

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Scenario is everything about a simulation but the policies.
type Scenario struct {
	PlanRetries int
	Herd        sim.Herd
	OCC         sim.OCC
	Outage      sim.Outage
}

// Scenario reads the values that are given by name; the others have their defaults. An error
// names each value that makes no sense.
func (c Command) Scenario(given func(name string) (value string, ok bool)) (Scenario, error) {
	var s Scenario
	var faults []error
	for _, p := range c.Params {
		value, ok := given(p.Name)
		if !ok {
			value = p.Default
		}
		if err := p.set(&s, value); err != nil {
			faults = append(faults, fmt.Errorf("-%s: %w", p.Name, err))
		}
	}
	return s, errors.Join(faults...)
}

// flagOf names the flags that set the fields of the models.
var flagOf = map[string]string{"Rate": "rps"}

// Explain makes errors of models speak of flags.
func Explain(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the list itself
		var all []error
		for _, one := range several.Unwrap() {
			all = append(all, Explain(one))
		}
		return errors.Join(all...)
	}
	var field *sim.FieldError
	if !errors.As(err, &field) {
		return err
	}
	flag, ok := flagOf[field.Field]
	if !ok {
		flag = strings.ToLower(field.Field)
	}
	return fmt.Errorf("-%s: %s", flag, field.Problem)
}

// Watch makes the models report their progress.
func (s *Scenario) Watch(progress func(done, total int)) {
	s.Herd.Progress, s.OCC.Progress, s.Outage.Progress = progress, progress, progress
}

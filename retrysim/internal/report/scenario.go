package report

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Scenario is the input of a command, without the policies.
type Scenario struct {
	PlanRetries int
	Herd        sim.Herd
	OCC         sim.OCC
	Outage      sim.Outage
}

// Scenario builds a scenario from the values that the function returns. Parameters without a
// value have their defaults. The error names each value that is invalid.
func (c Command) Scenario(valueOf func(name string) (value string, ok bool)) (Scenario, error) {
	var s Scenario
	var errs []error
	for _, p := range c.Params {
		value, ok := valueOf(p.Name)
		if !ok {
			value = p.Default
		}
		if err := p.set(&s, value); err != nil {
			errs = append(errs, fmt.Errorf("-%s: %w", p.Name, err))
		}
	}
	return s, errors.Join(errs...)
}

// Watch makes the models report their progress.
func (s *Scenario) Watch(progress func(done, total int)) {
	s.Herd.Progress, s.OCC.Progress, s.Outage.Progress = progress, progress, progress
}

// flagNames maps fields of models to flags, where the flag is not the field in lower case.
var flagNames = map[string]string{"Rate": "rps"}

// Explain replaces the fields of models in an error by the flags that set them.
func Explain(err error) error {
	if list, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // only a list at the top
		var all []error
		for _, e := range list.Unwrap() {
			all = append(all, Explain(e))
		}
		return errors.Join(all...)
	}
	var field *sim.FieldError
	if !errors.As(err, &field) {
		return err
	}
	flag, ok := flagNames[field.Field]
	if !ok {
		flag = strings.ToLower(field.Field)
	}
	return fmt.Errorf("-%s: %s", flag, field.Problem)
}

package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
)

// ErrModel matches the error of a model with a field that is out of its bounds.
var ErrModel = errors.New("retrysim: the model cannot be run")

// FieldError reports a field of a model that is out of its bounds. It matches [ErrModel].
type FieldError struct {
	Field   string // such as "Clients"
	Problem string // the value and its bounds
}

// Error returns the field and the problem.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Is reports whether target is ErrModel.
func (e *FieldError) Is(target error) bool { return target == ErrModel }

func fieldError(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

func fieldErrorIf(invalid bool, field, format string, args ...any) error {
	if invalid {
		return fieldError(field, format, args...)
	}
	return nil
}

// Policy is a policy to simulate. The model replaces its clock, its source of random numbers
// and its history size.
type Policy struct {
	// Name labels the results.
	Name string
	// Policy makes the decisions. The default, nil, is the library's default policy.
	Policy *retry.Policy
	// Extend returns options to add to the policy for one run of a model. It receives the run's
	// source of random numbers. Use it for a strategy of your own that draws from this source,
	// and for gates and limits that keep state. It may be called from several goroutines at
	// once, each time with another source. The default, nil, adds nothing.
	Extend func(r *rand.Rand) []retry.Option
}

// forRun returns the policy for one run of a model, with the clock and the random numbers of
// the run. The policy overrides the options in first; the options in last override the policy.
func (p Policy) forRun(c retry.Clock, r *rand.Rand, first, last []retry.Option) (*retry.Policy, error) {
	opts := append([]retry.Option{}, first...)
	opts = append(opts, p.Policy)
	if p.Extend != nil {
		opts = append(opts, p.Extend(r)...)
	}
	opts = append(opts, last...)
	opts = append(opts, retry.WithClock(c), retry.WithRand(r.Float64), retry.WithHistorySize(0))
	policy, err := retry.New(opts...)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", p.Name, err)
	}
	return policy, nil
}

// maxDelay returns the policy's max_delay, which may be a default, and whether it has one. It
// does not see the default caps of the members of a chain.
func (p Policy) maxDelay() (time.Duration, bool) {
	unnamed, err := retry.New(p.Policy, retry.WithName("")) // a name may contain "max_delay="
	if err != nil {
		return 0, false
	}
	for setting := range strings.FieldsSeq(unnamed.String()) {
		if value, ok := strings.CutPrefix(setting, "max_delay="); ok {
			d, err := time.ParseDuration(value)
			return d, err == nil
		}
	}
	return 0, false
}

// newRand returns a source of random numbers. The streams of a seed are independent.
func newRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// errSimulated is the error of a simulated attempt.
var errSimulated = errors.New("simulated failure")

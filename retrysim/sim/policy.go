package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
)

// ErrModel is matched by the error of a model whose numbers make no sense.
var ErrModel = errors.New("retrysim: the model cannot be run")

// FieldError says which field of a model is out of its bounds. It matches [ErrModel].
type FieldError struct {
	Field   string // such as "Clients"
	Problem string // what it is and what it may be
}

// Error names the field and says what is wrong with it.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Is reports whether target is ErrModel.
func (e *FieldError) Is(target error) bool { return target == ErrModel }

func fault(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// faultIf is fault where there is one.
func faultIf(is bool, field, format string, args ...any) error {
	if is {
		return fault(field, format, args...)
	}
	return nil
}

// Policy is a policy to simulate. The policy's own clock, source of random numbers and history
// size are replaced by the model's.
type Policy struct {
	// Name labels the results.
	Name string
	// Policy decides. Nil is the library's defaults.
	Policy *retry.Policy
	// Extend returns options to add to the policy in one run of a model. It gets the run's
	// source of random numbers: for strategies of one's own that draw them, and for gates and
	// limits that keep state. It may be called from several goroutines at once, each call with
	// its own source. Nil adds none.
	Extend func(r *rand.Rand) []retry.Option
}

// in returns the policy for one run of a model: with the run's clock and random numbers, over
// what first says and under what last says.
func (p Policy) in(c retry.Clock, r *rand.Rand, first, last []retry.Option) (*retry.Policy, error) {
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

// cap returns the policy's max_delay, whether set or by default, and whether it has one. The
// default caps of the members of a chain are not seen.
func (p Policy) cap() (time.Duration, bool) {
	unnamed, err := retry.New(p.Policy, retry.WithName(""))
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

// random returns the numbered source of random numbers of a seed.
func random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// errSimulated is why a simulated attempt failed.
var errSimulated = errors.New("simulated failure")

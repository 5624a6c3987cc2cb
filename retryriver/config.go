package retryriver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-205ff063/retry"
)

// Config says how a [Retrier] decides. The zero value works: the default policy for every job.
type Config struct {
	// Policy says what is retried and how. It must have no validators, because a worker returns
	// no value.
	// The default is that of package retry: 5 attempts.
	Policy *retry.Policy
	// Kinds has policies for kinds of jobs, in place of Policy. The key is what the Kind method of
	// the job's arguments returns. A nil policy stands for the defaults of package retry.
	// The default is none.
	Kinds map[string]*retry.Policy
	// Redact returns what may be stored and logged of an error. It is asked for the errors of
	// workers and for the values they panic with. These errors then reach the policy's hooks and
	// classifiers and River's ErrorHandler in a wrapper with that text; errors.Is and errors.As
	// see through it, == does not. It must be safe for concurrent use.
	// The default is the error's text as retry.ErrorText shows it.
	Redact func(err error) string
}

// Retrier decides for a River client what follows a failed attempt of a job. Make one with [New]
// and give it to the client's configuration with [Retrier.Install]. It is safe for concurrent use,
// and several clients may share it.
type Retrier struct {
	policy *retry.Policy
	kinds  map[string]*retry.Policy
	redact func(err error) string
}

// New returns the Retrier of the configuration, or an error that names everything that is wrong
// with it and matches retry.ErrOption.
func New(c Config) (*Retrier, error) {
	faults := checkPolicy("Config.Policy", c.Policy)
	for _, kind := range slices.Sorted(maps.Keys(c.Kinds)) {
		faults = append(faults, checkKind(kind, c.Kinds[kind])...)
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	return &Retrier{c.Policy, maps.Clone(c.Kinds), c.Redact}, nil
}

// fault is one thing that is wrong with a Config.
type fault struct{ field, problem string }

func (f fault) Error() string        { return "retryriver: " + f.field + ": " + f.problem }
func (f fault) Is(target error) bool { return target == retry.ErrOption }

func checkKind(kind string, p *retry.Policy) []error {
	faults := checkPolicy(fmt.Sprintf("Config.Kinds[%q]", kind), p)
	if kind == "" {
		faults = append(faults, fault{"Config.Kinds", "an empty kind matches no job; use Config.Policy for all of them"})
	}
	return faults
}

// checkPolicy returns what keeps the policy from being used for functions without a value.
func checkPolicy(field string, p *retry.Policy) (faults []error) {
	// A step without a function runs nothing and says everything that is wrong with it, the
	// missing function last.
	run := p.Start(context.Background())
	run.Try(nil)
	var all interface{ Unwrap() []error }
	if !errors.As(run.Err(), &all) {
		return nil
	}
	found := all.Unwrap()
	for _, err := range found[:len(found)-1] {
		faults = append(faults, fmt.Errorf("retryriver: %s: %w", field, err))
	}
	return faults
}

// policyOf returns the policy for jobs of the kind.
func (r *Retrier) policyOf(kind string) *retry.Policy {
	if p, ok := r.kinds[kind]; ok {
		return p
	}
	return r.policy
}

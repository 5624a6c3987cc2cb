package retryriver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-205ff063/retry"
)

// Config says how a [Retrier] decides. The zero value is ready to use: every job has the policy of
// package retry.
type Config struct {
	// Policy says what is retried and how. It must not have validators, because a worker
	// returns no value.
	// The default is the policy of package retry: 5 attempts.
	Policy *retry.Policy
	// Kinds has policies for kinds of jobs, in place of Policy. A key is what the Kind method of
	// the job's arguments returns. A nil policy has the defaults of package retry.
	// The default is none.
	Kinds map[string]*retry.Policy
	// Redact returns the text that may be stored and logged of an error. It gets the errors of
	// workers and the values of their panics. The policy's hooks and classifiers and River's
	// ErrorHandler see the error in a wrapper with that text. errors.Is and errors.As see
	// through the wrapper; == does not. Redact must be safe for concurrent use.
	// The default is retry.ErrorText.
	Redact func(err error) string
}

// Retrier decides for a River client what follows a failed attempt of a job. Make one with [New] and
// add it to the client's configuration with [Retrier.Install].
//
// Several clients may share a Retrier. It is safe for concurrent use.
type Retrier struct {
	policy *retry.Policy
	kinds  map[string]*retry.Policy
	redact func(err error) string
}

// New returns a Retrier for the configuration. If something is wrong with c, the error names
// everything at once and matches retry.ErrOption.
func New(c Config) (*Retrier, error) {
	errs := checkPolicy("Config.Policy", c.Policy)
	for _, kind := range slices.Sorted(maps.Keys(c.Kinds)) {
		errs = append(errs, checkKind(kind, c.Kinds[kind])...)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return &Retrier{c.Policy, maps.Clone(c.Kinds), c.Redact}, nil
}

// configError is one error in a Config.
type configError struct{ field, problem string }

func (e configError) Error() string        { return "retryriver: " + e.field + ": " + e.problem }
func (e configError) Is(target error) bool { return target == retry.ErrOption }

// checkKind returns the errors in one entry of Config.Kinds.
func checkKind(kind string, p *retry.Policy) []error {
	errs := checkPolicy(fmt.Sprintf("Config.Kinds[%q]", kind), p)
	if kind == "" {
		errs = append(errs, configError{"Config.Kinds", "an empty kind matches no job; use Config.Policy for all of them"})
	}
	return errs
}

// checkPolicy returns why the policy cannot run functions without a value.
func checkPolicy(field string, p *retry.Policy) (errs []error) {
	// Try without a function runs nothing. It reports all errors, and the missing function last.
	run := p.Start(context.Background())
	run.Try(nil)
	var all interface{ Unwrap() []error }
	if !errors.As(run.Err(), &all) {
		return nil
	}
	found := all.Unwrap()
	for _, err := range found[:len(found)-1] {
		errs = append(errs, fmt.Errorf("retryriver: %s: %w", field, err))
	}
	return errs
}

// policyOf returns the policy for jobs of the kind.
func (r *Retrier) policyOf(kind string) *retry.Policy {
	if p, ok := r.kinds[kind]; ok {
		return p
	}
	return r.policy
}

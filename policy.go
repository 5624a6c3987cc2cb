package retry

import "context"

// Policy is a set of options that is checked and merged once, for many calls. The zero Policy
// and a nil *Policy are the defaults. Most callers should use [MustNew] and [Policy.Do].
//
// A Policy is itself an [Option] that stands for the options it was made of, so a call can
// derive from it and lift a limit: DoValue(ctx, fn, policy, WithMaxElapsed(0)).
//
// A Policy is immutable and safe for concurrent use.
type Policy struct {
	settings *settings // nil: the defaults
	options  []Option  // that it was made of, without policies among them
}

// New returns a policy of the options, or an error that names all that is wrong with them.
func New(opts ...Option) (*Policy, error) {
	// One object, so that what every call reads shares no cache line with what others write.
	made := &struct {
		policy   Policy
		settings settings
	}{settings: defaults}
	made.settings.apply(opts)
	if faults := made.settings.faults; len(faults) > 0 {
		return nil, join(faults)
	}
	made.policy = Policy{settings: &made.settings, options: flatten(opts)}
	return &made.policy, nil
}

// flatten returns the options with those of a policy in its place. A variable that holds a policy
// may be given another one later.
func flatten(options []Option) (flat []Option) {
	for _, o := range options {
		if p, ok := o.(*Policy); ok {
			flat = append(flat, p.given()...)
		} else {
			flat = append(flat, o)
		}
	}
	return flat
}

// MustNew is like [New] but panics instead of returning an error, for package-level variables.
func MustNew(opts ...Option) *Policy {
	p, err := New(opts...)
	if err != nil {
		panic(err)
	}
	return p
}

// Clock returns the policy's clock, for code that waits between the steps of a [Run]. It is nil
// for the real clock.
func (p *Policy) Clock() Clock {
	return p.inForce().clock
}

// MaxAttempts returns how many attempts a call may make, or [Unlimited].
func (p *Policy) MaxAttempts() int {
	return p.inForce().maxAttempts
}

// Do calls fn under the policy, like the function [Do].
func (p *Policy) Do(ctx context.Context, fn func(ctx context.Context) error) error {
	s := p.inForce()
	if fn == nil || s.validators.n > 0 {
		return s.misuse("Do", fn == nil)
	}
	c := call{ctx: ctx}
	return c.loop(s, fn, nil)
}

// Start begins a call that you drive a step at a time. Its time counts from now.
func (p *Policy) Start(ctx context.Context) *Run {
	r := new(Run) // stays on the stack of a caller that copies it
	r.begin(p, call{ctx: ctx})
	return r
}

// Resume continues a call, such as one that a queue stored, after the attempt last and the wait
// last.Delay. Store what [Run.Last] returns or [Hooks].BeforeWait gets. The next attempt has
// Number last.Number+1 and Waited last.Delay. Elapsed continues from last.Elapsed + last.Delay.
// The Start hooks run again. If the limits now forbid another attempt, the first Try makes none
// and ends the call.
//
// If the queue was late, add the lateness to last.Elapsed. In last.Delay it would make a
// strategy that grows from the previous wait run away.
//
// Resume reads last.Number, Elapsed, Delay and Err. Err may be nil. Store it as text:
// encoding/json cannot decode an error.
func (p *Policy) Resume(ctx context.Context, last Attempt) *Run {
	r, delay := new(Run), max(last.Delay, 0)
	r.begin(p, call{
		ctx:    ctx,
		number: max(last.Number, 0),
		last:   last.Err,
		delay:  delay,
		before: add(max(last.Elapsed, 0), delay),
	})
	return r
}

// begin makes r the Run of c under the policy.
func (r *Run) begin(p *Policy, c call) {
	r.settings, r.ctx = p.inForce(), c.ctx
	c.begin(r.settings)
	r.start = c.start
	r.saveState(&c)
}

// inForce returns the merged settings.
func (p *Policy) inForce() *settings {
	if p == nil || p.settings == nil {
		return &defaults
	}
	return p.settings
}

// given returns the options that the policy was made of.
func (p *Policy) given() []Option {
	if p == nil {
		return nil
	}
	return p.options
}

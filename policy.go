package retry

import "context"

// Policy is a set of options, checked and merged once: for package-level variables and for
// code that makes many calls. A call with a Policy that succeeds at once allocates nothing, unless
// attempts have a timeout.
//
// A Policy is itself an [Option] that stands for the options it was made of, so a call can derive
// from it: DoValue(ctx, fn, policy, WithMaxAttempts(1)). The zero Policy and a nil *Policy are the
// defaults. It prints itself, see [Policy.String], and reads itself from text, see [Parse].
//
// A Policy is immutable and safe for concurrent use.
type Policy struct {
	settings *settings // nil: the defaults
	options  []Option  // that it was made of, without policies among them
}

// New returns a policy of the options, or an error that matches [ErrOption] and names
// everything that is wrong with them. Without options it is the defaults.
func New(opts ...Option) (*Policy, error) {
	s := defaults
	s.apply(opts)
	if len(s.faults) > 0 {
		return nil, join(s.faults)
	}
	return &Policy{settings: &s, options: flatten(opts)}, nil
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

// MustNew is like [New] but panics instead of returning an error. It is for package-level variables.
func MustNew(opts ...Option) *Policy {
	p, err := New(opts...)
	if err != nil {
		panic(err)
	}
	return p
}

// Clock returns the policy's clock, or nil if it is the real one. It is for code that does its own
// waiting between the steps of a [Run].
func (p *Policy) Clock() Clock {
	return p.inForce().clock
}

// MaxAttempts returns the most attempts that a call under the policy makes, or [Unlimited].
func (p *Policy) MaxAttempts() int {
	return p.inForce().maxAttempts
}

// Do calls fn under the policy until it succeeds, see the function [Do].
func (p *Policy) Do(ctx context.Context, fn func(ctx context.Context) error) error {
	s := p.inForce()
	if fn == nil || s.validators.n > 0 {
		return s.misuse("Do", fn == nil)
	}
	c := call{ctx: ctx}
	return c.loop(s, fn, nil)
}

// Start begins a call that is driven a step at a time, see [Run]. Its time counts from now.
func (p *Policy) Start(ctx context.Context) *Run {
	r := new(Run) // stays on the stack of a caller that copies it
	r.begin(p, call{ctx: ctx})
	return r
}

// Resume continues a call that stopped after the attempt last and has waited for last.Delay, such
// as a call that a queue stored. [Run.Last] and [Hooks].BeforeWait give what to store. The
// next attempt is last.Number+1, its Waited is last.Delay, and Elapsed continues from
// last.Elapsed + last.Delay. The Start hooks run again. If the policy's limits now forbid another
// attempt, the first Try makes none and ends the call.
//
// A queue that was late adds the lateness to last.Elapsed and not to last.Delay: the policy did
// not choose it, and a strategy that grows from the previous wait would run away.
//
// Resume reads last.Number, Elapsed, Delay and Err. Err may be nil. Store the error by its text,
// because encoding/json cannot read an error back.
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

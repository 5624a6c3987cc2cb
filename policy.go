package retry

import (
	"context"
	"slices"
)

// Policy is a set of options, checked and merged once: for package-level variables and for
// code that makes many calls. A call with a prebuilt Policy that succeeds at once allocates
// nothing.
//
// A Policy is immutable and may be shared freely. It is itself an [Option] that stands for
// the options it was made of, so a call can derive from it:
// DoValue(ctx, fn, policy, WithMaxAttempts(1)). The zero Policy and a nil *Policy are the
// defaults. It prints itself, see [Policy.String], and reads itself from text, see [Parse].
// It is safe for concurrent use.
type Policy struct {
	at **plan // as deep as what other options hold, see deep; nil: the defaults
}

// plan is what a Policy is made of.
type plan struct {
	settings settings
	options  []Option // what it was given, policies among them taken apart
}

// standard is the plan of the zero Policy.
var standard = &plan{settings: defaults()}

// New returns a policy of the options, or an error that matches [ErrOption] and names every
// fault among them. Without options it is the defaults.
func New(opts ...Option) (*Policy, error) {
	p := &plan{settings: defaults(), options: own(nil, opts)}
	p.settings.apply(p.options)
	if err := join(p.settings.check()); err != nil {
		return nil, err
	}
	return &Policy{at: &p}, nil
}

// MustNew is like [New] but panics at a fault. It is for package-level variables.
func MustNew(opts ...Option) *Policy {
	p, err := New(opts...)
	if err != nil {
		panic(err)
	}
	return p
}

// own appends to list the options, with policies taken apart and lists copied: what the
// caller does to its slices later does not change a policy.
func own(list, opts []Option) []Option {
	for _, o := range opts {
		switch o := o.(type) {
		case *Policy:
			_, options := o.parts()
			list = append(list, options...)
		case retryIfOption:
			list = append(list, slices.Clone(o))
		case stopIfOption:
			list = append(list, slices.Clone(o))
		case stopOption:
			list = append(list, slices.Clone(o))
		case gateOption:
			list = append(list, slices.Clone(o))
		case validatorOption:
			o = slices.Clone(o)
			for i := range o {
				o[i].list = o[i].own(o[i].list)
			}
			list = append(list, o)
		default:
			list = append(list, o)
		}
	}
	return list
}

// Clock returns the clock that the policy goes by, nil if that is the real one. It is for code
// that waits by itself between the steps of a [Run].
func (p *Policy) Clock() Clock {
	s, _ := p.parts()
	return s.clock
}

// MaxAttempts returns the most attempts that a call under the policy makes, or [Unlimited].
func (p *Policy) MaxAttempts() int {
	s, _ := p.parts()
	return s.maxAttempts
}

// Do calls fn under the policy until it succeeds, see the function [Do].
func (p *Policy) Do(ctx context.Context, fn func(ctx context.Context) error) error {
	s, options := p.parts()
	if fn == nil || s.has(hasValidator) {
		return misuse(s, options, "Do", fn == nil, nil)
	}
	c := call{ctx: ctx}
	return c.loop(s, options, fn, nil)
}

// Start begins a call that is driven a step at a time, see [Run]. Its time counts from now.
func (p *Policy) Start(ctx context.Context) *Run {
	r := new(Run) // stays on the stack of a caller that copies it
	r.begin(p, call{ctx: ctx})
	return r
}

// Resume goes on with a call that was left after attempt last and has waited for last.Delay,
// such as one that a queue stored. [Run.Last] and [Hooks].BeforeWait give what to store. The
// next attempt is last.Number+1, its Waited is last.Delay, and Elapsed goes on from
// last.Elapsed + last.Delay. The Start hooks run again. Where the policy's limits forbid
// another attempt by now, the first Try says so and makes none.
//
// A queue that was late adds the lateness to last.Elapsed and not to last.Delay: the policy did
// not choose it, and a strategy that grows from the wait before would run away.
//
// Resume reads last.Number, Elapsed, Delay and Err. Store the error by its text, because
// encoding/json cannot read one back. It may be nil.
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
	r.plan, r.ctx = p.plan(), c.ctx
	c.begin(&r.plan.settings)
	r.start = c.start
	r.keep(&c)
}

// plan returns what is in force: a nil and a zero Policy are the defaults.
func (p *Policy) plan() *plan {
	if p == nil || p.at == nil {
		return standard
	}
	return *p.at
}

// parts returns the settings and options in force.
func (p *Policy) parts() (*settings, []Option) {
	q := p.plan()
	return &q.settings, q.options
}

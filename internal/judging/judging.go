// Package judging has a call's value validated before it takes effect: a transaction must not
// commit a value that the validators reject. The function that DoValue calls then leaves its
// end to DoValue, which asks the validators first.
package judging

import (
	"context"
	"errors"
)

// Slot is where the function leaves its end. It goes to DoValue in the context, and is for one
// goroutine at a time.
type Slot struct {
	taken, shut bool
	end         func(err error) error
}

type key struct{}

// NewSlot returns a slot, and the context for the DoValue that is to take it.
func NewSlot(ctx context.Context) (*Slot, context.Context) {
	s := new(Slot)
	return s, context.WithValue(ctx, key{}, s)
}

// Take returns the context's slot, for a DoValue that has validators; nil if there is none.
// Whatever the call runs, gates and hooks too, finds it shut: their values are their own business.
func Take(ctx context.Context) *Slot {
	s, ok := ctx.Value(key{}).(*Slot)
	if !ok || s.shut {
		return nil
	}
	s.taken = true
	return s
}

// Shut says that the DoValue has begun. It must come before all that the call runs.
func (s *Slot) Shut() { s.shut = true }

// Taken reports whether the function has to leave its end to the slot.
func (s *Slot) Taken() bool { return s.taken }

// Leave leaves the function's end to the slot: it is called once, with nil if the value is good,
// and otherwise takes back what the function did. It returns the attempt's error, which for a
// rejected value is what it was called with, unless there is worse to tell.
func (s *Slot) Leave(end func(err error) error) { s.end = end }

// Finish ends the function, if it left its end here, as judge says. A rejected value is no error
// of the function.
func (s *Slot) Finish(judge func() error) error {
	end := s.end
	if end == nil {
		return nil
	}
	s.end = nil
	verdict := errAbandoned
	defer func() {
		if verdict == errAbandoned { // it is this one or it is not
			_ = end(verdict) // judge panicked
		}
	}()
	verdict = judge()
	err := end(verdict)
	if err == verdict { // the very one
		return nil // judge's caller has it
	}
	return err
}

var errAbandoned = errors.New("retry: a validator panicked or ended its goroutine")

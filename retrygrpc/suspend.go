package retrygrpc

import (
	"context"
	"runtime"
	"time"

	"github.com/seed-205ff063/retry"
)

// suspended is an attempt that goes on while its caller comes and goes: it is begun in one call of
// a stream's methods and ended in another. Run.Try, with the gates, hooks and timeout around its
// function, stands still in a goroutine of its own meanwhile.
//
// A coroutine (iter.Pull) would do the same, but the runtime kills a process in which one is resumed
// by a goroutine that is locked to another thread than its maker, and streams are passed around.
type suspended struct {
	begun chan context.Context // the attempt's context; closed when Try has returned
	ended chan error           // the attempt's result

	wait     time.Duration
	again    bool
	returned bool // Try has, and did not panic or call Goexit
	panicked any
}

// begin starts the next attempt of run, and returns its context; or false if there is none, or a
// gate refused it.
func begin(run *retry.Run, callers context.Context) (*suspended, context.Context, bool) {
	s := &suspended{begun: make(chan context.Context), ended: make(chan error)}
	go s.try(run, callers)
	ctx, ok := <-s.begun
	if !ok {
		s.rethrow()
	}
	return s, ctx, ok
}

// try is the goroutine of the attempt. An attempt that is left ends with the caller's context.
func (s *suspended) try(run *retry.Run, callers context.Context) {
	defer close(s.begun)
	defer func() {
		if !s.returned {
			s.panicked = recover()
		}
	}()
	s.wait, s.again = run.Try(func(ctx context.Context) error {
		s.begun <- ctx
		select {
		case err := <-s.ended:
			return err
		case <-callers.Done():
			return callers.Err()
		}
	})
	s.returned = true
}

// end ends the attempt with err, unless it has ended, and waits for what the policy says to it.
func (s *suspended) end(err error) {
	select {
	case s.ended <- err:
		<-s.begun
	case <-s.begun:
	}
	s.rethrow()
}

// rethrow goes on with a panic of the policy's hooks where the attempt was begun or ended.
func (s *suspended) rethrow() {
	switch {
	case s.panicked != nil:
		panic(s.panicked)
	case !s.returned:
		runtime.Goexit()
	}
}

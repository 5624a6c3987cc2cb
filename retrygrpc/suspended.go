package retrygrpc

import (
	"context"
	"runtime"
	"sync"
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
	run     *retry.Run
	callers context.Context

	begun    sync.WaitGroup // until the attempt has its context, or there is none
	finished sync.WaitGroup // until Try has returned
	ended    chan struct{}  // tells that result is there; has room for it
	result   error          // of the attempt

	ctx      context.Context // the attempt's; nil if there is none
	wait     time.Duration
	again    bool
	returned bool // Try has, and did not panic or call Goexit
	panicked any
}

// begin starts the next attempt of run. It reports false if there is none, or a gate refused it.
func (s *suspended) begin(run *retry.Run, callers context.Context) bool {
	s.run, s.callers, s.ended = run, callers, make(chan struct{}, 1)
	s.begun.Add(1)
	s.finished.Add(1)
	go s.try()
	s.begun.Wait()
	if s.ctx == nil {
		s.finished.Wait()
		s.rethrow()
		return false
	}
	return true
}

// try is the goroutine of the attempt.
func (s *suspended) try() {
	defer s.leave()
	s.wait, s.again = s.run.Try(s.attempt)
	s.returned = true
}

// attempt is the function of the attempt.
func (s *suspended) attempt(ctx context.Context) error {
	s.ctx = ctx
	s.begun.Done()
	select {
	case <-s.ended:
		return s.result
	case <-s.callers.Done():
		return s.late()
	}
}

// grace is how long an attempt lives after the end of the caller's context.
const grace = time.Second

// late waits for the end of an attempt whose caller's context has ended. Who reads the stream or gRPC's
// OnFinish brings it at once, unless nobody reads and an interceptor further in dropped OnFinish.
func (s *suspended) late() error {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-s.ended:
		return s.result
	case <-timer.C:
		return s.callers.Err()
	}
}

// leave tells those who wait for the attempt that Try has returned, or why it did not.
func (s *suspended) leave() {
	if !s.returned {
		s.panicked = recover()
	}
	if s.ctx == nil {
		s.begun.Done()
	}
	s.finished.Done()
}

// end ends the attempt with err, unless it has ended, and waits for what the policy says to it.
func (s *suspended) end(err error) {
	s.result = err
	s.ended <- struct{}{}
	s.finished.Wait()
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

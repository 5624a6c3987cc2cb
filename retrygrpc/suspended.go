package retrygrpc

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
)

// suspendedAttempt is an attempt that begins in one call of a stream's methods and ends in another.
// Run.Try, with the gates, hooks and timeout around its function, blocks in its own goroutine
// between the two.
//
// A coroutine (iter.Pull) would not do. Callers pass streams between goroutines, and the runtime kills
// a process that resumes a coroutine in a goroutine locked to another thread than its creator.
type suspendedAttempt struct {
	run       *retry.Run
	callerCtx context.Context

	begun    sync.WaitGroup // until the attempt has its context, or there is none
	finished sync.WaitGroup // until Try has returned
	ended    chan struct{}  // says that result is set; it is buffered
	result   error          // of the attempt

	ctx      context.Context // the attempt's; nil if there is none
	wait     time.Duration   // from Try
	again    bool            // from Try
	returned bool            // Try returned, without a panic or Goexit
	panicked any
}

// begin starts the next attempt of run. It reports false if there is none, or if a gate refused it.
func (s *suspendedAttempt) begin(run *retry.Run, callerCtx context.Context) bool {
	s.run, s.callerCtx, s.ended = run, callerCtx, make(chan struct{}, 1)
	s.begun.Add(1)
	s.finished.Add(1)
	go s.try()
	s.begun.Wait()
	if s.ctx == nil {
		s.finished.Wait()
		s.repanic()
		return false
	}
	return true
}

// try runs the attempt in its goroutine.
func (s *suspendedAttempt) try() {
	defer s.signalEnd()
	s.wait, s.again = s.run.Try(s.waitForResult)
	s.returned = true
}

// waitForResult is the function of the attempt. It returns when end is called.
func (s *suspendedAttempt) waitForResult(ctx context.Context) error {
	s.ctx = ctx
	s.begun.Done()
	select {
	case <-s.ended:
		return s.result
	case <-s.callerCtx.Done():
		return s.waitBriefly()
	}
}

// endTime is how long an attempt may take to end after the caller's context has ended.
const endTime = time.Second

// waitBriefly waits for end after the caller's context has ended. A reader of the stream or gRPC's
// OnFinish calls end at once. Neither does if nobody reads and an inner interceptor dropped
// OnFinish.
func (s *suspendedAttempt) waitBriefly() error {
	timer := time.NewTimer(endTime)
	defer timer.Stop()
	select {
	case <-s.ended:
		return s.result
	case <-timer.C:
		return s.callerCtx.Err()
	}
}

// signalEnd releases begin and end once Try has returned, panicked or exited its goroutine.
func (s *suspendedAttempt) signalEnd() {
	if !s.returned {
		s.panicked = recover()
	}
	if s.ctx == nil {
		s.begun.Done()
	}
	s.finished.Done()
}

// end ends the attempt with err, unless it has ended. It waits for the policy's decision.
func (s *suspendedAttempt) end(err error) {
	s.result = err
	s.ended <- struct{}{}
	s.finished.Wait()
	s.repanic()
}

// repanic passes a panic of the policy's hooks to the goroutine that called begin or end. The same
// goes for runtime.Goexit.
func (s *suspendedAttempt) repanic() {
	switch {
	case s.panicked != nil:
		panic(s.panicked)
	case !s.returned:
		runtime.Goexit()
	}
}

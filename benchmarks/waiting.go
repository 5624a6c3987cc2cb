package benchmarks

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// Waiting is what one waiting call takes, in bytes.
type Waiting struct {
	Stack int // of its goroutine
	Heap  int // that is live: timers, records, what escaped
	Sys   int // taken from the operating system, garbage and headroom included
}

// WaitOp makes the Op that waits of a function that fails.
type WaitOp func(Fn) Op

// bareWaitID is the goroutine that waits without any library.
const bareWaitID = "bare"

// WaitingLibraries returns those that are measured while they wait.
func WaitingLibraries() []Library {
	sleep := bare
	sleep.Name = "goroutine that only waits"
	waiting := []Library{sleep}
	for _, l := range Libraries() {
		if l.Wait != nil {
			waiting = append(waiting, l)
		}
	}
	return waiting
}

// WaitingOp returns the Op of the library that waits for an hour after its function failed,
// under a context that can be cancelled or not.
func WaitingOp(id string, cancel bool) (WaitOp, error) {
	if id == bareWaitID {
		return bareWait, nil
	}
	for _, l := range WaitingLibraries() {
		if l.ID != id {
			continue
		}
		construct := l.Wait
		if cancel {
			construct = l.WaitContext
		}
		return func(fn Fn) Op { return construct(fn, time.Hour) }, nil
	}
	return nil, fmt.Errorf("benchmarks: no library %q waits", id)
}

// FrameBytes is the size of what Deeper puts on the stack.
const FrameBytes = 64

// Deeper calls f with frames of FrameBytes above it, as in a goroutine that does more than call.
//
//go:noinline
func Deeper(frames int, f func()) {
	if frames == 0 {
		f()
		return
	}
	var frame [FrameBytes]byte
	Deeper(frames-1, f)
	runtime.KeepAlive(&frame)
}

// bareWait waits in the cheapest way there is: time.Sleep when nothing can cut it short,
// otherwise a timer and the context in a select.
func bareWait(fn Fn) Op {
	return func(ctx context.Context) error {
		err := fn(ctx)
		if ctx.Done() == nil {
			time.Sleep(time.Hour)
			return err
		}
		timer := time.NewTimer(time.Hour)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		return err
	}
}

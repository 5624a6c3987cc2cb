package benchmarks

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// Waiting is the memory of one waiting call, in bytes.
type Waiting struct {
	Stack int // the stack of its goroutine
	Heap  int // the live heap: timers, records, what escaped
	Sys   int // what the process took from the operating system, including garbage and headroom
}

// WaitOp takes a function that fails and returns the Op that then waits.
type WaitOp func(Fn) Op

// bareWaitID is the ID of a goroutine that waits without any library.
const bareWaitID = "bare"

// WaitingLibraries returns the libraries that are measured while they wait.
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

// WaitingOp returns the Op of the library with the given ID. The Op waits for an hour after its
// function failed. The context can be cancelled if cancel is true.
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

// FrameBytes is the size of each frame that Deeper puts on the stack.
const FrameBytes = 64

// Deeper calls f below a number of stack frames, as in a goroutine that does more than this call.
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

// bareWait waits in the cheapest way: with time.Sleep if the context cannot be cancelled, otherwise
// with a timer and the context in a select.
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

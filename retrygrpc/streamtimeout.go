package retrygrpc

import (
	"context"
	"sync/atomic"
)

// streamTimeout ends an attempt's stream with the attempt's context. Once the stream is settled
// it is stopped, and only the caller's context ends the stream.
type streamTimeout struct {
	cancel    context.CancelFunc // of the stream's context
	stopWatch func() bool        // no longer wait for the end of the attempt's context
	state     atomic.Int32
}

// The states of a streamTimeout. It leaves the first one once.
const (
	pending int32 = iota
	stopped
	expired
)

// newStreamTimeout returns the context of an attempt's stream. It has the values of attempt. It ends
// with callers, and until the timeout is stopped also with attempt. Its deadline is the caller's: the
// server must not end the stream when the time to the first message has passed.
func newStreamTimeout(callers, attempt context.Context) (context.Context, *streamTimeout) {
	t := &streamTimeout{}
	ctx, cancel := context.WithCancel(streamContext{Context: callers, values: attempt})
	t.cancel = cancel
	t.stopWatch = context.AfterFunc(attempt, t.expire)
	return ctx, t
}

// expire ends the stream, unless the timeout was stopped.
func (t *streamTimeout) expire() {
	if t.state.CompareAndSwap(pending, expired) {
		t.cancel()
	}
}

// stop stops the timeout. It reports false if the timeout has expired.
func (t *streamTimeout) stop() bool {
	t.stopWatch()
	return t.state.CompareAndSwap(pending, stopped)
}

// release ends the stream's context.
func (t *streamTimeout) release() {
	t.stopWatch()
	t.cancel()
}

// streamContext ends with the caller's context and has the attempt's values, which hooks may have
// added.
type streamContext struct {
	context.Context

	values context.Context
}

func (c streamContext) Value(key any) any { return c.values.Value(key) }

// AfterFunc lets package context wait for the caller's end without a goroutine.
func (c streamContext) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(c.Context, f) }

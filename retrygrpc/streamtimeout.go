package retrygrpc

import (
	"context"
	"sync/atomic"
)

// limit ends an attempt's stream with the attempt's time until the stream is settled. From then on
// only the caller's context does.
type limit struct {
	cancel context.CancelFunc
	stop   func() bool
	state  atomic.Int32
}

// The states of a limit: it leaves the first one once.
const (
	waiting int32 = iota
	lifted
	expired
)

// newLimit returns the context of an attempt's stream. It has the values of attempt, ends with
// callers, and until the limit is lifted with attempt too. Its deadline is the caller's: the server
// must not end the stream when the time to the first message is over.
func newLimit(callers, attempt context.Context) (context.Context, *limit) {
	l := &limit{}
	ctx, cancel := context.WithCancel(streamContext{Context: callers, values: attempt})
	l.cancel = cancel
	l.stop = context.AfterFunc(attempt, l.expire)
	return ctx, l
}

// expire ends the stream, unless the limit was lifted.
func (l *limit) expire() {
	if l.state.CompareAndSwap(waiting, expired) {
		l.cancel()
	}
}

// lift reports whether the stream was settled in time.
func (l *limit) lift() bool {
	l.stop()
	return l.state.CompareAndSwap(waiting, lifted)
}

// release ends the stream's context.
func (l *limit) release() {
	l.stop()
	l.cancel()
}

// streamContext has the caller's end and the attempt's values, which hooks may have added.
type streamContext struct {
	context.Context

	values context.Context
}

func (c streamContext) Value(key any) any { return c.values.Value(key) }

// AfterFunc lets package context watch the caller's end without a goroutine.
func (c streamContext) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(c.Context, f) }

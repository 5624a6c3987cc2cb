package retrygrpc

import (
	"context"

	"google.golang.org/grpc"
)

// clientStreamCall is a call with a stream of requests. It is retried only while it is opened.
type clientStreamCall struct {
	streamCall
}

// do makes the attempts. It returns the stream of the one that succeeded, unwrapped.
func (c *clientStreamCall) do() (grpc.ClientStream, error) {
	var last *streamAttempt
	err := c.policy.Do(c.ctx, func(ctx context.Context) error {
		var err error
		last, err = c.try(ctx)
		return err
	})
	if err = c.finalError(err); err != nil {
		c.reportEnd(last, err)
		return nil, err
	}
	return last.stream, nil
}

// try makes one attempt.
func (c *clientStreamCall) try(ctx context.Context) (*streamAttempt, error) {
	a, err := c.openAttempt(ctx, c)
	if err == nil {
		err = a.settle()
	}
	if err != nil {
		a.release()
		return a, c.classify(ctx, err, nil, &a.sendProof)
	}
	a.settled.Store(true)
	if a.finished.Load() { // before settled was set
		c.streamEnded(a)
	}
	return a, nil
}

// streamEnded is called when the stream of a has ended. Only the stream that the caller has is
// reported.
func (c *clientStreamCall) streamEnded(a *streamAttempt) {
	if a.settled.Load() {
		a.release()
		c.reportEnd(a, a.err)
	}
}

package retrygrpc

import (
	"context"

	"google.golang.org/grpc"
)

// openCall is a call with a stream of requests: it is retried while it is opened.
type openCall struct {
	streamCall
}

// do makes the attempts and returns the stream of the one that succeeded, as it is.
func (c *openCall) do() (grpc.ClientStream, error) {
	var last *streamAttempt
	err := c.policy.Do(c.ctx, func(ctx context.Context) error {
		var err error
		last, err = c.try(ctx)
		return err
	})
	if err = c.failure(err); err != nil {
		c.tell(last, err)
		return nil, err
	}
	return last.stream, nil
}

// try makes one attempt.
func (c *openCall) try(ctx context.Context) (*streamAttempt, error) {
	a, err := c.connect(ctx, c)
	if err == nil {
		err = a.settle()
	}
	if err != nil {
		a.release()
		return a, c.judge(ctx, err, nil, &a.evidence)
	}
	a.settled.Store(true)
	if a.finished.Load() { // meanwhile
		c.over(a)
	}
	return a, nil
}

// over is called when a's stream is over. Only of the one that the caller has it is told.
func (c *openCall) over(a *streamAttempt) {
	if a.settled.Load() {
		a.release()
		c.tell(a, a.err)
	}
}

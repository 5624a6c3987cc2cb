package retrygrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// unaryCall is a call with one request and one response.
type unaryCall struct {
	call

	req, reply any
	invoke     grpc.UnaryInvoker
	first      unaryAttempt // most calls need no other
}

// unaryAttempt is what one attempt leaves behind.
type unaryAttempt struct {
	evidence

	trailer metadata.MD
}

func (a *unaryAttempt) onFinish(error) { a.finished.Store(true) }

// do makes the attempts.
func (c *unaryCall) do() error {
	err := c.failure(c.policy.Do(c.ctx, c.try))
	c.finished(err)
	return err
}

// try makes one attempt.
func (c *unaryCall) try(ctx context.Context) error {
	c.number++
	a := &c.first
	if c.number > 1 {
		a = &unaryAttempt{}
		c.reset()
	}
	opts := append(c.options(), grpc.Trailer(&a.trailer))
	if !c.idempotent {
		opts = append(opts, a.option(), grpc.OnFinish(a.onFinish))
	}
	err := c.invoke(c.numbered(ctx), c.method, c.req, c.reply, c.cc, opts...)
	if err == nil {
		return nil
	}
	return c.judge(ctx, err, a.trailer, &a.evidence)
}

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

// unaryAttempt is what grpc reports of one attempt.
type unaryAttempt struct {
	sendProof

	trailer metadata.MD
}

func (a *unaryAttempt) onFinish(error) { a.finished.Store(true) }

// do makes the attempts.
func (c *unaryCall) do() error {
	err := c.finalError(c.policy.Do(c.ctx, c.try))
	c.runOnFinish(err)
	return err
}

// try makes one attempt.
func (c *unaryCall) try(ctx context.Context) error {
	c.number++
	a := &c.first
	if c.number > 1 {
		a = &unaryAttempt{}
		c.resetResults()
	}
	opts := append(c.attemptOptions(), grpc.Trailer(&a.trailer))
	if !c.idempotent {
		opts = append(opts, a.peerOption(), grpc.OnFinish(a.onFinish))
	}
	err := c.invoke(c.withNumber(ctx), c.method, c.req, c.reply, c.cc, opts...)
	if err == nil {
		return nil
	}
	return c.classify(ctx, err, a.trailer, &a.sendProof)
}

package retrysql

import (
	"context"
	"time"
)

// gracePeriod is how long a transaction outlives its attempt's context. In that time a COMMIT
// that was sent can get its reply, or a ROLLBACK can leave the connection usable.
const gracePeriod = 2 * time.Second

// txContext is the context of a transaction. It has the values of the attempt's context and ends
// later.
//
// Drivers keep the context that began a transaction, and use it for COMMIT and ROLLBACK too. If
// they had the attempt's context, its end would cut a COMMIT off from its reply. It would also
// prevent a ROLLBACK, which costs the connection.
type txContext struct {
	context.Context
	cancel context.CancelFunc
	detach func() bool // removes the link to the attempt's context
}

// newTxContext returns a context that ends with ctx, which is right until the transaction has
// begun.
func newTxContext(ctx context.Context) *txContext {
	c := &txContext{}
	c.Context, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.detach = context.AfterFunc(ctx, c.cancel)
	return c
}

// extend makes c last until gracePeriod after the end of ctx. It reports false if c has ended.
func (c *txContext) extend(ctx context.Context) bool {
	alive := c.detach()
	c.detach = context.AfterFunc(ctx, c.cancelAfterGrace)
	return alive
}

func (c *txContext) cancelAfterGrace() {
	timer := time.NewTimer(gracePeriod)
	defer timer.Stop()
	select {
	case <-timer.C:
		c.cancel()
	case <-c.Done():
	}
}

// close cancels c and frees its resources.
func (c *txContext) close() {
	c.detach()
	c.cancel()
}

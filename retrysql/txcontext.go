package retrysql

import (
	"context"
	"time"
)

// grace is how long a transaction outlives its attempt's context: time for the reply to a
// COMMIT that is under way, or else for a ROLLBACK that leaves the connection usable.
const grace = 2 * time.Second

// life is the context of a transaction: that of its attempt, but for its end.
//
// Drivers keep the context that a transaction was begun with, and use it for COMMIT and
// ROLLBACK too. Were it the attempt's, then the end of that would cut a COMMIT off from its
// reply, and keep a ROLLBACK from being sent, which costs the connection.
type life struct {
	context.Context
	end  context.CancelFunc
	stop func() bool // stops what links it to the attempt's context
}

// newLife returns a life that ends with ctx, which is right until the transaction has begun.
func newLife(ctx context.Context) *life {
	l := &life{}
	l.Context, l.end = context.WithCancel(context.WithoutCancel(ctx))
	l.stop = context.AfterFunc(ctx, l.end)
	return l
}

// outlive has the life go on for a time of grace after the end of ctx. It reports whether it has
// not ended already.
func (l *life) outlive(ctx context.Context) bool {
	alive := l.stop()
	l.stop = context.AfterFunc(ctx, l.endLater)
	return alive
}

// endLater ends the life after a time of grace.
func (l *life) endLater() {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-timer.C:
		l.end()
	case <-l.Done():
	}
}

// close ends the life and what watches over it.
func (l *life) close() {
	l.stop()
	l.end()
}

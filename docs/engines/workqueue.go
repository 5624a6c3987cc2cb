package engines

import (
	"context"
	"sync"

	"k8s.io/client-go/util/workqueue"

	"github.com/seed-205ff063/retry"
)

// Process makes one attempt of the next item of a client-go workqueue. last has the last attempt of
// each item that waits.
func Process[T comparable](ctx context.Context, p *retry.Policy, q workqueue.TypedDelayingInterface[T], last *sync.Map, fn func(context.Context, T) error) error {
	item, _ := q.Get()
	defer q.Done(item)
	stored, _ := last.LoadAndDelete(item) // until q.Done, no other worker gets the item
	previous, _ := stored.(retry.Attempt)
	run := p.Resume(ctx, previous)
	wait, again := run.Try(func(ctx context.Context) error { return fn(ctx, item) })
	if again {
		last.Store(item, run.Last())
		q.AddAfter(item, wait)
	}
	return run.Err()
}

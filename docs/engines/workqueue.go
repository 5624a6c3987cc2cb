package engines

import (
	"context"
	"sync"

	"k8s.io/client-go/util/workqueue"

	"github.com/seed-205ff063/retry"
)

// Process makes one attempt of the next item of a client-go workqueue.
func Process[T comparable](ctx context.Context, p *retry.Policy, q workqueue.TypedDelayingInterface[T], last *sync.Map, fn func(context.Context, T) error) error {
	item, _ := q.Get()
	defer q.Done(item)
	before, _ := last.LoadAndDelete(item) // a retry.Attempt; q.Done lets no other worker have the item until then
	from, _ := before.(retry.Attempt)
	run := p.Resume(ctx, from)
	wait, again := run.Try(func(ctx context.Context) error { return fn(ctx, item) })
	if again {
		last.Store(item, run.Last())
		q.AddAfter(item, wait)
	}
	return run.Err()
}

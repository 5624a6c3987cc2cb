package retrypool_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed-205ff063/retry/retrypool"
)

// Each page is an item. Its function submits the links of the page with the context that it got.
// They go on when the page is done.
func ExamplePool_Submit_crawler() {
	links := map[string][]string{
		"/":     {"/docs", "/blog"},
		"/docs": {"/docs/api", "/"},
		"/blog": {"/blog/1", "/blog/2", "/docs"},
	}
	var pool *retrypool.Pool[string, int]
	var seen sync.Map
	visit := func(ctx context.Context, page string) (int, error) {
		for _, link := range links[page] {
			if _, known := seen.LoadOrStore(link, true); known {
				continue
			}
			if _, err := pool.Submit(ctx, link); err != nil {
				return 0, err
			}
		}
		return len(links[page]), nil
	}
	// The capacity is large enough for all pages. Workers that wait for room make none.
	pool, err := retrypool.New(visit, retrypool.Config[string]{Workers: 2, Capacity: 100})
	if err != nil {
		panic(err)
	}
	ctx := context.Background() // its end would end all pages
	seen.Store("/", true)
	if _, err := pool.Submit(ctx, "/"); err != nil {
		panic(err)
	}
	// A page submits its links before it is done, so the counts are zero only at the end.
	for s := pool.Stats(); s.Queued+s.Running+s.Parked > 0; s = pool.Stats() {
		if err := pool.Join(ctx); err != nil {
			panic(err)
		}
	}
	fmt.Println(pool.Close(ctx), pool.Stats().Succeeded, "pages")
	// Output: <nil> 6 pages
}

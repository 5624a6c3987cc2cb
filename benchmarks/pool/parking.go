package main

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

// window is the time from when the first parked item is due until all are due.
const window = 100 * time.Millisecond

var errFailed = errors.New("failed")

// parking is the measurement of a contender.
type parking struct {
	Bytes int           // live heap and stacks for each item
	Park  time.Duration // time to park each item
	Late  time.Duration // time from when the last item was due until all were done
	Sys   int           // bytes taken from the operating system for each item, until all were done
	Slow  bool          // some items were due before all were parked: nothing was measured
}

// contender is a way to hold items until they are due.
type contender struct {
	id, name string
	ours     bool
	lead     time.Duration // the time to park a million items before the first is due; doubled if it is too short
	// park parks the items. When it parks item i it calls wait(i), and the item calls done after that
	// time. It returns when all items are parked. The caller calls end when all are done.
	park func(items int, wait func(i int) time.Duration, done func()) (end func())
}

func contenders() []contender {
	return []contender{
		{"retrypool", "retrypool", true, 6 * time.Second, parkPool},
		{"workqueue", "k8s.io/client-go workqueue", false, 10 * time.Second, parkWorkqueue},
		{"afterfunc", "time.AfterFunc", false, 6 * time.Second, parkAfterFunc},
		{"goroutine", "a goroutine that sleeps", false, 45 * time.Second, parkGoroutine},
	}
}

// workers is how many workers a contender has, if it has workers.
const workers = 2

// measure parks the items and waits until all are done. The first item is due after lead.
func (c contender) measure(items int, lead time.Duration) (p parking) {
	var finished atomic.Int64
	all := make(chan struct{})
	done := func() {
		if finished.Add(1) == int64(items) {
			close(all)
		}
	}
	before := memory()
	start := time.Now()
	due := start.Add(lead)
	wait := func(i int) time.Duration {
		spread := window * time.Duration(int64(i)*7919%1000) / 1000 // items are not due in the order of parking
		return time.Until(due) + spread
	}
	end := c.park(items, wait, done)
	took := time.Since(start)
	after := memory()
	if time.Now().After(due) {
		return parking{Slow: true}
	}
	<-all
	p.Late = time.Since(due.Add(window))
	p.Park = took / time.Duration(items)
	p.Bytes = int(int64(after.HeapAlloc+after.StackInuse-before.HeapAlloc-before.StackInuse) / int64(items))
	p.Sys = int(int64(memory().Sys-before.Sys) / int64(items))
	end()
	return p
}

// memory collects all garbage and reads the figures.
func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// parkPool submits items whose first attempt fails. The submission and that attempt are part of the
// time.
func parkPool(items int, wait func(int) time.Duration, done func()) (end func()) {
	ctx := context.Background()
	var n atomic.Int64
	policy := retry.MustNew(retry.WithHistorySize(0),
		retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { return wait(int(n.Add(1))) })))
	var attempts atomic.Int64
	pool, err := retrypool.New(func(context.Context, int) (struct{}, error) {
		if attempts.Add(1) <= int64(items) {
			return struct{}{}, errFailed
		}
		done()
		return struct{}{}, nil
	}, retrypool.Config[int]{Workers: workers, Capacity: items, Policy: policy})
	if err != nil {
		panic(err) // impossible: the configuration is constant
	}
	for i := range items {
		if _, err := pool.Submit(ctx, i); err != nil {
			panic(err)
		}
	}
	for s := pool.Stats(); s.Parked < items && s.Succeeded == 0; s = pool.Stats() {
		time.Sleep(100 * time.Microsecond)
	}
	return func() { _ = pool.Close(ctx) }
}

// parkWorkqueue uses AddAfter, which passes the item to the queue's goroutine through a channel of
// capacity 1000. So the last items may not be parked yet when it returns.
func parkWorkqueue(items int, wait func(int) time.Duration, done func()) (end func()) {
	queue := workqueue.NewTypedDelayingQueue[int]()
	for i := range items {
		queue.AddAfter(i, wait(i))
	}
	for range workers {
		go func() {
			for {
				item, shutdown := queue.Get()
				if shutdown {
					return
				}
				done()
				queue.Done(item)
			}
		}()
	}
	return queue.ShutDown
}

func parkAfterFunc(items int, wait func(int) time.Duration, done func()) (end func()) {
	for i := range items {
		time.AfterFunc(wait(i), done)
	}
	return func() {}
}

func parkGoroutine(items int, wait func(int) time.Duration, done func()) (end func()) {
	var started atomic.Int64
	for i := range items {
		go func() {
			d := wait(i)
			started.Add(1)
			time.Sleep(d)
			done()
		}()
	}
	for started.Load() < int64(items) {
		time.Sleep(100 * time.Microsecond)
	}
	return func() {}
}

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

// window is how long it takes until all parked items are due, once the first is.
const window = 100 * time.Millisecond

var errFailed = errors.New("failed")

// parking is what was measured of a contender.
type parking struct {
	Bytes int           // live heap and stacks, an item
	Park  time.Duration // until all were parked, an item
	Late  time.Duration // after the last one was due, until all were done
	Sys   int           // taken from the operating system until all were done, an item
	Slow  bool          // some fell due before all were parked: nothing was measured
}

// contender is a way to hold items until they are due.
type contender struct {
	id, name string
	ours     bool
	lead     time.Duration // from the first item to be parked until the first is due, for a million, if that is enough
	// park parks the items: each is due after what wait says at that moment, and then calls done.
	// It returns when all are parked, and what ends the contender.
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

// workers is how many goroutines take items, where there are workers.
const workers = 2

// measure gives the contender lead to park the items.
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
		spread := window * time.Duration(int64(i)*7919%1000) / 1000 // not in the order of parking
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

// memory reads the figures once everything that can be collected is.
func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// parkPool: the first attempt of every item fails. That and the submission are part of the time.
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
		panic(err) // constants are wrong
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

// parkWorkqueue: AddAfter hands the item to the queue's goroutine by a channel that holds a
// thousand, so that not quite all are parked when the last has been handed over.
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

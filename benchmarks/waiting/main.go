// Command waiting measures the memory of a call that waits, and prints the result as JSON:
//
//	go run ./waiting -library retry -context cancel
//
// A process measures one library under one kind of context, so that no measurement sees what
// another one left behind.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/seed-205ff063/retry/benchmarks"
)

func main() {
	library := flag.String("library", "retry", "`ID` of the library")
	kind := flag.String("context", "background", "background, or cancel for a context that can be cancelled")
	calls := flag.Int("calls", 100_000, "how many `calls` wait at the same time")
	frames := flag.Int("frames", 0, "how many stack `frames` are above each call")
	flag.Parse()

	ctx := context.Background()
	if *kind == "cancel" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
	}
	op, err := benchmarks.WaitingOp(*library, *kind == "cancel")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	_ = json.NewEncoder(os.Stdout).Encode(measure(ctx, op, *calls, *frames))
	// The process ends here, and so do the waiting calls.
}

// measure starts the calls. It compares the memory in use before with the memory in use when all of
// them wait.
func measure(ctx context.Context, op benchmarks.WaitOp, calls, frames int) benchmarks.Waiting {
	var failed sync.WaitGroup
	failed.Add(calls)
	fn := func(context.Context) error {
		failed.Done()
		return benchmarks.ErrFailed
	}
	call := op(fn)
	before := memory()
	for range calls {
		go func() { benchmarks.Deeper(frames, func() { _ = call(ctx) }) }()
	}
	failed.Wait()
	time.Sleep(200 * time.Millisecond) // until the last calls have come from their function to their wait
	after := memory()
	per := func(after, before uint64) int { return int(int64(after-before) / int64(calls)) }
	return benchmarks.Waiting{
		Stack: per(after.StackInuse, before.StackInuse),
		Heap:  per(after.HeapAlloc, before.HeapAlloc),
		Sys:   per(after.Sys, before.Sys),
	}
}

// memory collects all garbage and reads the figures.
func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

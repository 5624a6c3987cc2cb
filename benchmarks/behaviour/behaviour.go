package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-205ff063/retry/benchmarks"
)

// observation is what one library did.
type observation struct {
	Name, Version string
	Ours          bool

	// What errors.Is finds on the error of a call that was cancelled with a cause during a wait.
	Last, CtxErr, Cause bool
	// How long a call took whose wait is an hour and whose deadline is in 50 ms.
	Late time.Duration
	// Calls of the function under a context that is already done.
	DeadCalls int
	// Allocations of a first try that succeeds, with everything built before the call.
	Allocs float64
}

const (
	deadline = 50 * time.Millisecond
	atOnce   = deadline / 2 // a call that returns sooner did not wait for the deadline
)

// observeAll observes all libraries. It counts their allocations one after the other, and then runs
// the situations concurrently.
func observeAll() []observation {
	subjects := append([]benchmarks.Library{benchmarks.Libraries()[0]}, benchmarks.Peers()...)
	versions := versions()
	all := make([]observation, len(subjects))
	for i, l := range subjects {
		all[i] = observation{Name: l.Name, Version: versions[l.Path], Ours: l.Ours, Allocs: allocs(l)}
	}
	var observed sync.WaitGroup
	for i, l := range subjects {
		observed.Add(1)
		go func() {
			defer observed.Done()
			observe(l, &all[i])
		}()
	}
	observed.Wait()
	return all
}

func observe(l benchmarks.Library, o *observation) {
	o.Last, o.CtxErr, o.Cause = cancelled(l)
	o.Late = late(l)
	o.DeadCalls = dead(l)
}

// cancelled cancels a call while it waits, and reports what the error matches.
func cancelled(l benchmarks.Library) (last, ctxErr, cause bool) {
	why := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(context.Background())
	call := l.WaitContext(func(context.Context) error {
		time.AfterFunc(20*time.Millisecond, func() { cancel(why) }) // the call is waiting by then
		return benchmarks.ErrFailed
	}, time.Hour)
	err := call(ctx)
	return errors.Is(err, benchmarks.ErrFailed), errors.Is(err, context.Canceled), errors.Is(err, why)
}

// late returns how long a call takes whose next attempt would come long after the deadline.
func late(l benchmarks.Library) time.Duration {
	call := l.WaitContext(func(context.Context) error { return benchmarks.ErrFailed }, time.Hour)
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	start := time.Now()
	_ = call(ctx)
	return time.Since(start)
}

// dead counts the calls of the function under a context that is already done.
func dead(l benchmarks.Library) int {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	calls := 0
	_ = l.WaitContext(func(context.Context) error {
		calls++
		return nil
	}, time.Nanosecond)(ctx)
	return calls
}

func allocs(l benchmarks.Library) float64 {
	call := l.Do(func(context.Context) error { return nil })
	ctx := context.Background()
	return testing.AllocsPerRun(1000, func() { _ = call(ctx) })
}

// versions returns the versions of the modules that this program was built with.
func versions() map[string]string {
	found := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			found[m.Path] = m.Version
		}
	}
	return found
}

// render writes the table, a row for each library, and below it what was used to measure.
func render(all []observation) string {
	var b strings.Builder
	b.WriteString("| | last error | `ctx.Err()` | cause | 1 h wait, deadline in 50 ms | calls on a dead context | allocs |\n")
	b.WriteString("|---|:-:|:-:|:-:|---|:-:|--:|\n")
	var used []string
	for _, o := range all {
		name := o.Name
		if o.Ours {
			name = "**" + name + "**"
		} else {
			used = append(used, o.Name+" "+o.Version)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d | %.0f |\n", name,
			mark(o.Last), mark(o.CtxErr), mark(o.Cause), patience(o.Late), o.DeadCalls, o.Allocs)
	}
	fmt.Fprintf(&b, "\nFirst three columns: the call is cancelled during a wait, and errors.Is finds this on its error. "+
		"Last column: the first try succeeds, and everything is built before the call.\n"+
		"Measured on %s with %s: %s.\n", time.Now().Format(time.DateOnly), runtime.Version(), strings.Join(used, ", "))
	return b.String()
}

func mark(yes bool) string {
	if yes {
		return "✓"
	}
	return "–"
}

// patience describes a call that took that long.
func patience(took time.Duration) string {
	if took < atOnce {
		return "gives up at once"
	}
	return fmt.Sprintf("sleeps %v", took.Round(10*time.Millisecond))
}

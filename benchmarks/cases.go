package benchmarks

import (
	"context"
	"time"
)

// Case is one situation that all libraries are put into.
type Case struct {
	ID    string // in the names of benchmarks
	Title string // of the table
	About string // what is measured, and what to know about it

	Fails    int  // of the function before each success
	Calls    int  // of the function in one Op
	GivesUp  bool // the Op returns an error
	Cancel   bool // its context can be cancelled
	Parallel bool // on all cores at once
	Loose    bool // the function keeps its own state, so that calls cannot be counted

	// Build returns the library's Op, nil if it has no part in the case.
	Build func(l Library, fn Fn) Op
}

// Cases returns all the cases that are timed call by call.
func Cases() []Case {
	return []Case{
		{
			ID: "first", Title: "First try succeeds", Calls: 1,
			About: "Everything is built ahead, the context cannot be cancelled.",
			Build: func(l Library, fn Fn) Op { return build(l.Do, fn) },
		},
		{
			ID: "first-int", Title: "First try succeeds, returns an int", Calls: 1,
			About: "Libraries without a form for values set a variable.",
			Build: func(l Library, fn Fn) Op { return build(l.Int, fn) },
		},
		{
			ID: "first-struct", Title: "First try succeeds, returns a struct of four words", Calls: 1,
			About: "As before, with a value that does not fit a register.",
			Build: func(l Library, fn Fn) Op { return build(l.Struct, fn) },
		},
		{
			ID: "first-context", Title: "First try succeeds, under a context that can be cancelled", Calls: 1, Cancel: true,
			About: "Each call has a context of its own, as a request has. Where the function gets none from the " +
				"library it captures it, and where the library wants it earlier than at the call, that part is built at the call.",
			Build: func(l Library, fn Fn) Op { return build(l.DoContext, fn) },
		},
		{
			ID: "first-literal", Title: "First try succeeds, function literal at the call", Calls: 1,
			About: "As most code is written: the function is a literal that changes a local variable. It costs " +
				"allocations where the library lets it escape.",
			Build: func(l Library, fn Fn) Op { return build(l.Literal, fn) },
		},
		{
			ID: "options", Title: "First try succeeds, options given at the call", Calls: 1,
			About: "Attempts, strategy, cap and jitter are set at every call. The lists are those of `WithRetryIf` and `WithStopIf`.",
			Build: func(l Library, fn Fn) Op { return build(l.Options, fn) },
		},
		{
			ID: "two-zero", Title: "Two failures without waits, then success", Fails: 2, Calls: 3,
			About: "What the retries themselves cost.",
			Build: func(l Library, fn Fn) Op { return buildWait(l.Wait, fn, 0) },
		},
		{
			ID: "five-zero", Title: "Five attempts fail without waits", Fails: Always, Calls: attempts, GivesUp: true,
			About: "What giving up costs, its error included.",
			Build: func(l Library, fn Fn) Op { return buildWait(l.Wait, fn, 0) },
		},
		{
			ID: "permanent", Title: "One attempt fails for good", Fails: Always, Calls: 1, GivesUp: true,
			About: "The function marks its error as permanent where the library has a mark, which costs an allocation or two; " +
				"failsafe-go and eapache/go-resiliency are told ahead, by the error's value, and so is retry with `WithStopIf`.",
			Build: func(l Library, fn Fn) Op { return build(l.Permanent, fn) },
		},
		{
			ID: "all-first", Title: "All cores, one shared policy, first try succeeds", Calls: 1, Parallel: true,
			About: "Time is that of the whole machine: with n free cores and nothing shared, a call takes 1/n of its time alone.",
			Build: func(l Library, fn Fn) Op { return build(l.Do, fn) },
		},
		{
			ID: "all-two", Title: "All cores, one shared policy, two failures without waits", Parallel: true, Loose: true,
			About: "As before, with retries, whose random numbers or counters some libraries guard by a lock.",
			Build: func(l Library, _ Fn) Op {
				if l.Twice == nil {
					return nil
				}
				return l.Twice()
			},
		},
	}
}

// Function returns the function that a case's Op calls in a benchmark: one that may run on
// all cores at once where the case does so.
func (c Case) Function() Fn {
	if c.Parallel {
		return func(context.Context) error { return nil }
	}
	j := Job{Fails: c.Fails}
	return j.Do
}

func build(constructor func(Fn) Op, fn Fn) Op {
	if constructor == nil {
		return nil
	}
	return constructor(fn)
}

func buildWait(constructor func(Fn, time.Duration) Op, fn Fn, d time.Duration) Op {
	if constructor == nil {
		return nil
	}
	return constructor(fn, d)
}

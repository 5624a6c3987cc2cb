package benchmarks

import (
	"context"
	"slices"
	"time"
)

// Case is one situation in which all libraries are measured.
type Case struct {
	ID    string // in the names of benchmarks
	Title string // of the table
	About string // what is measured, and what to know about it

	Fails    int  // failures of the function before each success
	Calls    int  // calls of the function in one Op
	GivesUp  bool // the Op returns an error
	Cancel   bool // the context can be cancelled
	Parallel bool // it runs on all cores at once
	Loose    bool // the function keeps its own state, so its calls cannot be counted

	// Build returns the library's Op, or nil if the library does not take part in the case.
	Build func(l Library, fn Fn) Op
}

// Cases returns the cases whose calls are timed, in the order of the report.
func Cases() []Case {
	return slices.Concat(firstTryCases(), failureCases(), sharedCases())
}

// firstTryCases are the calls that succeed at once.
func firstTryCases() []Case {
	return []Case{
		{
			ID: "first", Title: "First try succeeds", Calls: 1,
			About: "Everything is built before the call. The context cannot be cancelled.",
			Build: func(l Library, fn Fn) Op { return build(l.Do, fn) },
		},
		{
			ID: "first-int", Title: "First try succeeds, returns an int", Calls: 1,
			About: "Where a library has no form for functions that return a value, the function sets a variable.",
			Build: func(l Library, fn Fn) Op { return build(l.Int, fn) },
		},
		{
			ID: "first-struct", Title: "First try succeeds, returns a struct of four words", Calls: 1,
			About: "The same with a value that does not fit in a register.",
			Build: func(l Library, fn Fn) Op { return build(l.Struct, fn) },
		},
		{
			ID: "first-context", Title: "First try succeeds, under a context that can be cancelled", Calls: 1, Cancel: true,
			About: "Each call has its own context, as a request has. If the library does not pass the context on, the function " +
				"captures it. If the library takes the context when it is built, that part is built at the call.",
			Build: func(l Library, fn Fn) Op { return build(l.DoContext, fn) },
		},
		{
			ID: "first-literal", Title: "First try succeeds, function literal at the call", Calls: 1,
			About: "Most code is written like this: the function is a literal that changes a local variable. It allocates if " +
				"the library lets the literal escape.",
			Build: func(l Library, fn Fn) Op { return build(l.Literal, fn) },
		},
		{
			ID: "options", Title: "First try succeeds, options given at the call", Calls: 1,
			About: "Attempts, backoff, cap and jitter are set at every call. The lists are `WithRetryIf` and `WithStopIf`.",
			Build: func(l Library, fn Fn) Op { return build(l.Options, fn) },
		},
	}
}

// failureCases are the calls whose function fails first, or always.
func failureCases() []Case {
	return []Case{
		{
			ID: "two-zero", Title: "Two failures without waits, then success", Fails: 2, Calls: 3,
			About: "The cost of the retries alone.",
			Build: func(l Library, fn Fn) Op { return buildWait(l.Wait, fn, 0) },
		},
		{
			ID: "five-zero", Title: "Five attempts fail without waits", Fails: Always, Calls: attempts, GivesUp: true,
			About: "The cost of giving up, including the error.",
			Build: func(l Library, fn Fn) Op { return buildWait(l.Wait, fn, 0) },
		},
		{
			ID: "permanent", Title: "One attempt fails for good", Fails: Always, Calls: 1, GivesUp: true,
			About: "Where the library can mark an error as permanent, the function marks its error, which costs an allocation or two. " +
				"failsafe-go, eapache/go-resiliency and retry with `WithStopIf` are given the error's value before the call instead.",
			Build: func(l Library, fn Fn) Op { return build(l.Permanent, fn) },
		},
	}
}

// sharedCases are the calls that all cores make under one policy.
func sharedCases() []Case {
	return []Case{
		{
			ID: "all-first", Title: "All cores, one shared policy, first try succeeds", Calls: 1, Parallel: true,
			About: "The time is the machine's: with n free cores and nothing shared, a call takes 1/n of its time on one core.",
			Build: func(l Library, fn Fn) Op { return build(l.Do, fn) },
		},
		{
			ID: "all-two", Title: "All cores, one shared policy, two failures without waits", Parallel: true, Loose: true,
			About: "The same with retries. Some libraries guard their random numbers or counters with a lock.",
			Build: func(l Library, _ Fn) Op {
				if l.Twice == nil {
					return nil
				}
				return l.Twice()
			},
		},
	}
}

// Function returns the function that the case's Op calls in a benchmark. It may run on all cores at
// once if the case does.
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

// Package benchmarks compares retry with a bare call, a hand-written loop and the libraries
// that Go programs use for retries today.
//
// Each library is used as its documentation says. What can be built before the call is built before
// it. All libraries do the same work: a test counts the calls.
//
// This command measures everything and writes BENCHMARKS.md in the root of the repository:
//
//	go run ./report
//
// The commands grpc, nats and river print comparisons that are not part of that file.
package benchmarks

import (
	"context"
	"errors"
	"math"
	"time"
)

// The standard policy, which is what retry does without options. Each library gets as much of it as
// it can express, in the cases that never wait.
const (
	attempts = 5
	initial  = 100 * time.Millisecond
	factor   = 2
	longest  = 30 * time.Second
)

// Fn is the function to be called. Every library gets a literal that calls Fn, even a library that
// could take Fn itself, so that all pay for the same indirect call.
type Fn func(ctx context.Context) error

// Op calls the function once through a library. It may be called many times.
type Op func(ctx context.Context) error

// Words is a value as large as a small struct.
type Words struct{ A, B, C, D uint64 }

// ErrFailed is the error of a function that fails.
var (
	ErrFailed = errors.New("failed")
	errValue  = errors.New("benchmarks: the library lost the value")
)

// Library is one row in each of the tables. A nil field means that the library does not take part
// in the case.
type Library struct {
	ID    string // in the names of benchmarks
	Name  string // in the tables
	Path  string // of the module; empty for code of this package
	Ours  bool
	Clock string // how often a call that succeeds at once reads the clock, and which clock

	// Do succeeds at once under the standard policy, which is built before the call. The function
	// ignores its context, so a library that does not pass one on needs no closure for each call.
	Do func(Fn) Op
	// DoContext is Do with a new context for each call. The function gets that context.
	DoContext func(Fn) Op
	// Int and Struct are Do for a function that returns a value.
	Int, Struct func(Fn) Op
	// Literal is Do with a function literal at the call that changes a local variable.
	Literal func(Fn) Op
	// Options is Do with the policy built at the call.
	Options func(Fn) Op
	// Wait waits d between attempts. WaitContext also has a new context for each call.
	Wait, WaitContext func(fn Fn, d time.Duration) Op
	// Permanent marks the function's error as permanent.
	Permanent func(Fn) Op
	// Twice fails twice without a wait. Its state is in a literal, so it may run on all cores at
	// once, unlike a Job.
	Twice func() Op
}

// Libraries returns all libraries, ours first.
func Libraries() []Library {
	return []Library{
		ours, oursNoHistory, oursOptionsWait, oursDerived, oursList, oursLists, oursStopIf,
		bare, loop, cenkalti, avast, sethvargo, failsafe, eapache, kubernetes,
	}
}

// Peers returns the libraries of others.
func Peers() []Library {
	var peers []Library
	for _, l := range Libraries() {
		if l.Path != "" && !l.Ours {
			peers = append(peers, l)
		}
	}
	return peers
}

// Job is a function that fails a number of times, then succeeds, and then starts over.
type Job struct {
	Fails int // failures in a row; Always if it never succeeds
	Calls int
	run   int
}

// Always makes a Job fail every time.
const Always = math.MaxInt

// Do is the function of the job.
func (j *Job) Do(context.Context) error {
	j.Calls++
	if j.run++; j.run <= j.Fails {
		return ErrFailed
	}
	j.run = 0
	return nil
}

// background is the context of functions that are built before the call.
var background = context.Background()

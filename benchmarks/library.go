// Package benchmarks compares retry with a bare call, a hand-written loop and the libraries
// that Go programs use for retries today. Every library is used as its documentation says,
// built ahead of the call as far as it allows, and set to do the same work: a test counts
// the calls. BENCHMARKS.md in the root of the repository is written by
//
//	go run ./report
package benchmarks

import (
	"context"
	"errors"
	"math"
	"time"
)

// The policy that all libraries are given as far as they can express it, for the cases in
// which none of its waits takes place: the defaults of retry.
const (
	attempts = 5
	initial  = 100 * time.Millisecond
	factor   = 2
	longest  = 30 * time.Second
)

// Fn is the function to be called. A library that wants another form gets a literal that
// calls Fn, and so do those that would take it as it is: all pay for one call through it.
type Fn func(ctx context.Context) error

// Op is one call of the function by way of a library. It may be called again and again.
type Op func(ctx context.Context) error

// Words is a value of the size of a small struct.
type Words struct{ A, B, C, D uint64 }

// Errors that stand for those of a real function.
var (
	ErrFailed = errors.New("failed")
	errValue  = errors.New("benchmarks: the library lost the value")
)

// Library is one line in each of the tables. A nil field means that it has no part in the
// case.
type Library struct {
	ID    string // in the names of benchmarks
	Name  string // in the tables
	Path  string // of the module; empty for what is written here
	Ours  bool
	Clock string // how a call that succeeds at once reads the clock

	// Do succeeds at once under the standard policy, built ahead. The function does not
	// look at the context, so that a library which hands none on needs no new closure.
	Do func(Fn) Op
	// DoContext is Do with a context of each call's own, which the function gets.
	DoContext func(Fn) Op
	// Int and Struct are Do for a function with a value.
	Int, Struct func(Fn) Op
	// Literal is Do with a function literal at the call that changes a local variable.
	Literal func(Fn) Op
	// Options is Do with the policy built at the call.
	Options func(Fn) Op
	// Wait waits for the same d between attempts. WaitContext is to it what DoContext is
	// to Do.
	Wait, WaitContext func(fn Fn, d time.Duration) Op
	// Permanent marks the function's error as not worth another attempt.
	Permanent func(Fn) Op
	// Twice fails twice without a wait, with its state in the literal: unlike that of a
	// Job it may run on all cores at once.
	Twice func() Op
}

// Libraries returns all there are, ours first.
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

// Job is a function that fails a number of times, succeeds, and begins again.
type Job struct {
	Fails int // in a row; Always for no success
	Calls int
	run   int
}

// Always is the number of failures of a Job that never succeeds.
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

// background is the context of functions that are built ahead.
var background = context.Background()

package retry_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
)

// panicError panics in every method.
type panicError struct{}

func (panicError) Error() string                     { panic("Error") }
func (panicError) Unwrap() error                     { panic("Unwrap") }
func (panicError) Is(error) bool                     { panic("Is") }
func (panicError) As(any) bool                       { panic("As") }
func (panicError) RetryAfter() (time.Duration, bool) { panic("RetryAfter") }
func (panicError) Timeout() bool                     { panic("Timeout") }
func (panicError) Temporary() bool                   { panic("Temporary") }

// panicErrors is a panicError that wraps several errors.
type panicErrors struct{ panicError }

func (panicErrors) Unwrap() []error { panic("Unwrap") }

// fieldsError reads its fields in every method, so a typed nil of it panics.
type fieldsError struct {
	text string
	err  error
	d    time.Duration
}

func (e *fieldsError) Error() string                     { return e.text }
func (e *fieldsError) Unwrap() error                     { return e.err }
func (e *fieldsError) Is(target error) bool              { return e.err == target }
func (e *fieldsError) As(any) bool                       { return e.d > 0 }
func (e *fieldsError) RetryAfter() (time.Duration, bool) { return e.d, true }
func (e *fieldsError) Timeout() bool                     { return e.d > 0 }
func (e *fieldsError) Temporary() bool                   { return e.d > 0 }

// loopError unwraps to itself.
type loopError struct{ text string }

func (e *loopError) Error() string { return e.text }
func (e *loopError) Unwrap() error { return e }

// treeError unwraps to itself, twice.
type treeError struct{ text string }

func (e *treeError) Error() string   { return e.text }
func (e *treeError) Unwrap() []error { return []error{e, e} }

// longText is a text from outside that nobody limited.
var longText = strings.Repeat("status line ", 8<<20/12)

// hostileErrors panic, loop, or carry harmful text.
var hostileErrors = []struct {
	name string
	err  error
	text string // a part of the text that ErrorText shows
}{
	{"typed nil", (*fieldsError)(nil), "<nil>"},
	{"typed nil of an Error", (*retry.Error)(nil), "<nil>"},
	{"typed nil of a ValidationError", (*retry.ValidationError[int])(nil), "<nil>"},
	{"panics", panicError{}, "PANIC"},
	{"panics, several", panicErrors{}, "PANIC"},
	{"unwraps to itself", &loopError{"loop"}, "loop"},
	{"unwraps to itself, twice", &treeError{"tree"}, "tree"},
	{"long", errors.New(longText[:64<<10]), "status line"},
	{"lines", errors.New("a\nb"), "a; b"},
	{"terminal escape", errors.New("\x1b[31mred"), `\x1b[31mred`},
	{"control", errors.New("a\x00b\u009bc"), `a\x00b\x9bc`},
	{"bidirectional", errors.New("user\u202egnp.exe"), `user\u202egnp.exe`},
	{"no UTF-8", errors.New("a\xffb"), "a\ufffdb"},
}

// wrappings are the places where a hostile error may be.
var wrappings = []struct {
	name string
	wrap func(err error) error
	lost bool // the call does not look there, or cannot get the text
}{
	{"bare", func(err error) error { return err }, false},
	{"wrapped", func(err error) error { return fmt.Errorf("outer: %w", err) }, false},
	{"joined", func(err error) error { return joined{err, errDown} }, false},
	{"beneath Permanent", retry.Permanent, false},
	{"beneath After", func(err error) error { return retry.After(time.Minute, err) }, false},
	{"beneath both", func(err error) error { return retry.Permanent(retry.After(time.Minute, joined{errDown, err})) }, false},
	{"within an Error", func(err error) error { return &retry.Error{Reason: retry.ErrExhausted, Err: err} }, false},
	{"as a reason", func(err error) error { return &retry.Error{Reason: err, Err: errDown} }, false},
}

// joined is like errors.Join, but its Error method does not call the Error methods it joins,
// which could panic.
type joined [2]error

func (j joined) Error() string   { return fmt.Sprintf("%v; %v", j[0], j[1]) }
func (j joined) Unwrap() []error { return j[:] }

type panicHint struct{ error }

func (p panicHint) Unwrap() error                     { return p.error }
func (p panicHint) RetryAfter() (time.Duration, bool) { panic("RetryAfter") }

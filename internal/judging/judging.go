// Package judging lets a function end its attempt after its value was judged: a transaction must
// not commit a value that the validators reject. It connects package retry, which validates, with
// package retrysql, which commits. The option is not part of retry's exported names.
package judging

import "context"

// Finish ends an attempt. It runs after the attempt's function, and after its validators, while
// the attempt's gates and its timeout still apply. ctx is the context that the function got, and
// err is the function's error, or why its value was rejected, or nil. It returns the attempt's
// error: err itself, or another that takes its place.
//
// If a validator panics, Finish gets an error and its result is ignored. If the function panics,
// it does not run.
type Finish func(ctx context.Context, err error) error

// NewOption returns the retry.Option that makes a call of Do or DoValue end its attempts by finish.
// It belongs to that call alone, and not to those within it. Package retry sets NewOption.
var NewOption func(finish Finish) any

package retry_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestAllAndNot(t *testing.T) {
	t.Parallel()
	a := retry.Attempt{Number: 3, Err: io.EOF}
	is := retry.Is(io.EOF)
	for _, tt := range []struct {
		name string
		c    retry.Classifier
		want bool
	}{
		{"all of none", retry.All(), true},
		{"all of one", retry.All(yes), true},
		{"all of one that does not match", retry.All(no), false},
		{"all of several", retry.All(yes, is, yes), true},
		{"the first does not match", retry.All(no, yes), false},
		{"the last does not match", retry.All(yes, yes, no), false},
		{"not", retry.Not(is), false},
		{"not of a mismatch", retry.Not(no), true},
		{"not of not", retry.Not(retry.Not(is)), true},
		{"none of several", retry.All(retry.Not(no), retry.Not(retry.Is(io.ErrUnexpectedEOF))), true},
		{"not all", retry.Not(retry.All(is, no)), true},
		{"all passes the attempt", retry.All(func(a retry.Attempt) bool { return a.Number == 3 }), true},
		{"not passes the attempt", retry.Not(func(a retry.Attempt) bool { return a.Number == 3 }), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, tt.c(a))
			stop := retry.Do(context.Background(), alwaysReturn(io.EOF), atOnce, retry.WithMaxAttempts(2), retry.WithStopIf(func(retry.Attempt) bool { return tt.c(a) }))
			assert.Equal(t, tt.want, retryError(t, stop).Reason == retry.ErrPermanent) // the very same error
		})
	}
}

// All asks its classifiers in order and stops at the first that does not match.
func TestAllStopsAtFirstMismatch(t *testing.T) {
	t.Parallel()
	assert.False(t, retry.All(yes, no, func(retry.Attempt) bool { panic("asked") })(retry.Attempt{}))
}

// All copies its arguments: changing the slice later does not change the classifier.
func TestAllCopiesItsList(t *testing.T) {
	t.Parallel()
	list := []retry.Classifier{yes, yes}
	all := retry.All(list...)
	list[1] = no
	assert.True(t, all(retry.Attempt{}))
}

// A nil classifier inside All or Not is an error of the call.
func TestAllAndNotOfNil(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]retry.Classifier{
		"not": retry.Not(nil), "all": retry.All(nil), "all, among others": retry.All(yes, nil),
		"not all": retry.Not(retry.All(nil)), "all not": retry.All(yes, retry.Not(nil)),
	} {
		for way, err := range callEveryWay(t, retry.WithRetryIf(c)) {
			require.EqualError(t, err, "retry: WithRetryIf: nil Classifier", "%s %s", name, way)
			require.ErrorIs(t, err, retry.ErrOption)
		}
		for way, err := range callEveryWay(t, retry.WithStopIf(c)) {
			require.EqualError(t, err, "retry: WithStopIf: nil Classifier", "%s %s", name, way)
		}
	}
}

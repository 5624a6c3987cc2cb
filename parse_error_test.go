package retry_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// Each pair that is wrong is one, as the text has it.
func TestParseErrors(t *testing.T) {
	t.Parallel()
	text := " max_attempts=x\tjitter=full name=\x1b[1m  jitter=none foo"
	_, err := retry.Parse(text)
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	want := []retry.ParseError{{Position: 2, Pair: "max_attempts=x"}, {Position: 40, Pair: "jitter=none"}, {Position: 52, Pair: "foo"}}
	require.Len(t, joined.Unwrap(), len(want))
	for i, err := range joined.Unwrap() {
		var wrong *retry.ParseError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, want[i], retry.ParseError{Position: wrong.Position, Pair: wrong.Pair})
		assert.ErrorIs(t, err, wrong.Err)
		assert.Contains(t, err.Error(), wrong.Err.Error())
		assertFault(t, err)
	}
}

// The pair is whole, also where the text of the error cuts it.
func TestParseErrorOfOwnMaking(t *testing.T) {
	t.Parallel()
	inner := errors.New("bad\nvalue")
	assert.EqualError(t, &retry.ParseError{Position: 3, Pair: "a=\x07", Err: inner}, `retry: Parse: position 3, in "a=\a": bad; value`)
	assert.EqualError(t, &retry.ParseError{}, "retry: Parse: position 0, in : <nil>")
}

func TestNilParseError(t *testing.T) {
	t.Parallel()
	var none *retry.ParseError
	assert.Equal(t, "<nil>", none.Error())
	assert.NoError(t, none.Unwrap())
	assert.False(t, none.Is(retry.ErrOption))
	assert.NotErrorIs(t, none, retry.ErrOption)
}

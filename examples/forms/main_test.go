package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var out bytes.Buffer
	require.NoError(t, run(ctx, &out))
	t.Log(out.String())
	for _, line := range []string{
		"Do:        reached the sensor, 3 attempts\n",
		"DoValue:   21.5 °C, 3 attempts\n",
		"Attempts:  attempt 2: error read kitchen: no answer in time\n",
		"Attempts:  attempt 3: error <nil>\n",
		"Attempts:  21.5 °C, 3 attempts\n",
		"Func:      21.5 °C, 3 attempts\n",
		"Method:    set is retried: \"festina lente\", 3 attempts\n",
		"Method:    append is not: retry: permanent error after 1 attempt in ",
	} {
		assert.Contains(t, out.String(), line)
	}
}

func TestRunCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(bytes.Buffer)), context.Canceled)
}

func TestReadWithoutRoom(t *testing.T) {
	t.Parallel()
	s := sensor{calls: 2} // would answer now
	_, err := retry.Func(s.read, policy)(t.Context(), "")
	require.ErrorIs(t, err, retry.ErrPermanent)
	require.ErrorContains(t, err, "no room given")
	assert.Equal(t, 2, s.calls, "the sensor was not asked")
}

func TestStoreWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change Change
		calls  int
		reason error
	}{
		{"set is retried", Change{Key: "k", Value: "v"}, 3, nil},
		{"append is not", Change{Key: "k", Value: "v", Append: true}, 1, retry.ErrPermanent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := NewStore()
			_, err := s.Write(t.Context(), tt.change)
			require.ErrorIs(t, err, tt.reason)
			assert.Equal(t, tt.calls, s.server.calls)
			assert.Equal(t, "v", s.server.data["k"], "writing it again changes nothing")
		})
	}
}

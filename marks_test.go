package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// errors.Is finds ErrPermanent in what Permanent marked, wherever the mark is, and only there.
func TestPermanentMatchesItsReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"marked", retry.Permanent(io.EOF), true},
		{"wrapped", fmt.Errorf("x: %w", retry.Permanent(io.EOF)), true},
		{"beneath After", retry.After(time.Second, retry.Permanent(io.EOF)), true},
		{"around After", retry.Permanent(retry.After(time.Second, io.EOF)), true},
		{"joined", errors.Join(errDown, retry.Permanent(io.EOF)), true},
		{"After alone", retry.After(time.Second, io.EOF), false},
		{"plain", io.EOF, false},
		{"nil", retry.Permanent(nil), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, errors.Is(tt.err, retry.ErrPermanent))
			assert.NotErrorIs(t, tt.err, retry.ErrExhausted)
			if tt.err != nil {
				assert.ErrorIs(t, tt.err, io.EOF)
			}
		})
	}
}

// The marks that are outermost of the last error are taken off in Error.Err, and no others;
// Attempt.Err is what the function returned.
func TestOutermostMarksAreTakenOff(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("x: %w", retry.Permanent(io.EOF))
	both := errors.Join(retry.Permanent(io.EOF), errDown)
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"permanent", retry.Permanent(io.EOF), io.EOF},
		{"hint", retry.After(time.Hour, io.EOF), io.EOF},
		{"both", retry.Permanent(retry.After(time.Hour, io.EOF)), io.EOF},
		{"both, the other way", retry.After(time.Hour, retry.Permanent(io.EOF)), io.EOF},
		{"twice", retry.Permanent(retry.Permanent(io.EOF)), io.EOF},
		{"what is marked stays as it is", retry.Permanent(wrapped), wrapped},
		{"not within", wrapped, wrapped},
		{"not in a join", both, both},
		{"no mark", errDown, errDown},
		{"a hint of its own", hintError{time.Hour, true}, hintError{time.Hour, true}},
	} {
		for _, way := range waysIn {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				var seen []error
				see := func(_ context.Context, a retry.Attempt) { seen = append(seen, a.Err) }
				e := stopped(t, way.call(context.Background(), always(tt.err), atOnce, retry.WithMaxAttempts(1),
					retry.WithHooks(retry.Hooks{AfterAttempt: see})))
				assert.True(t, e.Err == tt.want, "%#v", e.Err) // the very one
				require.Len(t, e.History(), 1)
				assert.True(t, e.History()[0].Err == tt.err, "%#v", e.History()[0].Err) // the very one
				require.Len(t, seen, 1)
				assert.True(t, seen[0] == tt.err, "%#v", seen[0]) // the very one
				require.ErrorIs(t, e, tt.want)
			})
		}
	}
}

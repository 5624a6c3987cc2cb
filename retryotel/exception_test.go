package retryotel_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// nilError has methods that panic for a nil pointer.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }
func (e *nilError) Unwrap() error { return errors.New(e.text) }

type panicking struct{}

func (panicking) Error() string { panic("no text") }

type panickingUnwrap struct{ error }

func (panickingUnwrap) Unwrap() error { panic("no error") }

type loop struct{}

func (loop) Error() string   { return "loop" }
func (l loop) Unwrap() error { return l }

// An error whose methods panic is recorded as package fmt prints it, and the call goes on. Recorded
// texts are one line of bounded length.
func TestHostileErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err      error
		typ      string
		contains string
	}{
		"a typed nil":                   {(*nilError)(nil), "*retryotel_test.nilError", "<nil>"},
		"a typed nil beneath Permanent": {retry.Permanent((*nilError)(nil)), "*retry.permanent", ""},
		"a typed nil beneath a Join":    {errors.Join(errDown, (*nilError)(nil)), "*errors.joinError", "PANIC"},
		"an Error that panics":          {panicking{}, "github.com/seed-205ff063/retry/retryotel_test.panicking", "PANIC"},
		"an Unwrap that panics":         {panickingUnwrap{errDown}, "github.com/seed-205ff063/retry/retryotel_test.panickingUnwrap", "down"},
		"an error that wraps itself":    {loop{}, "github.com/seed-205ff063/retry/retryotel_test.loop", "loop"},
		"an escape and two lines":       {errors.New("\x1b[31mred\nand blue\u202e"), "*errors.errorString", `\x1b[31mred; and blue\u202e`},
		"eight MiB":                     {errors.New(strings.Repeat("x", 8<<20)), "*errors.errorString", "x…x"},
		"no UTF-8":                      {errors.New("a\xffb"), "*errors.errorString", "a\ufffdb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t)
			err := retry.Do(t.Context(), func(context.Context) error { return tt.err }, k.options(retry.WithMaxAttempts(1))...)
			require.Error(t, err)
			k.assertSpansEnded(t)
			k.figures(t).assertAddUp(t)
			ended := k.spans.Ended()
			require.Len(t, ended, 2)
			attempt, call := ended[0], ended[1]
			require.Len(t, attempt.Events(), 1)
			event := attempt.Events()[0]
			assert.Equal(t, "exception", event.Name)
			said := map[string]string{}
			for _, kv := range event.Attributes {
				said[string(kv.Key)] = kv.Value.AsString()
			}
			assert.Equal(t, tt.typ, said["exception.type"])
			for _, text := range []string{said["exception.message"], attempt.Status().Description, call.Status().Description} {
				assert.Contains(t, text, tt.contains)
				assert.LessOrEqual(t, len(text), 1024)
				assert.NotContains(t, text, "\n")
				assert.NotContains(t, text, "\x1b")
			}
		})
	}
}

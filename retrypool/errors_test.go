package retrypool_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

func TestPanicErrorUnwrap(t *testing.T) {
	t.Parallel()
	assert.Equal(t, errDown, errors.Unwrap(&retrypool.PanicError{Value: errDown}))
	assert.NoError(t, errors.Unwrap(&retrypool.PanicError{Value: 7}))
}

// nilError has methods that panic for a nil pointer.
type nilError struct{ text string }

func (e *nilError) Error() string        { return e.text }
func (e *nilError) Unwrap() error        { return errors.New(e.text) }
func (e *nilError) Is(target error) bool { return target.Error() == e.text }

type panicking struct{}

func (panicking) Error() string { panic("no text") }

type loop struct{}

func (l loop) Error() string { return "loop" }
func (l loop) Unwrap() error { return l }

// hostileErrors are errors that panic, loop or have unsafe texts. The pool must survive them.
func hostileErrors() map[string]error {
	return map[string]error{
		"a typed nil":                 (*nilError)(nil),
		"an error that wraps itself":  loop{},
		"an Error that panics":        panicking{},
		"eight MiB and an escape":     errors.New("\x1b[31m" + strings.Repeat("x", 8<<20) + "\nend"),
		"a typed nil beneath a mark":  retry.Permanent((*nilError)(nil)),
		"a typed nil beneath a Join":  errors.Join(errDown, (*nilError)(nil)),
		"a panicking Error in a Join": errors.Join(errDown, panicking{}),
	}
}

// assertSafeText checks that the error's text is one line of bounded length.
func assertSafeText(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	assert.LessOrEqual(t, len(text), 4096)
	assert.NotContains(t, text, "\x1b")
	assert.NotContains(t, text, "\n")
}

// Whatever errors the function, DeadLetter or a cancellation return, the pool goes on and the
// texts of its own errors are one line.
func TestHostileErrors(t *testing.T) {
	t.Parallel()
	for name, bad := range hostileErrors() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fail := func(context.Context, int) (int, error) { return 0, bad }
				raise := func(context.Context, int) (int, error) { panic(bad) }
				letter := func(context.Context, int, *retry.Error) error { return bad }
				for _, fn := range []func(context.Context, int) (int, error){fail, raise} {
					p := newPool(t, fn, retrypool.Config[int]{Policy: waitEvery(time.Second, 2), DeadLetter: letter})
					_, err := submit(t, p, 1).Wait(t.Context())
					require.Error(t, err)
					text := err.Error()
					assert.Contains(t, text, "; retrypool: dead letter: ")
					assert.NotContains(t, text, "\x1b")
					assert.Less(t, len(text), 4096)
					require.NoError(t, p.Join(t.Context()))
					assert.Equal(t, 1, p.Stats().Failed)
				}
				assertSafeText(t, &retrypool.PanicError{Value: bad})

				ctx, cancel := context.WithCancelCause(t.Context())
				cancel(bad)
				g := make(latch)
				p := newPool(t, g.fn, retrypool.Config[int]{})
				task := submit(t, p, 1)
				_, err := p.Submit(ctx, 1)
				require.ErrorIs(t, err, context.Canceled)
				assertSafeText(t, err)
				_, err = task.Wait(ctx)
				require.ErrorIs(t, err, context.Canceled)
				assertSafeText(t, err)
				err = p.Join(ctx)
				require.ErrorIs(t, err, context.Canceled)
				assertSafeText(t, err)
				close(g)
			})
		})
	}
}

package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// errorTree is an error built from bytes, with the result that its marks must have.
type errorTree struct {
	err       error
	permanent bool
	hint      time.Duration
}

// buildErrorTree builds a small tree. The bytes are the program of a stack machine.
func buildErrorTree(data []byte) errorTree {
	stack := []errorTree{{err: errDown}}
	pop := func() errorTree {
		top := stack[len(stack)-1]
		if len(stack) > 1 {
			stack = stack[:len(stack)-1]
		}
		return top
	}
	push := func(t errorTree) { stack = append(stack, t) }
	for _, b := range data {
		d := time.Duration(int(b/11)-4) * time.Second
		switch x := stack[len(stack)-1]; b % 11 {
		case 0:
			push(errorTree{err: errOdd})
		case 1:
			pop()
			push(errorTree{retry.Permanent(x.err), true, x.hint})
		case 2:
			pop()
			push(errorTree{retry.After(d, x.err), x.permanent, max(x.hint, d)})
		case 3:
			pop()
			push(errorTree{fmt.Errorf("wrapped: %w", x.err), x.permanent, x.hint})
		case 4, 5:
			x, y := pop(), pop()
			joined := errors.Join(x.err, y.err)
			if b%11 == 5 {
				joined = fmt.Errorf("%w and %w", x.err, y.err)
			}
			push(errorTree{joined, x.permanent || y.permanent, max(x.hint, y.hint)})
		case 6:
			pop()
			push(errorTree{err: retry.Do(context.Background(), alwaysReturn(x.err), retry.WithMaxAttempts(1))})
		case 7:
			pop()
			push(errorTree{&retry.Error{Reason: retry.ErrRetryAfter, Delay: d, Err: x.err}, false, max(d, 0)})
		case 8:
			push(errorTree{err: (*retry.Error)(nil)})
		case 9:
			push(errorTree{hintError{d, true}, false, max(d, 0)})
		case 10:
			push(errorTree{err: hintError{time.Hour, false}})
		}
	}
	return pop()
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 3, 0, 4})
	f.Add([]byte{1, 6, 3})
	f.Add([]byte{8, 4, 1, 103, 5})
	f.Add([]byte{90, 57, 24, 3, 4, 9, 20, 5, 7})
	f.Add([]byte{2 + 11*9, 6, 0, 2 + 11*7, 5})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 40 {
			return
		}
		tree := buildErrorTree(data)
		text := tree.err.Error()
		isPermanent, hint := marksIn(t, tree.err)
		require.Equal(t, tree.permanent, isPermanent)
		if !isPermanent {
			require.Equal(t, tree.hint, hint)
		}
		a := retry.Attempt{Number: 1, Err: tree.err}
		for _, c := range []retry.Classifier{
			retry.Is(errDown, io.EOF), retry.As[*typedError](), retry.As[net.Error](), retry.Transient, retry.AlreadyRetried,
		} {
			c(a)
		}
		for _, marked := range []error{retry.Permanent(tree.err), retry.After(time.Second, tree.err)} {
			require.Equal(t, text, marked.Error(), "a mark adds no text")
		}
	})
}

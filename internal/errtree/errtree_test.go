package errtree_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// loop unwraps to itself.
type loop struct{ joined bool }

func (*loop) Error() string { return "loop" }

func (l *loop) Unwrap() []error {
	if l.joined {
		return []error{l, l}
	}
	return []error{l}
}

type single struct{}

func (s *single) Error() string { return "single" }
func (s *single) Unwrap() error { return s }

// rude panics in every method.
type rude struct{}

func (rude) Error() string   { panic("Error") }
func (rude) Unwrap() error   { panic("Unwrap") }
func (rude) Is(error) bool   { panic("Is") }
func (rude) As(any) bool     { panic("As") }
func (rude) Timeout() bool   { panic("Timeout") }
func (rude) Temporary() bool { panic("Temporary") }

type slices []error

func (slices) Error() string { return "not comparable" }

func TestIsAndAsAgreeWithPackageErrors(t *testing.T) {
	t.Parallel()
	timeout := &net.DNSError{IsTimeout: true}
	for name, err := range map[string]error{
		"nil":            nil,
		"itself":         io.EOF,
		"wrapped":        fmt.Errorf("read: %w", io.EOF),
		"joined":         errors.Join(io.ErrClosedPipe, fmt.Errorf("b: %w", io.EOF)),
		"by Is method":   fmt.Errorf("open: %w", &os.PathError{Err: fs.ErrNotExist}),
		"deadline":       fmt.Errorf("dial: %w", timeout),
		"other":          errors.New("EOF"),
		"not comparable": slices{io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, target := range []error{nil, io.EOF, fs.ErrNotExist, context.DeadlineExceeded, slices{}} {
				assert.Equal(t, errors.Is(err, target), errtree.Is(err, target), "%v", target)
			}
			var dns *net.DNSError
			got, ok := errtree.As[*net.DNSError](err)
			assert.Equal(t, errors.As(err, &dns), ok)
			assert.Same(t, dns, got)
		})
	}
}

func TestHostileTrees(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"unwraps to itself":       &single{},
		"joins itself":            &loop{},
		"joins itself twice":      &loop{joined: true},
		"typed nil":               (*url.Error)(nil),
		"typed nil, wrapped":      fmt.Errorf("get: %w", (*url.Error)(nil)),
		"every method panics":     rude{},
		"every method, deep down": fmt.Errorf("a: %w", rude{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.False(t, errtree.Is(err, io.EOF))
			_, ok := errtree.As[*net.DNSError](err)
			assert.False(t, ok)
			assert.True(t, errtree.Is(errors.Join(err, io.EOF), io.EOF) || name[:5] == "joins" || name[:7] == "unwraps",
				"the error after it is still found")
		})
	}
}

func TestWalkStopsWhenVisitReturnsFalse(t *testing.T) {
	t.Parallel()
	visited := 0
	errtree.Walk(errors.Join(io.EOF, io.EOF, io.EOF), func(error) bool {
		visited++
		return visited < 2
	})
	assert.Equal(t, 2, visited)
}

func TestIsNil(t *testing.T) {
	t.Parallel()
	var f func()
	assert.True(t, errtree.IsNil(nil))
	assert.True(t, errtree.IsNil((*url.Error)(nil)))
	assert.True(t, errtree.IsNil(f))
	assert.False(t, errtree.IsNil(&url.Error{}))
	assert.False(t, errtree.IsNil([]int(nil)), "a nil slice is a value like any other")
	assert.False(t, errtree.IsNil(0))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seed-205ff063/retry"
)

// Store is a client whose method Write retries where that is safe.
type Store struct {
	server server
	write  func(ctx context.Context, c Change) (value string, err error)
}

// Change is the argument of Write. It is one value, because Func takes functions with one argument.
type Change struct {
	Key, Value string
	Append     bool // append Value instead of replacing the old value
}

// NewStore wraps the method once, for all calls.
func NewStore() *Store {
	s := new(Store)
	s.write = retry.Func(s.writeOnce, policy)
	return s
}

// Write makes the change and returns the new value of the key.
func (s *Store) Write(ctx context.Context, c Change) (string, error) { return s.write(ctx, c) }

// writeOnce makes one attempt. The server may have made the change although its answer was lost.
// Then setting the key again is harmless, but a second append would append twice.
func (s *Store) writeOnce(ctx context.Context, c Change) (string, error) {
	value, err := s.server.send(ctx, c)
	if err != nil && c.Append {
		return "", retry.Permanent(err)
	}
	return value, err
}

// useMethod calls Write with a change that may be retried, and with one that may not.
func useMethod(ctx context.Context, w io.Writer) error {
	s := NewStore()
	value, err := s.Write(ctx, Change{Key: "motto", Value: "festina lente"})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Method:    set is retried: %q, %d attempts\n", value, s.server.calls)

	s = NewStore()
	_, err = s.Write(ctx, Change{Key: "motto", Value: "festina lente", Append: true})
	if !errors.Is(err, retry.ErrPermanent) {
		return fmt.Errorf("append: want a permanent error, got %w", err)
	}
	fmt.Fprintf(w, "Method:    append is not: %v\n", err)
	return nil
}

// server makes each change, but its first two answers get lost.
type server struct {
	calls int
	data  map[string]string
}

func (s *server) send(_ context.Context, c Change) (value string, err error) {
	if s.data == nil {
		s.data = make(map[string]string)
	}
	if c.Append {
		c.Value = s.data[c.Key] + c.Value
	}
	s.data[c.Key] = c.Value
	if s.calls++; s.calls < 3 {
		return "", fmt.Errorf("write %s: %w", c.Key, errTimeout)
	}
	return c.Value, nil
}

//go:build !unix

package servers

import (
	"context"
	"errors"
	"testing"
)

type (
	template struct{ data string }
	guardian struct{}
)

var errNone = errors.New("there is no server")

func (k *kind) start(t testing.TB, _ []string) *Server {
	t.Helper()
	k.unavailable(t, "can be started only on Unix systems")
	return nil
}

// Restart is never called, because there is no server.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	t.Fatal(errNone)
}

// RestartFast is never called, because there is no server.
func (s *Server) RestartFast(t testing.TB) {
	t.Helper()
	t.Fatal(errNone)
}

func (s *Server) ping(context.Context) error { return errNone }

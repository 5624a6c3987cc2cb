// Package neterr tells failures of the network that pass from those that do not.
package neterr

import (
	"context"
	"io"
	"net"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Transient reports whether the tree of err holds a failure of the network that is likely
// to pass. It is a list of what does: whatever is not on it does not.
func Transient(err error) bool {
	// A cancelled lookup claims to be temporary and a cancelled dial to have timed out.
	if err == nil || errtree.Is(err, context.Canceled) {
		return false
	}
	w := walk{nodes: errtree.MaxNodes}
	return w.transient(err)
}

// walk reads a tree of errors that somebody else made, see package errtree.
type walk struct{ nodes int }

func (w *walk) transient(err error) (found bool) {
	defer func() { _ = recover() }() // a method of err panicked: this branch says no
	for ; err != nil && w.nodes > 0; w.nodes-- {
		if system, passes := systemError(err); system {
			return passes
		}
		switch e := err.(type) {
		case *net.DNSError:
			return e != nil && !e.IsNotFound && (e.IsTimeout || e.IsTemporary)
		case interface{ Timeout() bool }:
			if e.Timeout() {
				return true
			}
		}
		if err == io.ErrUnexpectedEOF {
			return true
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, branch := range e.Unwrap() {
				if w.transient(branch) {
					return true
				}
			}
			return false
		default:
			return false
		}
	}
	return false
}

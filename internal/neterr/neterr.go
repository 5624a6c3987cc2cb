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
	nodes := errtree.MaxNodes
	return transient(err, &nodes)
}

// transient reads a tree of errors that somebody else made, see package errtree.
func transient(err error, nodes *int) bool {
	for err != nil && *nodes > 0 {
		*nodes--
		if decided, passes := decide(err); decided {
			return passes
		}
		var branches []error
		branches, err = errtree.Unwrap(err)
		for _, branch := range branches {
			if transient(branch, nodes) {
				return true
			}
		}
	}
	return false
}

// decide reports whether err itself says what its branch of the tree is, and what that is.
func decide(err error) (decided, passes bool) {
	defer func() { _ = recover() }() // a method of err panicked: it says nothing
	if system, passes := systemError(err); system {
		return true, passes
	}
	switch e := err.(type) { // the caller unwraps
	case *net.DNSError:
		return true, e != nil && !e.IsNotFound && (e.IsTimeout || e.IsTemporary)
	case interface{ Timeout() bool }:
		if e.Timeout() {
			return true, true
		}
	}
	return err == io.ErrUnexpectedEOF, true // the caller unwraps
}

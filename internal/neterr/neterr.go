// Package neterr reports which network errors are transient.
package neterr

import (
	"context"
	"io"
	"net"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Transient reports whether the tree of err holds a transient network error, such as a refused
// connection or a timeout. It knows a list of transient errors; all others are not transient.
func Transient(err error) bool {
	// A cancelled lookup claims to be temporary, and a cancelled dial claims to have timed out.
	if err == nil || errtree.Is(err, context.Canceled) {
		return false
	}
	nodes := errtree.MaxNodes
	return transient(err, &nodes)
}

// transient walks the tree of err until nodes is 0. It does not use errtree.Walk because it does not
// look below an error that decides for its branch.
func transient(err error, nodes *int) bool {
	for err != nil && *nodes > 0 {
		*nodes--
		if decided, transient := decide(err); decided {
			return transient
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

// decide reports whether err alone decides for its branch of the tree, and if so whether the branch
// is transient.
func decide(err error) (decided, transient bool) {
	defer func() { _ = recover() }() // a method of err panicked: err decides nothing
	if system, transient := systemError(err); system {
		return true, transient
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

// Package neterr tells failures of the network that pass from those that do not.
package neterr

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
)

// Transient reports whether the tree of err holds a failure of the network that is likely
// to pass. It is a list of what does: whatever is not on it does not.
func Transient(err error) bool {
	// A cancelled lookup claims to be temporary and a cancelled dial to have timed out.
	return err != nil && !errors.Is(err, context.Canceled) && transient(err)
}

func transient(err error) bool {
	for err != nil {
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
			return slices.ContainsFunc(e.Unwrap(), transient)
		default:
			return false
		}
	}
	return false
}

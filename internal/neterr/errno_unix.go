//go:build !windows && !plan9

package neterr

import "syscall"

// systemError reports whether err is an error number, and whether it is transient.
func systemError(err error) (system, transient bool) {
	e, ok := err.(syscall.Errno)
	if !ok {
		return false, false
	}
	switch e {
	case syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE,
		syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN,
		syscall.EADDRNOTAVAIL:
		return true, true
	}
	return true, false
}

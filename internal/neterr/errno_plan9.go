package neterr

import (
	"strings"
	"syscall"
)

// systemError reports whether err is an error string of the kernel, and whether it is transient.
// Plan 9 has no error numbers.
func systemError(err error) (system, transient bool) {
	e, ok := err.(syscall.ErrorString)
	if !ok {
		return false, false
	}
	for _, text := range []string{"connection refused", "connection timed out", "hungup", "network unreachable"} {
		if strings.Contains(string(e), text) {
			return true, true
		}
	}
	return true, false
}

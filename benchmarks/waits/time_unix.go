//go:build unix

package main

import (
	"syscall"
	"time"
)

// processorTime returns the time that the process has used so far, in its own code and in the kernel.
func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

//go:build !unix

package main

import (
	"errors"
	"time"
)

// processorTime is not to be had here by the standard library.
func processorTime() (time.Duration, error) {
	return 0, errors.New("processor time is measured on Unix only")
}

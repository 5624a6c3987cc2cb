//go:build !unix

package main

import (
	"errors"
	"time"
)

// processorTime returns an error: the standard library cannot measure it here.
func processorTime() (time.Duration, error) {
	return 0, errors.New("processor time is measured on Unix only")
}

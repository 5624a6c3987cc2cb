package main

import (
	"github.com/failsafe-go/failsafe-go/timeout"
)

// timeoutPolicy is failsafe-go's timeout, which within its retry policy is one for each attempt.
func timeoutPolicy[R any]() timeout.Timeout[R] { return timeout.New[R](attemptTimeout) }

package main

import (
	"github.com/failsafe-go/failsafe-go/timeout"
)

// timeoutPolicy returns failsafe-go's timeout. Inside its retry policy it applies to each attempt.
func timeoutPolicy[R any]() timeout.Timeout[R] { return timeout.New[R](attemptTimeout) }

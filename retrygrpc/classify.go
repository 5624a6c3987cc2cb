package retrygrpc

import (
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-205ff063/retry"
)

// Transient is a [retry.Classifier] that matches the statuses that are worth another attempt:
// UNAVAILABLE, RESOURCE_EXHAUSTED but for a message above a size limit, and DEADLINE_EXCEEDED if
// the attempt's own timeout ended it.
//
// It is for code that calls a client itself, as WithRetryIf(retrygrpc.Transient). It does not know
// whether the server processed the call, so the function must be safe to run again. Calls
// through an [Interceptor] need no such option.
func Transient(a retry.Attempt) bool {
	st := statusOf(a.Err)
	if st.Code() == codes.DeadlineExceeded {
		return a.TimedOut
	}
	return transient(st.Code()) && !tooLarge(st)
}

// Codes returns a [retry.Classifier] that matches errors with one of the codes, as status.Code
// tells it: an error without a status has the code UNKNOWN. Without codes it matches none.
func Codes(list ...codes.Code) retry.Classifier {
	own := slices.Clone(list)
	return func(a retry.Attempt) bool { return slices.Contains(own, status.Code(a.Err)) }
}

package retrygrpc

import (
	"math"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// pushbackKey is the trailer by which a server says when to come again, in milliseconds. See
// https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback.
const pushbackKey = "grpc-retry-pushback-ms"

// answer is what the server said about another attempt.
type answer struct {
	stops   bool          // it forbids one
	permits bool          // it allows one, so the call was not processed
	hint    time.Duration // not before this; 0: none
}

// read returns what the server said by its trailer and its status.
func read(trailer metadata.MD, st *status.Status) answer {
	a := pushback(trailer)
	if hint, ok := retryInfo(st); ok {
		a.permits, a.hint = true, max(a.hint, hint)
	}
	return a
}

// pushback reads the trailer. What is no number says stop, and so do several values.
func pushback(trailer metadata.MD) answer {
	values := trailer[pushbackKey]
	if len(values) == 0 {
		return answer{}
	}
	ms, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil || len(values) > 1 {
		return answer{stops: true}
	}
	return answer{permits: true, hint: time.Duration(min(ms, math.MaxInt64/uint64(time.Millisecond))) * time.Millisecond}
}

// RetryInfo returns how long the server asks to wait before another attempt: the delay of a
// google.rpc.RetryInfo in the details of err's status. Of several the longest counts; one without a
// delay is 0 and true. A negative or invalid delay is as none, and without any the result is false.
//
// The interceptors obey it. A server that sends one says that the call may be sent again.
func RetryInfo(err error) (time.Duration, bool) {
	if err == nil {
		return 0, false
	}
	return retryInfo(statusOf(err))
}

// retryInfo is RetryInfo for a status.
func retryInfo(st *status.Status) (longest time.Duration, found bool) {
	for _, detail := range st.Details() {
		info, ok := detail.(*errdetails.RetryInfo)
		if !ok {
			continue
		}
		delay := info.GetRetryDelay()
		if delay != nil && (delay.CheckValid() != nil || delay.AsDuration() < 0) {
			continue
		}
		longest, found = max(longest, delay.AsDuration()), true
	}
	return longest, found
}

package retrygrpc

import (
	"math"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// pushbackKey is the trailer with which a server sets the wait before a retry, in milliseconds. See
// https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback.
const pushbackKey = "grpc-retry-pushback-ms"

// serverHint is what the server says about another attempt.
type serverHint struct {
	forbids bool          // there must be no other attempt
	permits bool          // another attempt is safe: the call was not processed
	wait    time.Duration // the shortest wait before it; 0: the policy's own
}

// readHint returns what the trailer and the status say.
func readHint(trailer metadata.MD, st *status.Status) serverHint {
	h := readPushback(trailer)
	if delay, ok := retryInfo(st); ok {
		h.permits, h.wait = true, max(h.wait, delay)
	}
	return h
}

// readPushback reads the trailer. A single number permits another attempt; anything else forbids
// it.
func readPushback(trailer metadata.MD) serverHint {
	values := trailer[pushbackKey]
	if len(values) == 0 {
		return serverHint{}
	}
	ms, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil || len(values) > 1 {
		return serverHint{forbids: true}
	}
	return serverHint{permits: true, wait: time.Duration(min(ms, math.MaxInt64/uint64(time.Millisecond))) * time.Millisecond}
}

// RetryInfo returns how long the server asks the caller to wait before another attempt. It reads
// the delay of a google.rpc.RetryInfo in the status details of err. It returns false if err has
// none.
//
// The longest of several delays counts. A RetryInfo without a delay gives 0 and true. One with a
// negative or invalid delay is ignored.
//
// The interceptors wait for this delay and take a RetryInfo as permission to send the call again.
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

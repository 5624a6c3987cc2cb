package retryhttp_test

import (
	"errors"
	"net"
	"net/http"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retryhttp"
)

// refusedStream is an error like net/http's for a refused HTTP/2 stream: errors.As copies it
// into any struct with fields of these names.
type refusedStream struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e refusedStream) Error() string { return "stream error: stream ID 1; REFUSED_STREAM" }

func (e refusedStream) As(target any) bool {
	v := reflect.ValueOf(target).Elem()
	if v.Kind() != reflect.Struct || v.NumField() != 3 || !v.FieldByName("Code").IsValid() {
		return false
	}
	v.FieldByName("Code").SetUint(uint64(e.Code))
	return true
}

// TestBaseWithoutTrace checks bases that do not report their connections. For a request that is
// not idempotent, the error alone must then be the proof.
func TestBaseWithoutTrace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		want int64
	}{
		{"dial", errDialRefused, 3},
		{"DNS", &net.DNSError{IsTemporary: true}, 3},
		{"refused stream", refusedStream{Code: codeRefused}, 3},
		{"other stream error", refusedStream{Code: codeInternal}, 1},
		{"read", &net.OpError{Op: "read", Err: errors.New("reset")}, 1},
		{"anything", errors.New("anything"), 1},
	} {
		base := &countingBase{base: roundTripper(func(*http.Request) (*http.Response, error) { return nil, test.err })}
		_, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(newRequest(t, "POST", "http://host.example", nil))
		require.ErrorIs(t, err, test.err)
		assert.Equal(t, test.want, base.attempts.Load(), test.name)
	}
}

package retryhttp_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// retrieveError has the fields of golang.org/x/oauth2's RetrieveError.
type retrieveError struct {
	Response         *http.Response
	Body             []byte
	ErrorCode        string
	ErrorDescription string
	ErrorURI         string
}

func (e *retrieveError) Error() string { return fmt.Sprintf("oauth2: %q", e.ErrorCode) }

// TestRefusedTokenTable checks the table's row for OAuth2. A test with the real package is in
// internal/itest.
func TestRefusedTokenTable(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]int64{400: 1, 401: 1, 403: 1, 429: 1, 499: 1, 500: 3, 503: 3, 302: 3} {
		for _, way := range []string{"Transport", "Do"} {
			refusal := &retrieveError{Response: newResponse(code), ErrorCode: "invalid_grant"}
			base := &countingBase{base: roundTripper(func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("wrapped: %w", refusal) })}
			req := newRequest(t, "GET", "http://host.example", nil)
			var err error
			if way == "Do" {
				_, err = retryhttp.Do(&http.Client{Transport: base}, req, decodeText, quickPolicy())
			} else {
				_, err = (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(req) //nolint:bodyclose // there is none
			}
			require.ErrorIs(t, err, refusal)
			assert.Equal(t, want, base.attempts.Load(), "%d, %s", code, way)
		}
	}
	for name, other := range map[string]error{
		"no response":   &retrieveError{},
		"nil":           (*retrieveError)(nil),
		"unexported":    &hiddenResponse{response: newResponse(400)},
		"another field": &otherResponse{Response: 400},
	} {
		assert.True(t, retryhttp.Transient(retry.Attempt{Err: other}), name)
	}
}

type hiddenResponse struct{ response *http.Response }

func (e *hiddenResponse) Error() string { return fmt.Sprint("hidden ", e.response.StatusCode) }

type otherResponse struct{ Response int }

func (e *otherResponse) Error() string { return fmt.Sprint("other ", e.Response) }

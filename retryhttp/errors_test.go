package retryhttp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestRetryErrorText checks the text of the error that a caller sees.
func TestRetryErrorText(t *testing.T) {
	t.Parallel()
	s := serve(t, hangUp)
	_, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(retry.WithName("fetch"))}).RoundTrip(newRequest(t, "GET", s.URL+"/path", nil))
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	assert.Same(t, err, e, "bare, as from any RoundTripper")
	assert.True(t, strings.HasPrefix(err.Error(), "retry: fetch: attempts exhausted after 3 attempts in "), err.Error())
	assert.True(t, strings.HasSuffix(err.Error(), ": EOF"), err.Error())
}

// TestURLErrorTimeout checks that an error still answers Timeout after http.Client has wrapped
// it. url.Error asks only the error that it wraps directly.
func TestURLErrorTimeout(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name    string
		step    http.HandlerFunc
		opts    []retry.Option
		client  time.Duration
		timeout bool
	}{
		{"attempt's", hang, []retry.Option{retry.WithAttemptTimeout(time.Second)}, 0, true},
		{"client's", hang, nil, time.Second, true},
		{"no", hangUp, nil, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, base := serveInMemory(t, test.step)
				client := &http.Client{Transport: &retryhttp.Transport{Base: base, Policy: quickPolicy(test.opts...)}, Timeout: test.client}
				_, err := client.Do(newRequest(t, "GET", "http://host.example", nil))
				var e *url.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, test.timeout, e.Timeout())
			})
		})
	}
}

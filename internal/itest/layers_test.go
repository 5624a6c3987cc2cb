package itest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/oauth2"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// quickPolicy makes three attempts without waits.
func quickPolicy(opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(3)}, opts...)...)
}

func token() oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "secret"})
}

// TestLayers checks that an outer layer recognizes a response that an inner Transport gave up on,
// through the wrappers that people use.
func TestLayers(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{
		"otelhttp": func(base http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(base) },
		"oauth2":   func(base http.RoundTripper) http.RoundTripper { return &oauth2.Transport{Source: token(), Base: base} },
		"both": func(base http.RoundTripper) http.RoundTripper {
			return otelhttp.NewTransport(&oauth2.Transport{Source: token(), Base: base})
		},
	} {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				var requests atomic.Int64
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					requests.Add(1)
					w.WriteHeader(http.StatusServiceUnavailable)
				}))
				defer server.Close()
				inner := wrap(&retryhttp.Transport{Policy: quickPolicy()})
				once := quickPolicy(retry.WithStopIf(retry.AlreadyRetried))
				if way == "Do" {
					_, err := retryhttp.Do(&http.Client{Transport: inner}, get(t, "GET", server.URL), func(*http.Response) (int, error) { return 0, nil }, once)
					require.ErrorIs(t, err, retry.ErrPermanent)
				} else {
					resp, err := (&retryhttp.Transport{Base: inner, Policy: once}).RoundTrip(get(t, "GET", server.URL))
					require.NoError(t, err)
					_ = resp.Body.Close()
				}
				assert.EqualValues(t, 3, requests.Load())
			})
		}
	}
}

// tokenEndpoint is a token endpoint that answers with the codes one after the other, and then with
// the last.
type tokenEndpoint struct {
	codes []int
	asked atomic.Int64
}

func (e *tokenEndpoint) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	code := e.codes[min(int(e.asked.Add(1)), len(e.codes))-1]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if code == http.StatusOK {
		_, _ = fmt.Fprint(w, `{"access_token":"t","token_type":"bearer","expires_in":3600}`)
	} else {
		_, _ = fmt.Fprint(w, `{"error":"invalid_grant"}`)
	}
}

// TestRefusedGrant checks that a token endpoint which refuses a grant is asked once. One that is down
// for a moment is asked again.
func TestRefusedGrant(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		codes      []int
		asked, api int64
	}{
		{"invalid_grant", []int{400}, 1, 0},
		{"invalid_client", []int{401}, 1, 0},
		{"down for a moment", []int{503, 503, 200}, 3, 1},
	} {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(test.name+", "+way, func(t *testing.T) {
				t.Parallel()
				var api atomic.Int64
				apis := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { api.Add(1) }))
				defer apis.Close()
				endpoint := &tokenEndpoint{codes: test.codes}
				tokens := httptest.NewServer(endpoint)
				defer tokens.Close()
				config := &oauth2.Config{ClientID: "id", ClientSecret: "secret", Endpoint: oauth2.Endpoint{TokenURL: tokens.URL, AuthStyle: oauth2.AuthStyleInParams}}
				expired := &oauth2.Token{RefreshToken: "r", Expiry: time.Now().Add(-time.Hour)}
				err := send(t, way, &oauth2.Transport{Source: config.TokenSource(context.Background(), expired)}, apis.URL)
				assert.Equal(t, test.asked, endpoint.asked.Load())
				assert.Equal(t, test.api, api.Load())
				if test.api == 0 {
					require.ErrorIs(t, err, retry.ErrPermanent)
					assert.False(t, strings.Contains(err.Error(), "secret"))
					return
				}
				require.NoError(t, err)
			})
		}
	}
}

// send sends a GET through base with retries, by a Transport or by Do.
func send(t *testing.T, way string, base http.RoundTripper, url string) error {
	t.Helper()
	if way == "Do" {
		_, err := retryhttp.Do(&http.Client{Transport: base}, get(t, "GET", url), func(resp *http.Response) (string, error) {
			text, err := io.ReadAll(resp.Body)
			return string(text), err
		}, quickPolicy())
		return err
	}
	resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(get(t, "GET", url))
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

package page_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/internal/page"
)

// answer is an answer of the API.
type answer struct {
	Title  string
	Rows   [][]string
	SVG    string
	Error  string
	Faults []struct {
		Policy, Position int
		Text, Problem    string
	}
}

func get(t *testing.T, server *httptest.Server, path, host string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	require.NoError(t, err)
	request.Host = host
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func TestAPI(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(page.Server(true).Handler)
	t.Cleanup(server.Close)
	five := strings.Repeat("p=&", 5)
	for _, tt := range []struct {
		name, path, want string
	}{
		{"no model", "/api/run?p=", `model: "" is not plan, herd, occ or outage`},
		{"too many policies", "/api/check?" + five, "5 policies are too many; the limit is 4"},
		{"too many policies to run", "/api/run?model=plan&" + five, "5 policies are too many; the limit is 4"},
		{"a policy that is too long", "/api/check?p=" + strings.Repeat("x", 1001), "policy 1 has 1001 characters; the limit is 1000"},
		{"too many clients", "/api/run?model=herd&clients=200001", "-clients: 200001 is above 200000, the page's limit; the command has a higher limit"},
		{"no clients", "/api/run?model=herd&clients=0", "-clients: 0 is not from 1 to 10000000"},
		{"too many competing clients", "/api/run?model=occ&clients=500", "-clients: 500 is above 200, the page's limit; the command has a higher limit"},
		{"too many calls", "/api/run?model=outage&rps=100000", "-rps: 10000000 calls in all are above 300000, the page's limit; the command has a higher limit"},
		{"not a number", "/api/run?model=outage&rps=x&down=y", "-rps: \"x\" is not a number\n-down: \"y\" is not a duration such as 30s"},
		{"no waits", "/api/run?model=outage&rps=10&p=" + url.QueryEscape("name=eager backoff=constant(0s) max_attempts=unlimited"), "-rps: more than 1000000 attempts at the same moment; the policy must wait"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			response, body := get(t, server, tt.path, "")
			assert.Equal(t, http.StatusOK, response.StatusCode)
			var a answer
			require.NoError(t, json.Unmarshal([]byte(body), &a))
			assert.Equal(t, tt.want, a.Error)
			assert.Empty(t, a.SVG)
		})
	}
	t.Run("all models", func(t *testing.T) {
		t.Parallel()
		for _, model := range []string{"plan", "herd", "occ", "outage"} {
			_, body := get(t, server, "/api/run?clients=20&trials=2&rps=10&capacity=20&down=1s&after=3s&p=name%3Dx&width=400&model="+model, "")
			var a answer
			require.NoError(t, json.Unmarshal([]byte(body), &a))
			assert.NotEmpty(t, a.Rows, model)
			assert.Contains(t, a.SVG, `width="300pt"`, model)
		}
	})
	t.Run("an error in a policy", func(t *testing.T) {
		t.Parallel()
		_, body := get(t, server, "/api/run?model=plan&p=&p="+url.QueryEscape("jitter=full max_attempts=0"), "")
		var a answer
		require.NoError(t, json.Unmarshal([]byte(body), &a))
		require.Len(t, a.Faults, 1)
		assert.Equal(t, 2, a.Faults[0].Policy)
		assert.Equal(t, 13, a.Faults[0].Position)
	})
}

// TestOnlyLoopback checks that another web site cannot reach the server under its own domain name.
func TestOnlyLoopback(t *testing.T) {
	t.Parallel()
	local, open := httptest.NewServer(page.Server(true).Handler), httptest.NewServer(page.Server(false).Handler)
	t.Cleanup(local.Close)
	t.Cleanup(open.Close)
	for host, status := range map[string]int{
		"": 200, "localhost:80": 200, "127.0.0.1": 200, "127.8.8.8:1": 200, "[::1]:80": 200, "[::1]": 200,
		"evil.example": 403, "evil.example:80": 403, "192.0.2.1": 403, "localhost.evil.example": 403,
	} {
		response, _ := get(t, local, "/", host)
		assert.Equal(t, status, response.StatusCode, host)
		response, _ = get(t, open, "/", host)
		assert.Equal(t, http.StatusOK, response.StatusCode, host)
	}
}

func TestServerHasLimits(t *testing.T) {
	t.Parallel()
	s := page.Server(true)
	for name, d := range map[string]fmt.Stringer{
		"read": s.ReadTimeout, "header": s.ReadHeaderTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout,
	} {
		assert.NotEqual(t, "0s", d.String(), name)
	}
	assert.Positive(t, s.MaxHeaderBytes)
	server := httptest.NewUnstartedServer(s.Handler)
	server.Config = s
	server.Start()
	t.Cleanup(server.Close)
	response, _ := get(t, server, "/?p="+strings.Repeat("x", 100<<10), "")
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)

	response, _ = get(t, server, "/", "")
	assert.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")
	posted, err := http.Post(server.URL+"/api/check", "text/plain", strings.NewReader("x")) //nolint:noctx // a test
	require.NoError(t, err)
	posted.Body.Close()
	assert.Equal(t, http.StatusMethodNotAllowed, posted.StatusCode)
}

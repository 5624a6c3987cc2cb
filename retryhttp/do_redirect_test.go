package retryhttp_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// redirect answers with a redirect that turns a request into a GET.
func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusSeeOther) }
}

// TestDoRedirects checks how Do treats redirects.
func TestDoRedirects(t *testing.T) {
	t.Parallel()
	t.Run("followed", func(t *testing.T) {
		t.Parallel()
		s := serve(t, redirect("/next"), status(503), redirect("/next"), status(200))
		got, err := retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "GET", s.URL, nil), decodeText, noWait)
		require.NoError(t, err)
		assert.Equal(t, "OK", got)
		assert.Len(t, s.requests(), 4)
	})
	t.Run("exhausted", func(t *testing.T) {
		t.Parallel()
		s := serve(t, redirect("/again"))
		base := &countingBase{base: newTransport(t)}
		_, err := retryhttp.Do(&http.Client{Transport: base}, newRequest(t, "GET", s.URL, nil), decodeText, noWait)
		require.ErrorIs(t, err, retry.ErrPermanent)
		require.ErrorContains(t, err, "stopped after 10 redirects")
		assert.Len(t, s.requests(), 10)
		assert.Zero(t, base.open.Load())
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		refused := errors.New("no further")
		s := serve(t, redirect("/again"))
		client := &http.Client{Transport: newTransport(t), CheckRedirect: func(*http.Request, []*http.Request) error { return refused }}
		_, err := retryhttp.Do(client, newRequest(t, "GET", s.URL, nil), decodeText, noWait)
		require.ErrorIs(t, err, retry.ErrPermanent)
		require.ErrorIs(t, err, refused)
		assert.Len(t, s.requests(), 1)
	})
	t.Run("not followed", func(t *testing.T) {
		t.Parallel()
		s := serve(t, redirect("/again"))
		client := &http.Client{Transport: newTransport(t), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		code, err := retryhttp.Do(client, newRequest(t, "GET", s.URL, nil), func(resp *http.Response) (int, error) { return resp.StatusCode, nil }, noWait)
		require.NoError(t, err)
		assert.Equal(t, http.StatusSeeOther, code)
	})
	t.Run("to nowhere", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(302, "Location", "http://%zz/"))
		_, err := retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "GET", s.URL, nil), decodeText, noWait)
		require.ErrorIs(t, err, retry.ErrPermanent, "a bad URL")
		assert.Len(t, s.requests(), 1)
	})
}

// TestDoRedirectedPost checks that a failure after a redirect proves nothing about the redirected
// request, which was processed.
func TestDoRedirectedPost(t *testing.T) {
	t.Parallel()
	t.Run("POST, then a dial refused", func(t *testing.T) {
		t.Parallel()
		s := serve(t, redirect("http://"+closedAddr(t)))
		_, err := retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "POST", s.URL, nil), decodeText, noWait)
		require.ErrorIs(t, err, retry.ErrPermanent)
		assert.Len(t, s.requests(), 1, "the POST was processed")
	})
	t.Run("POST, then no connection of a base without a trace", func(t *testing.T) {
		t.Parallel()
		n := 0
		base := roundTripper(func(req *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return reply(req, 303, "", "Location", "/next"), nil
			}
			return nil, errDialRefused
		})
		_, err := retryhttp.Do(&http.Client{Transport: base}, newRequest(t, "POST", "http://host.example", nil), decodeText, noWait)
		require.ErrorIs(t, err, retry.ErrPermanent)
		assert.Equal(t, 2, n, "the POST was processed")
	})
	t.Run("POST, then 429", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				redirect("/next")(w, r)
				return
			}
			status(429)(w, r)
		})
		_, err := retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "POST", s.URL, nil), decodeText, noWait)
		require.ErrorIs(t, err, retry.ErrPermanent)
		assert.Len(t, s.requests(), 2, "the POST was processed")
	})
}

// closedAddr returns an address that refuses connections.
func closedAddr(t *testing.T) string {
	t.Helper()
	_, url := closedPort(t)
	return strings.TrimPrefix(url, "http://")
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/seed-205ff063/retry/retryhttp"
)

// send sends a request to url and returns the status of the response.
type send func(ctx context.Context, c *http.Client, url string) (status string, err error)

// request returns a send. The header is a list of names and values.
func request(method, body string, header ...string) send {
	return func(ctx context.Context, c *http.Client, url string) (string, error) {
		// net/http can read a strings.Reader again: it sets GetBody.
		return deliver(ctx, c, method, url, strings.NewReader(body), header)
	}
}

// putStream returns a send whose body can be read only once.
func putStream(header ...string) send {
	return func(ctx context.Context, c *http.Client, url string) (string, error) {
		return deliver(ctx, c, http.MethodPut, url, io.MultiReader(strings.NewReader("a stream")), header)
	}
}

// deliver sends a request as users of any http.Client do.
func deliver(ctx context.Context, c *http.Client, method, url string, body io.Reader, header []string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return "", err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Sprintf("%s, then %v", resp.Status, err), nil
	}
	return resp.Status, nil
}

// decoded sends a GET with retryhttp.Do, so reading the body is part of the attempt.
func decoded(ctx context.Context, c *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	return retryhttp.Do(c, req, func(resp *http.Response) (string, error) {
		body, err := io.ReadAll(resp.Body)
		return fmt.Sprintf("%s, all %d bytes", resp.Status, len(body)), err
	})
}

// within sets a deadline in d.
func within(d time.Duration, s send) send {
	return func(ctx context.Context, c *http.Client, url string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		return s(ctx, c, url)
	}
}

// times sends the request n times and returns the last status.
func times(n int, s send) send {
	return func(ctx context.Context, c *http.Client, url string) (status string, err error) {
		for range n {
			if status, err = s(ctx, c, url); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d × %s", n, status), nil
	}
}

// otherScheme sends the request with a scheme that is not the server's.
func otherScheme(scheme string, s send) send {
	return func(ctx context.Context, c *http.Client, url string) (string, error) {
		_, rest, _ := strings.Cut(url, ":")
		return s(ctx, c, scheme+":"+rest)
	}
}

// wrongLength announces more bytes than the body has.
func wrongLength(ctx context.Context, c *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader("short"))
	if err != nil {
		return "", err
	}
	req.ContentLength = 1000
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	return resp.Status, resp.Body.Close()
}

// brokenReader uploads a file that cannot be read.
func brokenReader(ctx context.Context, c *http.Client, url string) (string, error) {
	return deliver(ctx, c, http.MethodPut, url, unreadable{}, nil)
}

type unreadable struct{}

func (unreadable) Read([]byte) (int, error) {
	return 0, errors.New("read photo.jpg: input/output error")
}

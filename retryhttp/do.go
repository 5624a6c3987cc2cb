package retryhttp

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/seed-205ff063/retry"
)

// Do sends req with c and decodes the response, as one attempt: a body that breaks off is
// retried like a request that fails. decode need not close the body. A status that is worth
// another attempt is not decoded; if no attempt ends better the error is a *retry.Error that
// matches its *StatusError. All other statuses are decode's to judge.
//
// What is retried is decided as by a Transport: by c's own if it has one, whose policy the
// options then override, so that attempts do not multiply; else by the zero Transport. An
// error of decode is retried, if the request may be processed twice, unless it is marked by
// retry.Permanent, as one for a 404 should be. The client's Timeout is for each attempt here.
// A nil c is http.DefaultClient.
func Do[T any](c *http.Client, req *http.Request, decode func(*http.Response) (T, error), opts ...retry.Option) (T, error) {
	var value T
	if c == nil {
		c = http.DefaultClient
	}
	client := *c
	t, ok := client.Transport.(*Transport)
	if ok {
		client.Transport = t.base()
	} else {
		t = &Transport{}
	}
	options := slices.Concat([]retry.Option{t.Policy}, opts, []retry.Option{discarding})
	policy, err := retry.New(options...)
	if err != nil {
		closeBody(req)
		return value, err
	}
	call := t.newCall(req, policy)
	call.ownHeader = true
	client.CheckRedirect = call.noteRedirect(c.CheckRedirect)
	err = call.do(func(ctx context.Context) error {
		value = *new(T)
		if err := call.attempt(ctx, client.Do); err != nil {
			return err
		}
		defer call.resp.discard()
		value, err = decode(call.resp.Response)
		if err != nil && (!call.idempotent || !call.body.replayable()) {
			return retry.Permanent(err)
		}
		return err
	})
	call.body.finish()
	if call.resp.open() {
		call.resp.discard()
	}
	return value, err
}

// noteRedirect returns a CheckRedirect that notes the redirect and asks the given one, or
// does as http.Client without one.
func (c *call) noteRedirect(check func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		c.redirected = true
		if check != nil {
			return check(req, via)
		}
		if len(via) >= maxRedirects {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
}

const maxRedirects = 10 // http.Client's

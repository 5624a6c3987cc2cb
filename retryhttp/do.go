package retryhttp

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
)

// Do sends req with c and decodes the response. Each attempt does both, so a body that breaks
// off is retried like a request that fails. Do closes the body after decode.
//
// A status that is worth another attempt is never decoded. It is retried where that is safe.
// Otherwise, or if no attempt ends better, Do returns a *retry.Error that matches the
// *[StatusError]. Do passes all other statuses to decode, which can reject them with [Check].
//
// The tables in the package comment say what is retried. An error of decode is retried if the
// request may be processed twice. It is not retried if it is marked by retry.Permanent, or is a
// *StatusError of a status that another attempt does not change, such as a 404.
//
// If c has a [Transport], Do uses its fields, and the options override its policy. The two do
// not multiply their attempts. Otherwise Do uses the zero Transport. The client's Timeout
// applies to each attempt. A nil c is http.DefaultClient.
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
		t = &Transport{Base: client.Transport}
	}
	client.Transport = protectRequests(client.Transport)
	options := slices.Concat([]retry.Option{t.Policy}, opts, []retry.Option{discardBeforeWait})
	policy, err := retry.New(options...)
	if err == nil && decode == nil {
		err = errNoDecode
	}
	if err != nil {
		closeBody(req)
		return value, err
	}
	call := t.newCall(req, true)
	call.timeLimit = client.Timeout > 0
	client.CheckRedirect = call.noteRedirect(c.CheckRedirect)
	returned := false
	defer func() { call.finish(returned) }()
	err = call.do(policy, func(ctx context.Context) error {
		value = *new(T)
		if err := call.attempt(ctx, client.Do); err != nil {
			return err
		}
		defer call.resp.discard()
		value, err = decode(call.resp.Response)
		return call.classifyDecoded(err)
	})
	returned = true
	return value, err
}

var errNoDecode = errors.New("retryhttp: Do: decode is nil")

// classifyDecoded returns an error of decode, marked permanent if another attempt would be
// unsafe or pointless.
func (c *call) classifyDecoded(err error) error {
	if err == nil {
		return nil
	}
	if status, ok := errtree.As[*StatusError](err); ok && !status.isTransient() {
		return retry.Permanent(err)
	}
	if errtree.Is(err, retry.ErrPermanent) && !c.idempotent {
		return retry.Permanent(err)
	}
	return c.markUnsafe(err, false)
}

// noteRedirect returns a CheckRedirect that records the redirect and then calls check. If check
// is nil, it does what http.Client does by default.
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

const maxRedirects = 10 // as in http.Client

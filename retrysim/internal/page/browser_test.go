package page_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/internal/page"
)

// chromium returns the path of the browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("RETRY_REQUIRE_SERVERS") != "" {
		t.Fatal("RETRY_REQUIRE_SERVERS is set, and there is no Chromium")
	}
	t.Skip("there is no Chromium")
	return ""
}

// browser is a tab. It records errors and the addresses of all requests.
type browser struct {
	ctx context.Context
	url string

	mu        sync.Mutex
	problems  []string
	requested []string
}

// open opens the page with the query in a new tab of the given size.
func open(t *testing.T, ctx context.Context, width, height int64, query string) *browser {
	t.Helper()
	server := httptest.NewServer(page.Server(true).Handler)
	t.Cleanup(server.Close)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx, url: server.URL}
	require.NoError(t, chromedp.Listen(ctx, b.record))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	require.NoError(t, err)
	b.do(t, chromedp.EmulateViewport(width, height),
		chromedp.Navigate(server.URL+"/"+query))
	t.Cleanup(func() { b.checkRecord(t) })
	return b
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(b.ctx, actions...))
}

// record stores errors and the addresses of requests.
func (b *browser) record(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, "console: "+string(e.Type))
	case *log.EventEntryAdded:
		b.problems = append(b.problems, e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		b.requested = append(b.requested, e.Request.URL)
	}
}

// checkRecord checks that there were no errors, and that every request went to our server.
func (b *browser) checkRecord(t *testing.T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Empty(t, b.problems)
	assert.NotEmpty(t, b.requested)
	for _, url := range b.requested {
		own := strings.HasPrefix(url, b.url+"/") || strings.HasPrefix(url, "blob:"+b.url+"/") || strings.HasPrefix(url, "data:")
		assert.True(t, own, url)
	}
}

// until waits until the expression is true.
func (b *browser) until(t *testing.T, expression string) {
	t.Helper()
	require.Eventually(t, func() bool {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		return err == nil && is
	}, time.Minute, 20*time.Millisecond, expression)
}

func (b *browser) text(t *testing.T, expression string) string {
	t.Helper()
	result, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	require.NoError(t, err, expression)
	return result
}

// picture returns the SVG of a card.
func (b *browser) picture(t *testing.T, model string) string {
	t.Helper()
	script := `(async () => (await ask("api/run", query(document.querySelector("[data-model=` + model + `]")))).svg)()`
	svg, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return svg
}

// allDrawn is true when the browser has drawn the pictures of all cards.
const allDrawn = `[...document.querySelectorAll(".card")].every(c => c.getAttribute("aria-busy") === "false" && c.querySelector("img")?.naturalWidth > 0)`

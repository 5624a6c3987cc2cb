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

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/internal/page"
)

// chromium returns the browser's program.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("RETRY_REQUIRE_SERVERS") != "" {
		t.Fatal("there is no Chromium, and RETRY_REQUIRE_SERVERS is set")
	}
	t.Skip("there is no Chromium")
	return ""
}

// browser is a tab, and what it complained about.
type browser struct {
	ctx context.Context
	url string

	mu       sync.Mutex
	problems []string
	visited  []string
}

// TestPage drives the page in a real browser.
func TestPage(t *testing.T) {
	path := chromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	for _, tt := range []struct {
		name          string
		width, height int64
		query         string
		test          func(t *testing.T, b *browser)
	}{
		{"type a policy and see its curve", 1300, 900, "?p=name%3Dbefore&clients=1000", typeAPolicy},
		{"a fault is shown where it is", 1300, 900, "?p=name%3Dgood&p=name%3Dbad%20max_attempts%3Dx", faultWhereItIs},
		{"a link holds the scenario", 1300, 900, "?p=name%3Da&p=&clients=1234&down=5s&no-nesting=true&seed=3", linkHoldsTheScenario},
		{"numbers beyond the page's limits", 1300, 900, "?p=name%3Da&rps=2000&down=1h", beyondTheLimits},
		{"keyboard alone", 1300, 900, "?p=name%3Da", keyboardAlone},
		{"screen reader", 1300, 900, "?p=name%3Da&p=name%3Db", screenReader},
		{"phone and dark", 360, 740, "", phoneAndDark},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(t, open(t, ctx, tt.width, tt.height, tt.query))
		})
	}
}

// open opens the page with the query in a new tab of the given size.
func open(t *testing.T, ctx context.Context, width, height int64, query string) *browser {
	t.Helper()
	server := httptest.NewServer(page.Server(true).Handler)
	t.Cleanup(server.Close)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx, url: server.URL}
	require.NoError(t, chromedp.Listen(ctx, b.hear))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	require.NoError(t, err)
	b.do(t, chromedp.EmulateViewport(width, height),
		chromedp.Navigate(server.URL+"/"+query))
	t.Cleanup(func() { b.innocent(t) })
	return b
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(b.ctx, actions...))
}

// hear notes every error, and every address that is asked for something.
func (b *browser) hear(event any) {
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
		b.visited = append(b.visited, e.Request.URL)
	}
}

// innocent holds that nothing was in the console and nobody else was asked for anything.
func (b *browser) innocent(t *testing.T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Empty(t, b.problems)
	assert.NotEmpty(t, b.visited)
	for _, url := range b.visited {
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

// picture returns the SVG that a card asks for.
func (b *browser) picture(t *testing.T, model string) string {
	t.Helper()
	script := `(async () => (await ask("api/run", query(document.querySelector("[data-model=` + model + `]")))).svg)()`
	svg, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return svg
}

// drawn is true when all cards have a picture that the browser could draw.
const drawn = `[...document.querySelectorAll(".card")].every(c => c.getAttribute("aria-busy") === "false" && c.querySelector("img")?.naturalWidth > 0)`

func typeAPolicy(t *testing.T, b *browser) {
	b.until(t, drawn)
	b.text(t, `document.querySelector("#policy-1").select()`)
	b.do(t, chromedp.SendKeys(chromedp.CSS("#policy-1"), "name=typed max_attempts=4 backoff=constant(2s)"))
	b.until(t, drawn+` && [...document.querySelectorAll(".card")].every(c => c.querySelector("tbody td").textContent === "typed")`)
	assert.Equal(t, "typed 1 2s 2s 2s 2s", b.text(t, `[...document.querySelectorAll("[data-model=plan] tbody tr")[0].cells].map(c => c.textContent).join(" ")`))
	curve := b.picture(t, "herd")
	assert.Contains(t, curve, "typed: % of clients in 50 ms, at most 100.0")
	assert.Contains(t, curve, "<path")
}

func faultWhereItIs(t *testing.T, b *browser) {
	b.until(t, `document.querySelector("#fault-2 pre")`)
	assert.Equal(t, "name=bad max_attempts=x\n         ^", b.text(t, `document.querySelector("#fault-2 pre").textContent`))
	assert.Contains(t, b.text(t, `document.querySelector("#fault-2 div").textContent`), `"x" is neither a number of at least 1 nor unlimited`)
	assert.Equal(t, "true fault-2", b.text(t, `["aria-invalid", "aria-describedby"].map(a => document.querySelector("#policy-2").getAttribute(a)).join(" ")`))
	assert.Equal(t, "false", b.text(t, `document.querySelector("#policy-1").getAttribute("aria-invalid")`))

	b.do(t, chromedp.SendKeys(chromedp.CSS("#policy-2"), kb.Backspace+"3"))
	b.until(t, `document.querySelector("#fault-2").textContent === "" && document.querySelector("#policy-2").getAttribute("aria-invalid") === "false"`)
	b.until(t, drawn)
}

func linkHoldsTheScenario(t *testing.T, b *browser) {
	b.until(t, drawn)
	b.do(t, chromedp.Focus(chromedp.CSS(`[name=layers]`)), chromedp.KeyEvent(kb.ArrowRight),
		chromedp.Click(chromedp.CSS(`[name=refuse]`)))
	b.until(t, `location.search.includes("layers=2") && location.search.includes("refuse=true")`)
	b.until(t, drawn)
	link := b.text(t, "location.href")
	const state = `JSON.stringify([texts(), ...sliders.map(s => values(s)[s.value]), ...switches.map(s => s.checked)])`
	before := b.text(t, state)
	assert.Contains(t, before, `["name=a",""],"1234","200"`)
	assert.Contains(t, before, `"5s"`)

	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(link))
	b.until(t, drawn)
	assert.Equal(t, before, b.text(t, state))
	assert.Equal(t, link, b.text(t, "location.href"))
}

func beyondTheLimits(t *testing.T, b *browser) {
	b.until(t, `document.querySelector("[data-model=outage] .problem")`)
	assert.Equal(t, "-rps: 7340000 calls in all are above 300000, the page's limit; the command has a higher one",
		b.text(t, `document.querySelector("[data-model=outage] .problem").textContent`))
	b.until(t, `document.querySelector("[data-model=herd] img")?.naturalWidth > 0`)
}

func keyboardAlone(t *testing.T, b *browser) {
	b.until(t, drawn)
	var reached []string
	for range 20 {
		b.do(t, chromedp.KeyEvent(kb.Tab))
		reached = append(reached, b.text(t, `document.activeElement.id || document.activeElement.name || document.activeElement.className`))
	}
	assert.Subset(t, reached, []string{"policy-1", "add", "link", "clients", "rps", "budget", "refuse", "no-nesting", "seed", "wide"})
	b.do(t, chromedp.Focus(chromedp.CSS("#add")), chromedp.KeyEvent(kb.Enter))
	assert.Equal(t, "policy-2", b.text(t, "document.activeElement.id"))
	b.do(t, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" "))
	assert.Equal(t, "1 policy-1", b.text(t, `policies.children.length + " " + document.activeElement.id`))
	b.until(t, drawn)
}

// screenReader holds that everything to act on has a name, and that pictures have a text.
func screenReader(t *testing.T, b *browser) {
	b.until(t, drawn)
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	require.NoError(t, err)
	seen := map[string]int{}
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := strings.Trim(string(n.Role.Value), `"`)
		switch role {
		case "textbox", "button", "slider", "checkbox", "image", "region", "table":
			seen[role]++
			require.NotNil(t, n.Name, role)
			assert.NotEmpty(t, strings.Trim(string(n.Name.Value), `"`), role)
		}
	}
	assert.Equal(t, 2, seen["textbox"])
	assert.Equal(t, 4, seen["image"])
	assert.Equal(t, 4, seen["table"])
	assert.Equal(t, 8+1, seen["slider"])
}

func phoneAndDark(t *testing.T, b *browser) {
	b.until(t, drawn)
	assert.Equal(t, "true", b.text(t, "document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways")
	light := b.picture(t, "plan")
	assert.NotContains(t, light, darkGround)
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	require.NoError(t, err)
	before := b.text(t, `document.querySelector("[data-model=plan] img").src`)
	b.until(t, drawn+` && document.querySelector("[data-model=plan] img").src !== "`+before+`"`)
	assert.Contains(t, b.picture(t, "plan"), darkGround)
}

const darkGround = "#171B21" // of pictures

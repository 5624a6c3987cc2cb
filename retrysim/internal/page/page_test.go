package page_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPage uses the page in a real browser.
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
		{"typing a policy draws its curve", 1300, 900, "?p=name%3Dbefore&clients=1000", typeAPolicy},
		{"an error is shown at its position", 1300, 900, "?p=name%3Dgood&p=name%3Dbad%20max_attempts%3Dx", errorAtItsPosition},
		{"a link contains the scenario", 1300, 900, "?p=name%3Da&p=&clients=1234&down=5s&no-nesting=true&seed=3", linkContainsScenario},
		{"numbers above the page's limits", 1300, 900, "?p=name%3Da&rps=2000&down=1h", aboveTheLimits},
		{"keyboard only", 1300, 900, "?p=name%3Da", keyboardOnly},
		{"screen reader", 1300, 900, "?p=name%3Da&p=name%3Db", screenReader},
		{"phone and dark", 360, 740, "", phoneAndDark},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(t, open(t, ctx, tt.width, tt.height, tt.query))
		})
	}
}

func typeAPolicy(t *testing.T, b *browser) {
	b.until(t, allDrawn)
	b.text(t, `document.querySelector("#policy-1").select()`)
	b.do(t, chromedp.SendKeys(chromedp.CSS("#policy-1"), "name=typed max_attempts=4 backoff=constant(2s)"))
	b.until(t, allDrawn+` && [...document.querySelectorAll(".card")].every(c => c.querySelector("tbody td").textContent === "typed")`)
	assert.Equal(t, "typed 1 2s 2s 2s 2s", b.text(t, `[...document.querySelectorAll("[data-model=plan] tbody tr")[0].cells].map(c => c.textContent).join(" ")`))
	curve := b.picture(t, "herd")
	assert.Contains(t, curve, "typed: % of clients in 50 ms, at most 100.0")
	assert.Contains(t, curve, "<path")
}

func errorAtItsPosition(t *testing.T, b *browser) {
	b.until(t, `document.querySelector("#fault-2 pre")`)
	assert.Equal(t, "name=bad max_attempts=x\n         ^", b.text(t, `document.querySelector("#fault-2 pre").textContent`))
	assert.Contains(t, b.text(t, `document.querySelector("#fault-2 div").textContent`), `"x" is neither a number of at least 1 nor unlimited`)
	assert.Equal(t, "true fault-2", b.text(t, `["aria-invalid", "aria-describedby"].map(a => document.querySelector("#policy-2").getAttribute(a)).join(" ")`))
	assert.Equal(t, "false", b.text(t, `document.querySelector("#policy-1").getAttribute("aria-invalid")`))

	b.do(t, chromedp.SendKeys(chromedp.CSS("#policy-2"), kb.Backspace+"3"))
	b.until(t, `document.querySelector("#fault-2").textContent === "" && document.querySelector("#policy-2").getAttribute("aria-invalid") === "false"`)
	b.until(t, allDrawn)
}

func linkContainsScenario(t *testing.T, b *browser) {
	b.until(t, allDrawn)
	b.do(t, chromedp.Focus(chromedp.CSS(`[name=layers]`)), chromedp.KeyEvent(kb.ArrowRight),
		chromedp.Click(chromedp.CSS(`[name=refuse]`)))
	b.until(t, `location.search.includes("layers=2") && location.search.includes("refuse=true")`)
	b.until(t, allDrawn)
	link := b.text(t, "location.href")
	const state = `JSON.stringify([texts(), ...sliders.map(s => values(s)[s.value]), ...switches.map(s => s.checked)])`
	before := b.text(t, state)
	assert.Contains(t, before, `["name=a",""],"1234","200"`)
	assert.Contains(t, before, `"5s"`)

	b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(link))
	b.until(t, allDrawn)
	assert.Equal(t, before, b.text(t, state))
	assert.Equal(t, link, b.text(t, "location.href"))
}

func aboveTheLimits(t *testing.T, b *browser) {
	b.until(t, `document.querySelector("[data-model=outage] .problem")`)
	assert.Equal(t, "-rps: 7340000 calls in all are above 300000, the page's limit; the command has a higher limit",
		b.text(t, `document.querySelector("[data-model=outage] .problem").textContent`))
	b.until(t, `document.querySelector("[data-model=herd] img")?.naturalWidth > 0`)
}

func keyboardOnly(t *testing.T, b *browser) {
	b.until(t, allDrawn)
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
	b.until(t, allDrawn)
}

// screenReader checks that every control has a name and every picture has a text.
func screenReader(t *testing.T, b *browser) {
	b.until(t, allDrawn)
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
	b.until(t, allDrawn)
	assert.Equal(t, "true", b.text(t, "document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways")
	light := b.picture(t, "plan")
	assert.NotContains(t, light, darkBackground)
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	require.NoError(t, err)
	before := b.text(t, `document.querySelector("[data-model=plan] img").src`)
	b.until(t, allDrawn+` && document.querySelector("[data-model=plan] img").src !== "`+before+`"`)
	assert.Contains(t, b.picture(t, "plan"), darkBackground)
}

const darkBackground = "#171B21" // of pictures in the dark theme

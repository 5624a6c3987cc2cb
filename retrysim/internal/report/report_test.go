package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/internal/report"
)

func TestPolicyNames(t *testing.T) {
	t.Parallel()
	long := "max_attempts=5 backoff=exponential(100ms,2) jitter=equal"
	policies, err := report.Policies([]string{
		"", "max_attempts=3", "max_attempts=3", long, `name="a b" max_attempts=2`, "name=" + strings.Repeat("x", 60), "\tmax_attempts=4\n",
	})
	require.NoError(t, err)
	var names []string
	for _, p := range policies {
		names = append(names, p.Name)
	}
	assert.Equal(t, []string{
		"default", "max_attempts=3", "max_attempts=3 (2)", "policy 4", "a b", strings.Repeat("x", 43) + "…", " max_attempts=4 ",
	}, names)
	policies, err = report.Policies(nil)
	require.NoError(t, err)
	assert.Equal(t, "default", policies[0].Name)
}

// TestCaret checks that the caret is under the right character. The parser counts bytes.
func TestCaret(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"at the start", "max_attempts=0", "max_attempts=0\n    ^"},
		{"after other settings", "name=a max_attempts=0", "name=a max_attempts=0\n           ^"},
		{"after characters of several bytes", "name=äöü max_attempts=0", "name=äöü max_attempts=0\n             ^"},
		{"after a tab and a line break", "name=a\tjitter=full\nmax_attempts=0", "name=a jitter=full max_attempts=0\n                       ^"},
		{"after an escape", "name=a\x1b max_attempts=0", "name=a  max_attempts=0\n            ^"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := report.Policies([]string{tt.text})
			var faults report.FaultsError
			require.ErrorAs(t, err, &faults)
			assert.True(t, strings.HasSuffix(err.Error(), "\n    "+tt.want), err.Error())
			assert.Equal(t, "max_attempts=0", strings.Fields(faults[0].Text[strings.Index(faults[0].Text, "max_"):])[0])
		})
	}
	t.Run("far into a long text", func(t *testing.T) {
		t.Parallel()
		_, err := report.Policies([]string{"name=" + strings.Repeat("n", 500) + " max_attempts=0 " + strings.Repeat(" ", 500)})
		lines := strings.Split(err.Error(), "\n")
		require.Len(t, lines, 3)
		assert.LessOrEqual(t, len(lines[1]), 80)
		column := strings.IndexByte(lines[2], '^')
		assert.Equal(t, "max_attempts=0", lines[1][column:column+14])
	})
	t.Run("no position", func(t *testing.T) {
		t.Parallel()
		_, err := report.Policies([]string{"jitter=none", "backoff=constant(-1s)"})
		require.ErrorContains(t, err, "policy 2: ")
	})
}

// hostile is a name that would break every format if it were not escaped.
const hostile = `name="</svg><script>alert(1)</script>,\"{{x}}"`

func TestFormatsEscapeText(t *testing.T) {
	t.Parallel()
	policies, err := report.Policies([]string{hostile})
	require.NoError(t, err)
	r := report.Plan(3, policies)
	for _, format := range []string{"svg", "html"} {
		var b bytes.Buffer
		require.NoError(t, r.Write(&b, format))
		assert.NotContains(t, b.String(), "<script", format)
		assert.Contains(t, b.String(), "script", format)
	}
	var b bytes.Buffer
	require.NoError(t, r.Write(&b, "csv"))
	assert.Contains(t, b.String(), `"</svg><script>alert(1)</script>,""{{x}}",1,0,50,100,100`)
	b.Reset()
	require.NoError(t, r.Write(&b, "json"))
	var rows []map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &rows))
	assert.Equal(t, `</svg><script>alert(1)</script>,"{{x}}`, rows[0]["policy"])
	require.Error(t, r.Write(&b, "pdf"))
}

func TestPlan(t *testing.T) {
	t.Parallel()
	policies, err := report.Policies([]string{"name=once max_attempts=1", "name=ever max_attempts=unlimited", "name=four max_attempts=4"})
	require.NoError(t, err)
	r := report.Plan(3, policies)
	assert.Equal(t, []string{"once makes no retries.", "ever goes on after retry 3."}, r.Notes)
	require.Len(t, r.Rows, 6)
	var text bytes.Buffer
	require.NoError(t, r.Text(&text))
	assert.Contains(t, text.String(), "\nfour        3   0s   200ms  400ms      700ms\n")
	for _, line := range strings.Split(text.String(), "\n") {
		assert.LessOrEqual(t, len(line), 80)
	}
	for _, format := range []string{"svg", "png", "html"} {
		var b bytes.Buffer
		require.NoError(t, r.Write(&b, format), format)
		assert.Greater(t, b.Len(), 1000, format)
	}
}

// TestNoRetries checks that a policy without retries still gives a picture.
func TestNoRetries(t *testing.T) {
	t.Parallel()
	policies, err := report.Policies([]string{"max_attempts=1"})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, report.Plan(3, policies).Write(&b, "svg"))
	assert.NotContains(t, b.String(), "NaN")
	for _, c := range report.Commands {
		s, err := c.Scenario(func(name string) (string, bool) {
			value, ok := map[string]string{"clients": "2", "rps": "20", "capacity": "30", "down": "1s", "trials": "2"}[name]
			return value, ok
		})
		require.NoError(t, err)
		r, err := c.Run(t.Context(), s, policies)
		require.NoError(t, err)
		b.Reset()
		require.NoError(t, r.Write(&b, "svg"))
		assert.NotContains(t, b.String(), "NaN", c.Name)
		assert.NotContains(t, b.String(), "Inf", c.Name)
	}
}

func TestExplainLeavesOtherErrors(t *testing.T) {
	t.Parallel()
	err := errors.New("other")
	assert.Equal(t, err, report.Explain(err))
	_, ok := report.Find("nothing")
	assert.False(t, ok)
}

package retrysql_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysql"
)

func TestTextOfErrors(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		"begin":  "retrysql: begin: plain",
		"x":      "plain",
		"commit": "retrysql: commit: outcome unknown: plain",
	} {
		f := &fakeDB{fail: failFirst(step, 1, errPlain)}
		err := retrysql.InTx(t.Context(), f.open(t), nil, insert("x"), retry.WithMaxAttempts(1))
		var failed *retry.Error
		require.ErrorAs(t, err, &failed)
		assert.EqualError(t, failed.Err, want)
	}
}

// TestServerTextsAreBounded checks that a server's text becomes one short line without control
// characters.
func TestServerTextsAreBounded(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"connect", "begin", "x", "commit"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			text := "first\nsecond \x1b[31m\u202e" + strings.Repeat("long", 1<<20)
			f := &fakeDB{fail: failFirst(step, 9, textError{"XX000", text})}
			err := retrysql.InTx(t.Context(), f.open(t), nil, insert("x"), retry.WithMaxAttempts(1), retry.WithRetryIf(retrysql.SQLState("XX")))
			var failed *retry.Error
			require.ErrorAs(t, err, &failed)
			for _, text := range []string{failed.Error(), retry.ErrorText(failed.Err)} {
				assert.LessOrEqual(t, len(text), 1024)
				assert.NotContains(t, text, "\n")
				assert.NotContains(t, text, "\x1b")
				assert.NotContains(t, text, "\u202e")
			}
			if step != "x" { // fn returned that error itself
				assert.LessOrEqual(t, len(failed.Err.Error()), 1024)
				assert.NotContains(t, failed.Err.Error(), "\x1b")
			}
		})
	}
}

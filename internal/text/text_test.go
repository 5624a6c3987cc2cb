package text_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/internal/text"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ in, want string }{
		"empty":               {"", ""},
		"plain":               {"connection refused", "connection refused"},
		"letters":             {"café € 👩‍👧", "café € 👩‍👧"},
		"line breaks":         {"a\nb\r\n\nc\u2028d", "a; b; c; d"},
		"breaks at the ends":  {"\na\n", "a"},
		"tab":                 {"a\tb", "a b"},
		"terminal escape":     {"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		"null, bell, delete":  {"a\x00b\ac\x7f", `a\x00b\x07c\x7f`},
		"C1 control":          {"a\u009bb", `a\x9bb`},
		"right to left":       {"user\u202egnp.exe", `user\u202egnp.exe`},
		"isolates":            {"a\u2066b\u2069", `a\u2066b\u2069`},
		"zero width no break": {"a\ufeffb", `a\ufeffb`},
		"tag":                 {"a\U000e0041", `a\ue0041`},
		"no UTF-8":            {"a\xffb", "a\ufffdb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, text.Line(row.in))
		})
	}
}

func TestCutKeepsBothEnds(t *testing.T) {
	t.Parallel()
	long := "dial: " + strings.Repeat("x", 8<<20) + ": connection refused"
	got := text.Line(long)
	assert.LessOrEqual(t, len(got), text.Max)
	assert.Greater(t, len(got), text.Max-8)
	assert.True(t, strings.HasPrefix(got, "dial: xxx"))
	assert.True(t, strings.HasSuffix(got, "xxx: connection refused"))
	assert.Contains(t, got, "x…x")
}

func TestCutBounds(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"letters of three bytes":  strings.Repeat("€", 500),
		"letters of two bytes":    "a" + strings.Repeat("é", 500),
		"what grows when escaped": strings.Repeat("\u202e", 500),
		"no UTF-8":                strings.Repeat("\xff", 500),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for limit := 16; limit < 120; limit++ {
				got := text.Cut(in, limit)
				require.LessOrEqual(t, len(got), limit)
				require.True(t, utf8.ValidString(got), "%q", got)
				require.Contains(t, got, "…")
			}
		})
	}
}

type panicking struct{}

func (panicking) Error() string { panic("no text") }

func TestErrorSurvives(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "<nil>", text.Error(nil))
	assert.Equal(t, "<nil>", text.Error((*url.Error)(nil)))
	assert.Contains(t, text.Error(panicking{}), "PANIC")
	assert.Equal(t, "a; b", text.Error(errors.Join(errors.New("a"), errors.New("b"))))
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "a\nb", "\x1b[0m", "é\u202e", "\xff\n", strings.Repeat("é\t", 700)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := text.Line(s)
		require.LessOrEqual(t, len(got), text.Max)
		require.True(t, utf8.ValidString(got))
		require.NotContains(t, got, "\n")
		require.Equal(t, got, text.Line(got), "cleaning it again changes nothing")
	})
}

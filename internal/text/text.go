// Package text makes text from outside safe to print, such as the text of an error or of a server.
// The result is one line of bounded length. It has no characters that control a terminal or reorder
// what is shown.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Max is the length in bytes to which [Line] and [Error] cut a text.
const Max = 1024

const (
	ellipsis   = "…"
	lineBreaks = "\n\r\v\f\u0085\u2028\u2029"
)

// Line returns s as one safe line of at most [Max] bytes. See [Cut].
func Line(s string) string { return Cut(s, Max) }

// Error returns the text of err as one safe line of at most [Max] bytes. Like package fmt, it
// survives a typed nil and an Error method that panics.
func Error(err error) string {
	if err == nil {
		return "<nil>"
	}
	return Line(fmt.Sprint(err))
}

// Cut returns s as one safe line of at most limit bytes. The limit is at least 16. Line breaks become
// "; ". Control characters and bidirectional ones are escaped as in Go. A text that is too long loses
// its middle, because the cause of a wrapped error is at the end.
func Cut(s string, limit int) string {
	if plain(s) {
		return shorten(s, limit)
	}
	if len(s) > 2*limit {
		s = s[:limit] + s[len(s)-limit:] // shorten removes the seam
	}
	return shorten(clean(s), limit)
}

// plain reports whether s is printable ASCII only.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// shorten cuts the middle out of an s that is too long. The last quarter of the result is the end of s.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	tail := limit / 4
	head := limit - tail - len(ellipsis)
	return trimEnd(s[:head]) + ellipsis + trimStart(s[len(s)-tail:])
}

// trimEnd removes an incomplete rune from the end of s.
func trimEnd(s string) string {
	for i := len(s) - 1; i >= 0 && i > len(s)-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if !utf8.FullRuneInString(s[i:]) {
				return s[:i]
			}
			break
		}
	}
	return s
}

// trimStart removes an incomplete rune from the start of s.
func trimStart(s string) string {
	for s != "" && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}

// clean replaces line breaks and escapes what is not safe to print.
func clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	pending := false // a line break that is written only if text follows
	for _, r := range s {
		if strings.ContainsRune(lineBreaks, r) {
			pending = b.Len() > 0
			continue
		}
		if pending {
			b.WriteString("; ")
			pending = false
		}
		writeSafe(&b, r)
	}
	return b.String()
}

// writeSafe writes r, escaped if it is not safe to print.
func writeSafe(b *strings.Builder, r rune) {
	switch {
	case r == '\t':
		b.WriteByte(' ')
	case r < 0x100 && unicode.IsControl(r):
		fmt.Fprintf(b, `\x%02x`, r)
	case unsafeFormat(r):
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		b.WriteRune(r)
	}
}

// unsafeFormat reports whether r is an invisible character that reorders or hides text. Joiners are
// safe: scripts and emoji need them.
func unsafeFormat(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return r != nonJoiner && r != joiner && unicode.Is(unicode.Cf, r)
}

package retry

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/seed-205ff063/retry/internal/text"
)

// ParseError is what is wrong with one key=value pair of [Parse]'s text. It matches [ErrOption].
// errors.As finds the first of several; the Unwrap() []error method of Parse's error returns
// all, in order.
type ParseError struct {
	Position int    // where the pair begins in the text, in bytes from 1
	Pair     string // the pair as the text has it, control characters included
	Err      error  // what is wrong, with the choices
}

// maxQuoted is how many bytes of the wrong text an error shows.
const maxQuoted = 80

// Error returns one line: the position, the pair, and what is wrong. A long pair is shortened,
// and one with control characters is quoted.
func (e *ParseError) Error() string {
	if e == nil {
		return nilText
	}
	return fmt.Sprintf("retry: Parse: position %d, in %s: %s", e.Position, shown(e.Pair), text.Error(e.Err))
}

// Is reports whether target is [ErrOption].
func (e *ParseError) Is(target error) bool { return e != nil && target == ErrOption }

// Unwrap returns Err.
func (e *ParseError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// shown returns the pair as it is, or quoted if it has characters that do not print. A long pair
// loses its middle.
func shown(pair string) string {
	for _, c := range pair {
		if c == utf8.RuneError || !strconv.IsPrint(c) {
			return quoted(pair)
		}
	}
	return text.Cut(pair, maxQuoted)
}

// quoted returns a part of the text, quoted as in Go. A long part loses its middle.
func quoted(part string) string { return text.Cut(strconv.Quote(part), maxQuoted) }

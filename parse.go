package retry

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parse returns the policy that text describes: key=value pairs between spaces. The keys are the
// options' names in snake case:
//
//	name=fetch max_attempts=5 max_elapsed=2m attempt_timeout=10s backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m jitter=full history_size=10
//
// Durations are as time.ParseDuration reads them. A limit that takes [Unlimited] may be
// unlimited. A name with spaces, quotes or parentheses is quoted as in Go. A backoff is
// constant(d), linear(initial,step), exponential(initial,factor), fibonacci(unit),
// decorrelated(initial,factor), sequence(d,...) or chain(n,backoff,backoff). A jitter is as
// [Jitter.String] writes it. A key that is left out has its default, and as an option the policy
// does not set it.
//
// The error matches [ErrOption] and joins one [ParseError] for each pair that is wrong or
// repeats a key. Parse stops after twenty such errors. The policy is then nil; a nil policy in
// use is the defaults, so check the error.
func Parse(text string) (*Policy, error) {
	var opts []Option
	var faults []error
	seen := map[string]bool{}
	for pos := skipSpace(text, 0); pos < len(text) && len(faults) < maxFaults; pos = skipSpace(text, pos) {
		name, value, end, err := pair(text, pos)
		var o Option
		if err == nil {
			o, err = readSetting(name, value)
		}
		if err == nil && seen[name] {
			err = fmt.Errorf("%s is given twice", name)
		}
		if err != nil {
			faults = append(faults, &ParseError{Position: pos + 1, Pair: text[pos:end], Err: err})
		}
		seen[name] = true
		opts = append(opts, o)
		pos = end
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	return New(opts...)
}

const (
	space     = " \t\r\n"
	maxFaults = 20
)

func skipSpace(text string, pos int) int {
	return len(text) - len(strings.TrimLeft(text[pos:], space))
}

// pair cuts the pair that begins at pos out of text. end is where it ends.
func pair(text string, pos int) (name, value string, end int, err error) {
	rest := text[pos:]
	length := strings.IndexAny(rest, "="+space)
	if length < 0 {
		length = len(rest)
	}
	name, rest = rest[:length], rest[length:]
	if !strings.HasPrefix(rest, "=") {
		return name, "", pos + length, fmt.Errorf("no value; write key=value, the keys are %s", keyNames())
	}
	rest = rest[1:]
	pos += length + 1
	if strings.HasPrefix(rest, `"`) {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return name, "", len(text), errors.New("the value is not quoted as in Go")
		}
		end = pos + len(quoted)
		if end < len(text) && !strings.ContainsRune(space, rune(text[end])) {
			return name, "", end + wordLength(text[end:]), errors.New("there is text behind the quoted value")
		}
		value, err = strconv.Unquote(quoted)
		return name, value, end, err
	}
	length = wordLength(rest)
	return name, rest[:length], pos + length, nil
}

// wordLength is the length of the text before the first space outside parentheses.
func wordLength(text string) int {
	depth := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth <= 0 && strings.IndexByte(space, c) >= 0:
			return i
		}
	}
	return len(text)
}

// readSetting makes the option of a pair and checks it.
func readSetting(name, value string) (Option, error) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return nil, fmt.Errorf("unknown key %s, the keys are %s", quoted(name), keyNames())
	}
	if keys[i].read == nil {
		return nil, fmt.Errorf("%s is not for text; set it in code: New(policy, ...)", name)
	}
	o, err := keys[i].read(value)
	if err != nil {
		return nil, err
	}
	s := defaults
	s.apply([]Option{o})
	if len(s.faults) > 0 {
		return nil, errors.New(s.faults[0].problem)
	}
	return o, nil
}

func keyNames() string {
	var names []string
	for _, k := range keys {
		if k.read != nil {
			names = append(names, k.name)
		}
	}
	return strings.Join(names, ", ")
}

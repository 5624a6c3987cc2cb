package retry

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The values of the keys, as Parse reads them.

func readName(value string) (Option, error) { return WithName(value), nil }

func readDuration(with func(time.Duration) Option) func(string) (Option, error) {
	return func(value string) (Option, error) {
		d, err := parseDuration(value)
		if err != nil {
			return nil, err
		}
		return with(d), nil
	}
}

// readLimit reads a duration that may be unlimited. The number of Unlimited itself is not a
// duration.
func readLimit(with func(time.Duration) Option) func(string) (Option, error) {
	read := readDuration(with)
	return func(value string) (Option, error) {
		if value == unlimited {
			return with(Unlimited), nil
		}
		if o, err := read(value); err != nil || o != with(Unlimited) {
			return o, err
		}
		return nil, fmt.Errorf("%s is negative; write %s for no limit", quoted(value), unlimited)
	}
}

func readAttempts(value string) (Option, error) {
	if value == unlimited {
		return WithMaxAttempts(Unlimited), nil
	}
	n, err := strconv.Atoi(value)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return nil, fmt.Errorf("%s is out of range; write unlimited for no limit", quoted(value))
	case err != nil || n < 1:
		return nil, fmt.Errorf("%s is neither a number of at least 1 nor unlimited", quoted(value))
	}
	return WithMaxAttempts(n), nil
}

func readHistorySize(value string) (Option, error) {
	n, err := parseWhole(value)
	if err != nil {
		return nil, err
	}
	return WithHistorySize(n), nil
}

const jitterForms = "none, full, equal, add(f), spread(f) and range(lo,hi)"

func readJitter(value string) (Option, error) {
	switch value {
	case "none":
		return WithJitter(Jitter{1, 1}), nil
	case "full":
		return WithJitter(Jitter{0, 1}), nil
	case "equal":
		return WithJitter(Jitter{0.5, 1}), nil
	}
	name, args, ok := cutCall(value)
	var f []float64
	for _, arg := range args {
		x, err := parseNumber(arg)
		if err != nil {
			return nil, err
		}
		f = append(f, x)
	}
	switch {
	case ok && name == "add" && len(f) == 1:
		return WithJitter(AddJitter(f[0])), nil
	case ok && name == "spread" && len(f) == 1:
		return WithJitter(SpreadJitter(f[0])), nil
	case ok && name == "range" && len(f) == 2:
		return WithJitter(Jitter{f[0], f[1]}), nil
	}
	return nil, fmt.Errorf("%s is no jitter, the choices are %s", quoted(value), jitterForms)
}

func readBackoff(value string) (Option, error) {
	b, err := parseBackoff(value, 0)
	if err != nil {
		return nil, err
	}
	return WithBackoff(b), nil
}

const (
	backoffForms = "constant(d), linear(initial,step), exponential(initial,factor), fibonacci(unit), " +
		"decorrelated(initial,factor), sequence(d,...) and chain(n,backoff,backoff)"
	maxNesting = 100 // of chains: what no one writes, so that text cannot use up the stack
)

func parseBackoff(value string, depth int) (Backoff, error) {
	name, args, ok := cutCall(value)
	if depth > maxNesting {
		return nil, fmt.Errorf("chains are nested more than %d deep", maxNesting)
	}
	read := arguments{args: args, depth: depth}
	var b Backoff
	switch {
	case !ok:
	case name == "constant" && len(args) == 1:
		b = Constant(read.duration(0))
	case name == "linear" && len(args) == 2:
		b = Linear(read.duration(0), read.duration(1))
	case name == "exponential" && len(args) == 2:
		b = Exponential(read.duration(0), read.number(1))
	case name == "fibonacci" && len(args) == 1:
		b = Fibonacci(read.duration(0))
	case name == "decorrelated" && len(args) == 2:
		b = Decorrelated(read.duration(0), read.number(1))
	case name == "sequence" && len(args) > 0:
		delays := make([]time.Duration, len(args))
		for i := range args {
			delays[i] = read.duration(i)
		}
		b = Sequence(delays...)
	case name == "chain" && len(args) == 3:
		b = Chain(read.whole(0), read.backoff(1), read.backoff(2))
	}
	if b == nil {
		return nil, fmt.Errorf("%s is no backoff, the choices are %s", quoted(value), backoffForms)
	}
	return b, read.err
}

// arguments reads the arguments of a constructor, and keeps the first error.
type arguments struct {
	args  []string
	depth int
	err   error
}

func (r *arguments) duration(i int) time.Duration {
	d, err := parseDuration(r.args[i])
	r.blame(err)
	return d
}

func (r *arguments) number(i int) float64 {
	f, err := parseNumber(r.args[i])
	r.blame(err)
	return f
}

func (r *arguments) whole(i int) int {
	n, err := parseWhole(r.args[i])
	r.blame(err)
	return n
}

func (r *arguments) backoff(i int) Backoff {
	b, err := parseBackoff(r.args[i], r.depth+1)
	r.blame(err)
	return b
}

func (r *arguments) blame(err error) {
	if r.err == nil {
		r.err = err
	}
}

func parseDuration(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	switch {
	case err == nil:
		return d, nil
	case hasDurationForm(value):
		return 0, fmt.Errorf("%s is longer than the longest duration, %v", quoted(value), time.Duration(math.MaxInt64))
	}
	return 0, fmt.Errorf("%s is not a duration such as 1.5s", quoted(value))
}

// hasDurationForm reports whether value would be a duration with other digits. The error of
// time.ParseDuration does not tell one that is too long from one that is none.
func hasDurationForm(value string) bool {
	zeros := strings.Map(func(c rune) rune {
		if '0' <= c && c <= '9' {
			return '0'
		}
		return c
	}, value)
	_, err := time.ParseDuration(zeros)
	return err == nil && strings.Trim(zeros, "+-0") != "" // 0 alone needs no unit
}

func parseNumber(value string) (float64, error) {
	f, err := strconv.ParseFloat(value, 64)
	return f, numberError(value, "a number", err)
}

func parseWhole(value string) (int, error) {
	n, err := strconv.Atoi(value)
	return n, numberError(value, "a whole number", err)
}

// numberError is err, of package strconv, in the words of Parse.
func numberError(value, kind string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("%s is out of range", quoted(value))
	}
	return fmt.Errorf("%s is not %s", quoted(value), kind)
}

// cutCall splits name(arg,arg). Commas within parentheses belong to an argument.
func cutCall(value string) (name string, args []string, ok bool) {
	name, inner, ok := strings.Cut(value, "(")
	if !ok || !strings.HasSuffix(inner, ")") {
		return "", nil, false
	}
	inner = inner[:len(inner)-1]
	depth, start := 0, 0
	for i := range len(inner) {
		switch c := inner[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			args = append(args, strings.Trim(inner[start:i], space))
			start = i + 1
		}
		if depth < 0 {
			return "", nil, false
		}
	}
	return name, append(args, strings.Trim(inner[start:], space)), depth == 0
}

package retry

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse returns the policy that text describes: key=value pairs between spaces, the keys
// being the options' names in snake case.
//
//	name=fetch max_attempts=5 max_elapsed=2m attempt_timeout=10s backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m jitter=full history_size=10
//
// Durations are as time.ParseDuration reads them; max_attempts may be unlimited. A name with
// spaces, quotes or parentheses is quoted as in Go. A backoff is constant(d),
// linear(initial,step), exponential(initial,factor), fibonacci(unit),
// decorrelated(initial,factor), sequence(d,...) or chain(n,backoff,backoff), a jitter is
// none, full, equal, add(f), spread(f) or range(lo,hi). What is left out has its default, and
// is not set by the policy when it is used as an option.
//
// An error matches [ErrOption] and joins one [ParseError] for each pair that is wrong; a key
// that is given twice is. It shows the pair, its position in bytes from 1, and the choices.
// After twenty it stops.
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

// pair cuts the pair that begins at pos out of text; end is where it ends.
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

// wordLength is how far text goes without a space outside parentheses.
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

// readLimit reads a duration that may be unlimited. Unlimited's own number is no duration.
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

// cutCall takes name(arg,arg) apart; commas within parentheses belong to an argument.
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

package retry

import (
	"errors"
	"fmt"
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
// An error matches [ErrOption] and names every fault with its position, counted in bytes
// from 1, and the choices; a key that is given twice is one. After twenty faults it stops.
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
			faults = append(faults, fault{"Parse", fmt.Sprintf("position %d: %v", pos+1, err)})
		}
		seen[name] = true
		opts = append(opts, o)
		pos = end
	}
	if faults != nil {
		return nil, join(faults)
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
		return name, "", pos + length, fmt.Errorf("%q has no value; write key=value, the keys are %s", name, keyNames())
	}
	rest = rest[1:]
	pos += length + 1
	if strings.HasPrefix(rest, `"`) {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return name, "", len(text), fmt.Errorf("%s has a value that is not quoted as in Go", name)
		}
		end = pos + len(quoted)
		if end < len(text) && !strings.ContainsRune(space, rune(text[end])) {
			return name, "", end + wordLength(text[end:]), fmt.Errorf("%s has text behind its quoted value", name)
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
		return nil, fmt.Errorf("unknown key %q, the keys are %s", name, keyNames())
	}
	if keys[i].read == nil {
		return nil, fmt.Errorf("%s is not for text; set it in code: New(policy, ...)", name)
	}
	o, err := keys[i].read(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	options := []Option{o}
	s := defaults()
	s.apply(options)
	var wrong fault
	if errors.As(join(s.check()), &wrong) {
		return nil, fmt.Errorf("%s: %s", name, wrong.problem)
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
		d, err := time.ParseDuration(value)
		if err != nil {
			return nil, fmt.Errorf("%q is not a duration such as 1.5s", value)
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
		return nil, fmt.Errorf("%s is negative; write %s for no limit", value, unlimited)
	}
}

func readAttempts(value string) (Option, error) {
	if value == unlimited {
		return WithMaxAttempts(Unlimited), nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("%q is neither a number of at least 1 nor unlimited", value)
	}
	return WithMaxAttempts(n), nil
}

func readHistorySize(value string) (Option, error) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return nil, fmt.Errorf("%q is not a whole number", value)
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
		x, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", arg)
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
	return nil, fmt.Errorf("%q is no jitter, the choices are %s", value, jitterForms)
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
		return nil, fmt.Errorf("%q is no backoff, the choices are %s", value, backoffForms)
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
	d, err := time.ParseDuration(r.args[i])
	r.blame(err, "%q is not a duration such as 1.5s", i)
	return d
}

func (r *arguments) number(i int) float64 {
	f, err := strconv.ParseFloat(r.args[i], 64)
	r.blame(err, "%q is not a number", i)
	return f
}

func (r *arguments) whole(i int) int {
	n, err := strconv.Atoi(r.args[i])
	r.blame(err, "%q is not a whole number", i)
	return n
}

func (r *arguments) backoff(i int) Backoff {
	b, err := parseBackoff(r.args[i], r.depth+1)
	if r.err == nil {
		r.err = err
	}
	return b
}

func (r *arguments) blame(err error, format string, i int) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf(format, r.args[i])
	}
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

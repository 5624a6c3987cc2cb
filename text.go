package retry

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// What stands in a policy's text for what text cannot carry.
const (
	callback = "(func)"
	object   = "(object)"
)

// unlimited is Unlimited in text.
const unlimited = "unlimited"

// key is a setting in text. write returns the value in force, empty if there is none; read
// makes the option of it, and is nil for what text cannot carry.
type key struct {
	name  string
	write func(*settings) string
	read  func(value string) (Option, error)
}

// keys are in the order that String writes them.
var keys = []key{
	{"name", func(s *settings) string { return s.ifGiven(hasName, quote(s.name)) }, readName},
	{"max_attempts", (*settings).attemptsText, readAttempts},
	{
		"max_elapsed", func(s *settings) string { return s.ifGiven(hasMaxElapsed, s.maxElapsed.String()) },
		readDuration(WithMaxElapsed),
	},
	{
		"attempt_timeout", func(s *settings) string { return s.ifGiven(hasAttemptTimeout, s.attemptTimeout.String()) },
		readDuration(WithAttemptTimeout),
	},
	{"backoff", func(s *settings) string { return s.backoff.String() }, readBackoff},
	{"max_delay", (*settings).maxDelayText, readLimit(WithMaxDelay)},
	{"max_retry_after", func(s *settings) string { return limitText(s.maxRetryAfter) }, readLimit(WithMaxRetryAfter)},
	{
		"reset_after", func(s *settings) string { return s.ifGiven(hasResetAfter, s.resetAfter.String()) },
		readDuration(WithResetAfter),
	},
	{"jitter", (*settings).jitterText, readJitter},
	{"history_size", func(s *settings) string { return strconv.Itoa(s.historySize) }, readHistorySize},
	{"rand", func(s *settings) string { return s.ifGiven(hasRand, callback) }, nil},
	{"retry_if", func(s *settings) string { return s.ifGiven(hasRetryIf, callback) }, nil},
	{"stop_if", func(s *settings) string { return s.ifGiven(hasStopIf, callback) }, nil},
	{"stop", func(s *settings) string { return s.ifGiven(hasStop, callback) }, nil},
	{"validator", func(s *settings) string { return s.ifGiven(hasValidator, callback) }, nil},
	{"history", func(s *settings) string { return s.ifGiven(hasHistory, object) }, nil},
	{"gate", func(s *settings) string { return s.ifGiven(hasGate, callback) }, nil},
	{"budget", func(s *settings) string { return s.ifGiven(hasBudget, object) }, nil},
	{"clock", func(s *settings) string { return s.ifGiven(hasClock, object) }, nil},
	{"hooks", func(s *settings) string { return s.ifGiven(hasHooks, callback) }, nil},
	{"logger", func(s *settings) string { return s.ifGiven(hasLogger, object) }, nil},
}

// String returns all settings in force, as [Parse] reads them:
//
//	max_attempts=5 backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=full history_size=10
//
// What text cannot carry is shown as retry_if=(func) or budget=(object). The default jitter
// and cap that each member of a [Chain] brings are not shown.
func (p *Policy) String() string {
	s, _ := p.parts()
	var b strings.Builder
	for _, k := range keys {
		if value := k.write(s); value != "" {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(k.name + "=" + value)
		}
	}
	return b.String()
}

// MarshalText returns what String does, or an error that names the settings which text
// cannot carry. It makes a *Policy a value for flag.TextVar, encoding/json and others; keep
// pointers in structs and maps, for by value a Policy has no methods. As the text has all
// settings in force, a policy read from it sets all of them when it is used as an option.
func (p *Policy) MarshalText() ([]byte, error) {
	s, _ := p.parts()
	var lost []string
	for _, k := range keys {
		value := k.write(s)
		if value != "" && k.read == nil || k.name == "backoff" && strings.Contains(value, callback) {
			lost = append(lost, k.name)
		}
	}
	if lost != nil {
		return nil, fault{"MarshalText", "text cannot carry " + strings.Join(lost, ", ") +
			"; keep the rest as a policy and add these in code: retry.New(policy, ...)"}
	}
	return []byte(p.String()), nil
}

// UnmarshalText makes p the policy that [Parse] reads from text; at a fault it leaves p as it
// is. Call it only on a Policy that is not yet in use.
func (p *Policy) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*p = *parsed
	return nil
}

// UnmarshalYAML is UnmarshalText for YAML libraries, which would pass over a mapping in
// silence: the policy is one string.
func (p *Policy) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return fmt.Errorf("retry: a policy is one string such as %q: %w", "max_attempts=3 jitter=full", err)
	}
	return p.UnmarshalText([]byte(text))
}

func (s *settings) ifGiven(k kinds, value string) string {
	if s.has(k) {
		return value
	}
	return ""
}

func (s *settings) attemptsText() string {
	if s.maxAttempts == Unlimited {
		return unlimited
	}
	return strconv.Itoa(s.maxAttempts)
}

func (s *settings) maxDelayText() string {
	if s.has(hasMaxDelay) {
		return limitText(s.maxDelay)
	}
	if _, limit := s.shape(&s.backoff); limit < math.MaxInt64 {
		return limit.String()
	}
	return ""
}

// limitText writes a duration that may be Unlimited.
func limitText(d time.Duration) string {
	if d == Unlimited {
		return unlimited
	}
	return d.String()
}

func (s *settings) jitterText() string {
	jitter, _ := s.shape(&s.backoff)
	_, own := s.backoff.Backoff.(decorrelated)
	if s.has(hasJitter) || jitter == defaultJitter && !own {
		return jitter.String()
	}
	return ""
}

// callText writes a constructor's call as Parse reads it.
func callText(name string, args ...any) string {
	text := make([]string, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case float64:
			text[i] = formatFloat(arg)
		default:
			text[i] = fmt.Sprint(arg)
		}
	}
	return name + "(" + strings.Join(text, ",") + ")"
}

func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// quote quotes a name unless it is plainly one word.
func quote(name string) string {
	for _, c := range name {
		if c == '"' || c == '(' || c == ')' || c == ' ' || c == '\uFFFD' || !strconv.IsPrint(c) {
			return strconv.Quote(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

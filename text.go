package retry

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a policy's text shows for settings that text cannot carry.
const (
	callback = "(func)"
	object   = "(object)"
)

// unlimited is Unlimited in text.
const unlimited = "unlimited"

// key is a setting in text. write returns the value in force, empty if there is none. read makes
// the option from it, and is nil if text cannot carry the setting.
type key struct {
	name  string
	write func(*Policy) string
	read  func(value string) (Option, error)
}

// keys are in the order that String writes them.
var keys = []key{
	{"name", ifGiven[nameOption](func(s *settings) string { return quote(s.name) }), readName},
	{"max_attempts", always((*settings).attemptsText), readAttempts},
	{
		"max_elapsed", ifGiven[maxElapsedOption](func(s *settings) string { return s.maxElapsed.String() }),
		readDuration(WithMaxElapsed),
	},
	{
		"attempt_timeout", ifGiven[attemptTimeoutOption](func(s *settings) string { return s.attemptTimeout.String() }),
		readDuration(WithAttemptTimeout),
	},
	{"backoff", always(func(s *settings) string { return s.backoff.String() }), readBackoff},
	{"max_delay", always((*settings).maxDelayText), readLimit(WithMaxDelay)},
	{"max_retry_after", always(func(s *settings) string { return limitText(s.maxRetryAfter) }), readLimit(WithMaxRetryAfter)},
	{
		"reset_after", ifGiven[resetAfterOption](func(s *settings) string { return s.resetAfter.String() }),
		readDuration(WithResetAfter),
	},
	{"jitter", always((*settings).jitterText), readJitter},
	{"history_size", always(func(s *settings) string { return strconv.Itoa(s.historySize) }), readHistorySize},
	{"rand", textIf(callback, func(s *settings) bool { return s.rand != nil }), nil},
	{"retry_if", textIf(callback, func(s *settings) bool { return s.retryIf.n > 0 }), nil},
	{"stop_if", textIf(callback, func(s *settings) bool { return s.stopIf.n > 0 }), nil},
	{"stop", textIf(callback, func(s *settings) bool { return s.stops.n > 0 }), nil},
	{"validator", textIf(callback, func(s *settings) bool { return s.validators.n > 0 }), nil},
	{"history", textIf(object, func(s *settings) bool { return s.history != nil }), nil},
	{"gate", textIf(callback, func(s *settings) bool { return s.gates.n > 0 }), nil},
	{"budget", textIf(object, func(s *settings) bool { return s.budget != nil }), nil},
	{"clock", textIf(object, func(s *settings) bool { return s.clock != nil }), nil},
	{"hooks", textIf(callback, func(s *settings) bool { return s.hooked != hookSet{} }), nil},
	{"logger", textIf(object, func(s *settings) bool { return s.logger != nil }), nil},
}

// always writes a setting that always has a value.
func always(write func(*settings) string) func(*Policy) string {
	return func(p *Policy) string { return write(p.inForce()) }
}

// ifGiven writes a setting only if the policy was given its option, of type O.
func ifGiven[O Option](write func(*settings) string) func(*Policy) string {
	return func(p *Policy) string {
		if !gives[O](p) {
			return ""
		}
		return write(p.inForce())
	}
}

// gives reports whether the policy was made of an option of type O.
func gives[O Option](p *Policy) bool {
	return slices.ContainsFunc(p.given(), func(o Option) bool {
		_, ok := o.(O)
		return ok
	})
}

// textIf writes text for a setting that text cannot carry.
func textIf(text string, is func(*settings) bool) func(*Policy) string {
	return func(p *Policy) string {
		if is(p.inForce()) {
			return text
		}
		return ""
	}
}

// String returns all settings in force, as [Parse] reads them. A setting that text cannot carry
// is shown as retry_if=(func) or budget=(object). The default jitter and cap of the members of a
// [Chain] are not shown.
func (p *Policy) String() string {
	var b strings.Builder
	for _, k := range keys {
		if value := k.write(p); value != "" {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(k.name + "=" + value)
		}
	}
	return b.String()
}

// MarshalText returns the text of String, or an error that names the settings that text cannot
// carry. It makes a *Policy a value for flag.TextVar, encoding/json and others. Keep pointers: a
// Policy by value has no methods. As an option, a policy read from the text sets all that was in
// force.
func (p *Policy) MarshalText() ([]byte, error) {
	var lost []string
	for _, k := range keys {
		value := k.write(p)
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

// UnmarshalText makes p the policy that [Parse] reads from text. After an error p is unchanged.
// Call it only on a Policy that is not yet in use.
func (p *Policy) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*p = *parsed
	return nil
}

// UnmarshalYAML is UnmarshalText for YAML libraries. A mapping is an error: the policy is one
// string.
func (p *Policy) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return fmt.Errorf("retry: a policy is one string such as %q: %w", "max_attempts=3 jitter=full", err)
	}
	return p.UnmarshalText([]byte(text))
}

func (s *settings) attemptsText() string {
	if s.maxAttempts == Unlimited {
		return unlimited
	}
	return strconv.Itoa(s.maxAttempts)
}

func (s *settings) maxDelayText() string {
	if s.maxDelayGiven {
		return limitText(s.maxDelay)
	}
	if _, limit := s.jitterAndCap(&s.backoff); limit < math.MaxInt64 {
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
	jitter, _ := s.jitterAndCap(&s.backoff)
	_, own := s.backoff.Backoff.(decorrelated)
	if s.jitterGiven || jitter == defaultJitter && !own {
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

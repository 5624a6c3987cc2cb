package report

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// Fault is what is wrong with the text of a policy.
type Fault struct {
	Policy   int    `json:"policy"`   // from 1
	Text     string `json:"text"`     // of the policy, one line
	Position int    `json:"position"` // in Text, in characters from 1; 0: not known
	Problem  string `json:"problem"`
}

// FaultsError is the error of texts that are no policies.
type FaultsError []Fault

// Error shows each policy at fault with a caret under each position.
func (f FaultsError) Error() string {
	var b strings.Builder
	for i, fault := range f {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "policy %d: %s", fault.Policy, fault.Problem)
		if fault.Position > 0 {
			line, column := window(fault.Text, fault.Position)
			fmt.Fprintf(&b, "\n    %s\n    %s^", line, strings.Repeat(" ", column))
		}
	}
	return b.String()
}

// window returns a part of the text around the position that fits a terminal, and the
// position's column in it, from 0.
func window(text string, position int) (line string, column int) {
	const before, width = 40, 72
	runes := []rune(text)
	from := 0
	if len(runes) > width {
		from = max(0, min(position-1-before, len(runes)-width))
	}
	return string(runes[from:min(from+width, len(runes))]), position - 1 - from
}

// Policies reads the texts. No text at all is the library's defaults.
func Policies(texts []string) ([]sim.Policy, error) {
	if len(texts) == 0 {
		texts = []string{""}
	}
	var faults FaultsError
	var policies []sim.Policy
	for i, text := range texts {
		p, err := retry.Parse(text)
		if err != nil {
			faults = append(faults, faultsOf(i+1, text, err)...)
			continue
		}
		policies = append(policies, sim.Policy{Name: label(i+1, text, p), Policy: p})
	}
	if faults != nil {
		return nil, faults
	}
	distinguish(policies)
	return policies, nil
}

// label is the policy's own name, or else its text where that is short.
func label(number int, text string, p *retry.Policy) string {
	const longest = 44
	text = oneLine(text)
	if name := nameOf(p); name != "" {
		return clip(oneLine(name), longest)
	}
	switch {
	case strings.TrimSpace(text) == "":
		return "default"
	case utf8.RuneCountInString(text) <= longest:
		return text
	}
	return fmt.Sprintf("policy %d", number)
}

// nameOf asks a call of the policy for its name.
func nameOf(p *retry.Policy) (name string) {
	hooks := retry.Hooks{Done: func(_ context.Context, o retry.Outcome) { name = o.Name }}
	_ = retry.Do(context.Background(), func(context.Context) error { return nil }, p, retry.WithHooks(hooks))
	return name
}

func clip(text string, longest int) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest-1]) + "…"
	}
	return text
}

// distinguish numbers policies of the same name.
func distinguish(policies []sim.Policy) {
	seen := map[string]int{}
	for i := range policies {
		name := policies[i].Name
		if seen[name]++; seen[name] > 1 {
			policies[i].Name = fmt.Sprintf("%s (%d)", name, seen[name])
		}
	}
}

var positionText = regexp.MustCompile(`\bposition (\d+)\b`)

// faultsOf takes the error of retry.Parse apart.
func faultsOf(number int, text string, err error) (faults FaultsError) {
	if several, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the list itself
		for _, one := range several.Unwrap() {
			faults = append(faults, faultsOf(number, text, one)...)
		}
		return faults
	}
	fault := Fault{Policy: number, Text: oneLine(text), Problem: strings.TrimPrefix(retry.ErrorText(err), "retry: Parse: ")}
	if m := positionText.FindStringSubmatch(fault.Problem); m != nil {
		if bytes, err := strconv.Atoi(m[1]); err == nil && bytes >= 1 && bytes <= len(text)+1 {
			fault.Position = utf8.RuneCountInString(text[:bytes-1]) + 1
		}
	}
	return append(faults, fault)
}

// oneLine replaces, one for one, the characters that would not stay in their place.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

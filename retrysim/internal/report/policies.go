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

// Fault is an error in the text of a policy.
type Fault struct {
	Policy   int    `json:"policy"`   // number of the policy, from 1
	Text     string `json:"text"`     // of the policy, on one line
	Position int    `json:"position"` // character in Text, from 1; 0 if unknown
	Problem  string `json:"problem"`
}

// FaultsError is the error of texts that are not policies.
type FaultsError []Fault

// Error shows each problem with the policy's text and a caret under the position.
func (f FaultsError) Error() string {
	var b strings.Builder
	for i, fault := range f {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "policy %d: %s", fault.Policy, fault.Problem)
		if fault.Position > 0 {
			line, column := excerpt(fault.Text, fault.Position)
			fmt.Fprintf(&b, "\n    %s\n    %s^", line, strings.Repeat(" ", column))
		}
	}
	return b.String()
}

// excerpt returns a part of the text that fits a terminal, and the column of the position in
// it, from 0.
func excerpt(text string, position int) (line string, column int) {
	const before, width = 40, 72
	runes := []rune(text)
	from := 0
	if len(runes) > width {
		from = max(0, min(position-1-before, len(runes)-width))
	}
	return string(runes[from:min(from+width, len(runes))]), position - 1 - from
}

// Policies parses the texts of policies. Without texts it returns the library's default policy.
func Policies(texts []string) ([]sim.Policy, error) {
	if len(texts) == 0 {
		texts = []string{""}
	}
	var faults FaultsError
	var policies []sim.Policy
	for i, text := range texts {
		p, err := retry.Parse(text)
		if err != nil {
			faults = append(faults, faultsIn(i+1, text, err)...)
			continue
		}
		policies = append(policies, sim.Policy{Name: policyName(i+1, text, p), Policy: p})
	}
	if faults != nil {
		return nil, faults
	}
	numberDuplicates(policies)
	return policies, nil
}

// policyName returns the name that the policy sets, otherwise its text if that is short,
// otherwise its number.
func policyName(number int, text string, p *retry.Policy) string {
	const maxLength = 44
	text = oneLine(text)
	if name := nameIn(p); name != "" {
		return truncate(oneLine(name), maxLength)
	}
	switch {
	case strings.TrimSpace(text) == "":
		return "default"
	case utf8.RuneCountInString(text) <= maxLength:
		return text
	}
	return fmt.Sprintf("policy %d", number)
}

// nameIn returns the name that the policy sets. A Done hook receives it.
func nameIn(p *retry.Policy) (name string) {
	hooks := retry.Hooks{Done: func(_ context.Context, o retry.Outcome) { name = o.Name }}
	_ = retry.Do(context.Background(), func(context.Context) error { return nil }, p, retry.WithHooks(hooks))
	return name
}

func truncate(text string, maxLength int) string {
	if runes := []rune(text); len(runes) > maxLength {
		return string(runes[:maxLength-1]) + "…"
	}
	return text
}

// numberDuplicates appends a number to the name of each policy whose name is already used.
func numberDuplicates(policies []sim.Policy) {
	seen := map[string]int{}
	for i := range policies {
		name := policies[i].Name
		if seen[name]++; seen[name] > 1 {
			policies[i].Name = fmt.Sprintf("%s (%d)", name, seen[name])
		}
	}
}

var positionPattern = regexp.MustCompile(`\bposition (\d+)\b`)

// faultsIn returns each fault that the error of retry.Parse reports.
func faultsIn(number int, text string, err error) (faults FaultsError) {
	if list, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // only a list at the top
		for _, e := range list.Unwrap() {
			faults = append(faults, faultsIn(number, text, e)...)
		}
		return faults
	}
	fault := Fault{Policy: number, Text: oneLine(text), Problem: strings.TrimPrefix(retry.ErrorText(err), "retry: Parse: ")}
	if m := positionPattern.FindStringSubmatch(fault.Problem); m != nil {
		if position, err := strconv.Atoi(m[1]); err == nil && position >= 1 && position <= len(text)+1 {
			fault.Position = utf8.RuneCountInString(text[:position-1]) + 1 // from bytes to characters
		}
	}
	return append(faults, fault)
}

// oneLine replaces each unprintable character by a space, so that columns stay the same.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

package retry

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/seed-205ff063/retry/internal/errtree"
	"github.com/seed-205ff063/retry/internal/text"
)

// Validator says why the value v of attempt a is no good; nil accepts it. It runs only
// when the function returned no error. It sees the attempt, so it can relax with time.
type Validator[T any] func(v T, a Attempt) error

// ValidationError holds the rejected values of a [DoValue] call. errors.As finds it in the
// call's error if the last attempt's value was rejected, and [Rejected] whatever the last attempt
// was.
//
// Its text never contains a value, whatever the verb. Neither do JSON and slog, so it can be
// logged.
type ValidationError[T any] struct {
	// Name is the policy's name.
	Name string
	// Values are the rejected values, oldest first: the newest, at most [WithHistorySize].
	Values []T
	// Reasons says of each value why it was rejected; several validators' errors are joined.
	Reasons []error
	// Attempts is how many values were rejected in all.
	Attempts int
}

// Error says how many values were rejected, and why the last one was.
func (e *ValidationError[T]) Error() string {
	if e == nil {
		return nilText
	}
	var b strings.Builder
	b.WriteString("retry: ")
	if e.Name != "" {
		b.WriteString(e.Name + ": ")
	}
	plural := "s"
	if e.Attempts == 1 {
		plural = ""
	}
	fmt.Fprintf(&b, "%d value%s of type %s rejected", e.Attempts, plural, typeName[T]())
	if n := len(e.Reasons); n > 0 {
		fmt.Fprintf(&b, ", the last: %v", e.Reasons[n-1])
	}
	return text.Line(b.String())
}

// Is reports whether target is [ErrRejected].
func (e *ValidationError[T]) Is(target error) bool { return target == ErrRejected }

// Unwrap returns the reasons.
func (e *ValidationError[T]) Unwrap() []error {
	if e == nil {
		return nil
	}
	return e.Reasons
}

// Rejected returns the rejected values of the failed call err, whatever its last attempt was, for
// a fallback to the best of them. The newest are kept, see [WithHistorySize]. Where err has several
// calls in its tree, the outermost with such values counts. It returns nil if err is no failed call, none of its values was
// rejected, or they are of another type than T.
func Rejected[T any](err error) *ValidationError[T] {
	var found *ValidationError[T]
	errtree.Walk(err, func(node error) bool {
		if e, ok := node.(*Error); ok && e != nil && e.rejection != nil { // Walk unwraps
			found, _ = e.rejection.report.(*ValidationError[T]) // it is kept bare
		}
		return found == nil
	})
	return found
}

// LogValue returns the text, so that slog does not print the values.
func (e *ValidationError[T]) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// MarshalJSON returns the text as a string, so that JSON does not hold the values.
func (e ValidationError[T]) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format writes the text for every verb, so that none prints the values.
func (e ValidationError[T]) Format(s fmt.State, verb rune) {
	text := e.Error()
	if verb == 'q' || verb == 'v' && s.Flag('#') {
		text = fmt.Sprintf("%q", text)
	}
	_, _ = s.Write([]byte(text))
}

// reject adds a value, in place of the oldest when there are size.
func (e *ValidationError[T]) reject(v T, why error, size int) {
	e.Attempts++
	if size <= 0 {
		return
	}
	if len(e.Values) == size {
		e.Values = slices.Delete(e.Values, 0, 1)
		e.Reasons = slices.Delete(e.Reasons, 0, 1)
	}
	e.Values = append(e.Values, v)
	e.Reasons = append(e.Reasons, why)
}

// rejection is the error of an attempt whose value the validators rejected.
type rejection struct {
	reasons []error
	report  error // the call's *ValidationError, of interest once the call has failed
}

func (r *rejection) Error() string {
	texts := make([]string, len(r.reasons))
	for i, err := range r.reasons {
		texts[i] = text.Error(err)
	}
	return text.Line("value rejected: " + strings.Join(texts, "; "))
}

func (r *rejection) Is(target error) bool { return target == ErrRejected }
func (r *rejection) Unwrap() []error      { return r.reasons }

// judge keeps the rejected values of one DoValue call.
type judge[T any] struct {
	size   int // how many to keep
	report *ValidationError[T]
	judged int   // the attempt whose function had its value judged, see package judging
	early  error // what that gave
}

// check returns nil or the *rejection of the value v that the attempt a returned.
func (j *judge[T]) check(options []Option, v T, a Attempt) error {
	if j.judged == a.Number {
		return j.early
	}
	return j.run(options, v, a)
}

// before is check while the attempt a still runs.
func (j *judge[T]) before(options []Option, v T, a Attempt) error {
	j.early = j.run(options, v, a)
	j.judged = a.Number
	return j.early
}

// run runs every validator among the options on v.
func (j *judge[T]) run(options []Option, v T, a Attempt) error {
	var reasons []error
	sets := list[validatorOption, validatorSet]{options: options}
	for set, ok := sets.next(); ok; set, ok = sets.next() {
		validators, _ := set.list.([]Validator[T])
		for _, valid := range validators {
			if err := valid(v, a); err != nil {
				reasons = append(reasons, err)
			}
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	if j.report == nil {
		j.report = &ValidationError[T]{Name: a.Name}
	}
	why := reasons[0]
	if len(reasons) > 1 {
		why = errors.Join(reasons...)
	}
	j.report.reject(v, why, j.size)
	return &rejection{reasons: reasons, report: j.report}
}

// misfits are the validators among the options that are for other types than T.
func misfits[T any](options []Option) (faults []error) {
	sets := list[validatorOption, validatorSet]{options: options}
	for set, ok := sets.next(); ok; set, ok = sets.next() {
		if _, fits := set.list.([]Validator[T]); !fits && set.n > 0 {
			faults = append(faults, fault{"WithValidator", fmt.Sprintf(
				"a validator for %s does not fit a call that returns %s", set.of(), typeName[T]())})
		}
	}
	return faults
}

// homeless are all validators among the options, for calls that return no value.
func homeless(options []Option) (faults []error) {
	sets := list[validatorOption, validatorSet]{options: options}
	for set, ok := sets.next(); ok; set, ok = sets.next() {
		if set.n == 0 {
			continue
		}
		faults = append(faults, fault{"WithValidator", fmt.Sprintf(
			"a validator for %s in a call that returns no value; use DoValue or Func", set.of())})
	}
	return faults
}

// typeName is T's name; %T of a T that is an interface would be nil's.
func typeName[T any]() string { return strings.TrimPrefix(fmt.Sprintf("%T", (*T)(nil)), "*") }

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

// Validator returns why the value v of attempt a is rejected, or nil to accept it. It runs only
// if the function returned no error. By a.Number it can be less strict with later attempts.
type Validator[T any] func(v T, a Attempt) error

// anyValidator is a Validator[T] for some T.
type anyValidator struct {
	validator any
	typeName  func() string // T's
	isNil     bool
}

type validatorOption list[anyValidator]

// WithValidator checks every value that the function returns without an error. All validators
// run. A value that one of them rejects is a failed attempt and is retried, unless a reason is
// [Permanent] or [WithStopIf] matches. A validator for another type than the call returns is an
// error, and so is one in a call without a value.
// The default is none.
func WithValidator[T any](validators ...Validator[T]) Option {
	all := make([]anyValidator, len(validators))
	for i, v := range validators {
		all[i] = anyValidator{validator: v, typeName: typeName[T], isNil: v == nil}
	}
	return validatorOption(newList(all))
}

func (o validatorOption) apply(s *settings) {
	validators := list[anyValidator](o)
	for i := range validators.n {
		s.checkList("WithValidator", validators.at(i).isNil, "nil Validator")
	}
	s.validators.add(&validators)
}

// ValidationError holds the rejected values of a [DoValue] call. Its text, JSON and slog output
// never show a value. Most callers should use [Rejected] to find it; errors.As does only if the
// last attempt's value was rejected.
type ValidationError[T any] struct {
	Name     string  // the policy's name
	Values   []T     // the newest, at most [WithHistorySize], oldest first
	Reasons  []error // why each was rejected, joined if several validators did
	Attempts int     // how many values were rejected in all
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

// Rejected returns the rejected values of the failed call err, however its last attempt failed,
// for a fallback to the best one. If err's tree has several calls, the outermost with rejected
// values counts. Rejected returns nil if no value was rejected, or if the values are not of type
// T.
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

// LogValue returns the text of Error.
func (e *ValidationError[T]) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// MarshalJSON returns the text of Error as a string.
func (e ValidationError[T]) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format writes the text of Error for every verb.
func (e ValidationError[T]) Format(s fmt.State, verb rune) {
	text := e.Error()
	if verb == 'q' || verb == 'v' && s.Flag('#') {
		text = fmt.Sprintf("%q", text)
	}
	_, _ = s.Write([]byte(text))
}

// reject adds a value. If there are already size of them, it replaces the oldest.
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
	report  error // the call's *ValidationError, read once the call has failed
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

// validation validates the values of one call and keeps those that were rejected.
type validation[T any] struct {
	size   int // how many to keep
	report *ValidationError[T]

	validated int   // the attempt whose value was validated while it ran, see before
	verdict   error // of that validation
}

// check returns nil or the *rejection of the value v that the attempt a returned.
func (j *validation[T]) check(s *settings, v T, a Attempt) error {
	if j.validated == a.Number {
		return j.verdict
	}
	return j.run(s, v, a)
}

// before is check while the attempt a still runs.
func (j *validation[T]) before(s *settings, v T, a Attempt) error {
	j.verdict = j.run(s, v, a)
	j.validated = a.Number
	return j.verdict
}

// run runs every validator on v.
func (j *validation[T]) run(s *settings, v T, a Attempt) error {
	var reasons []error
	for i := range s.validators.n {
		validator, _ := s.validators.at(i).validator.(Validator[T])
		if err := validator(v, a); err != nil {
			reasons = append(reasons, err)
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

// validatorsOfWrongType are the faults of validators for other types than T.
func validatorsOfWrongType[T any](s *settings) (faults []fault) {
	for i := range s.validators.n {
		v := s.validators.at(i)
		if _, fits := v.validator.(Validator[T]); !fits {
			faults = appendNew(faults, fmt.Sprintf(
				"a validator for %s does not fit a call that returns %s", v.typeName(), typeName[T]()))
		}
	}
	return faults
}

// validatorsWithoutValue are the faults of validators in a call that returns no value.
func validatorsWithoutValue(s *settings) (faults []fault) {
	for i := range s.validators.n {
		faults = appendNew(faults, fmt.Sprintf(
			"a validator for %s in a call that returns no value; use DoValue or Func", s.validators.at(i).typeName()))
	}
	return faults
}

// appendNew appends what is wrong with a validator, once for all validators of a type.
func appendNew(faults []fault, problem string) []fault {
	f := fault{"WithValidator", problem}
	if slices.Contains(faults, f) {
		return faults
	}
	return append(faults, f)
}

// typeName is T's name. %T of a nil T would not show it if T is an interface.
func typeName[T any]() string { return strings.TrimPrefix(fmt.Sprintf("%T", (*T)(nil)), "*") }

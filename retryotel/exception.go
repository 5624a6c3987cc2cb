package retryotel

import (
	"errors"
	"reflect"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-205ff063/retry"
)

// The event for an error and its attributes, from OpenTelemetry's semantic conventions.
const (
	exceptionEvent      = "exception"
	exceptionTypeKey    = attribute.Key("exception.type")
	exceptionMessageKey = attribute.Key("exception.message")
)

// recordError adds the error to the span as an event. It replaces the span's RecordError, which
// panics if the error's Error method panics, and which does not bound the text.
func recordError(span trace.Span, err error) {
	span.AddEvent(exceptionEvent, trace.WithAttributes(
		exceptionTypeKey.String(typeName(unwrapMarks(err))),
		exceptionMessageKey.String(retry.ErrorText(err)),
	))
}

func typeName(err error) string {
	t := reflect.TypeOf(err)
	if t.Name() == "" { // a pointer, for example
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

// maxMarks is how many wrappers unwrapMarks removes at most, in case an error wraps itself.
const maxMarks = 100

// unwrapMarks removes wrappers that add no text, such as the mark of retry.Permanent. The recorded
// type is then the type of the user's error.
func unwrapMarks(err error) error {
	text := retry.ErrorText(err)
	for range maxMarks {
		inner := safeUnwrap(err)
		if inner == nil || retry.ErrorText(inner) != text {
			return err
		}
		err = inner
	}
	return err
}

// safeUnwrap is errors.Unwrap, but returns nil if the Unwrap method panics. The method of a typed
// nil may.
func safeUnwrap(err error) (inner error) {
	defer func() { _ = recover() }()
	return errors.Unwrap(err)
}

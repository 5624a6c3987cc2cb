package retryotel

import (
	"errors"
	"reflect"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-205ff063/retry"
)

// The event of an error and its attributes, by OpenTelemetry's semantic conventions.
const (
	exceptionEvent      = "exception"
	exceptionTypeKey    = attribute.Key("exception.type")
	exceptionMessageKey = attribute.Key("exception.message")
)

// recordError adds the error to the span as an event, as the span's RecordError does. That one asks
// the error for its text itself: it panics where the error does, and takes the text as it is.
func recordError(span trace.Span, err error) {
	span.AddEvent(exceptionEvent, trace.WithAttributes(
		exceptionTypeKey.String(typeName(unwrapMarks(err))),
		exceptionMessageKey.String(retry.ErrorText(err)),
	))
}

func typeName(err error) string {
	t := reflect.TypeOf(err)
	if t.Name() == "" { // of a pointer, say
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

// mostMarks is how many errors around each other bare looks at. No sound error has as many.
const maxMarks = 100

// bare takes off what says nothing but what it wraps says, such as the mark of retry.Permanent:
// the type of what is recorded is to be the error's.
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

// unwrap is errors.Unwrap for an error whose method may panic, as that of a typed nil does.
func safeUnwrap(err error) (inner error) {
	defer func() { _ = recover() }()
	return errors.Unwrap(err)
}

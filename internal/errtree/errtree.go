// Package errtree reads the trees of errors that somebody else made. It is like errors.Is and
// errors.As but survives what they do not: a typed nil whose methods panic, a method that
// panics anyway, and a tree that unwraps to itself.
package errtree

import "reflect"

// MaxNodes is how many errors of a tree are looked at. No sound tree has as many.
const MaxNodes = 10_000

// Walk calls visit for the errors in the tree of err, in the order of errors.Is, until visit
// returns false. After [MaxNodes] it stops. Where visit panics, which is for methods of the
// error to do, the walk goes on.
func Walk(err error, visit func(error) (more bool)) {
	nodes := MaxNodes
	walk(err, &nodes, visit)
}

// walk reports whether the walk goes on.
func walk(err error, nodes *int, visit func(error) bool) (more bool) {
	for err != nil && *nodes > 0 {
		*nodes--
		if !visitSafely(err, visit) {
			return false
		}
		var branches []error
		branches, err = Unwrap(err)
		for _, branch := range branches {
			if !walk(branch, nodes, visit) {
				return false
			}
		}
	}
	return true
}

func visitSafely(err error, visit func(error) bool) (more bool) {
	defer func() {
		if recover() != nil {
			more = true // as package fmt does
		}
	}()
	return visit(err)
}

// Unwrap returns what err wraps: several errors, or one, or nothing, also when its Unwrap method
// panics.
func Unwrap(err error) (several []error, one error) {
	defer func() { _ = recover() }()
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return nil, e.Unwrap()
	case interface{ Unwrap() []error }:
		return e.Unwrap(), nil
	}
	return nil, nil
}

// As returns the first E in the tree of err, as errors.As finds it.
func As[E any](err error) (found E, ok bool) {
	Walk(err, func(node error) bool {
		if found, ok = node.(E); ok {
			return false
		}
		if a, has := node.(interface{ As(any) bool }); has {
			ok = a.As(&found)
		}
		return !ok
	})
	return found, ok
}

// Is reports whether the tree of err has an error that is target, as errors.Is does.
func Is(err, target error) (found bool) {
	if err == nil || target == nil {
		return err == target // both are nil or one is
	}
	comparable := reflect.TypeOf(target).Comparable()
	Walk(err, func(node error) bool {
		if found = comparable && node == target; found {
			return false
		}
		if i, has := node.(interface{ Is(error) bool }); has {
			found = i.Is(target)
		}
		return !found
	})
	return found
}

// Safe returns what ask does, or the zero value if it panics, as methods of a typed nil do.
func Safe[T any](ask func() T) (answer T) {
	defer func() { _ = recover() }()
	return ask()
}

// IsNil reports whether v is nil or a nil pointer or function within an interface.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	kind := reflect.TypeOf(v).Kind()
	return (kind == reflect.Pointer || kind == reflect.Func) && reflect.ValueOf(v).IsNil()
}

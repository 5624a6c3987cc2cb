// Package errtree walks error trees that other code built. It works like errors.Is and errors.As, but
// it also survives a typed nil whose methods panic, any other method that panics, and a tree that
// unwraps to itself.
package errtree

import "reflect"

// MaxNodes is how many errors of a tree are visited. No real tree has that many.
const MaxNodes = 10_000

// Walk calls visit for each error in the tree of err, in the order of errors.Is. It stops when visit
// returns false, or after [MaxNodes] errors. If visit panics, because a method of the error did, the
// walk goes on with the next error.
func Walk(err error, visit func(error) (more bool)) {
	nodes := MaxNodes
	walk(err, &nodes, visit)
}

// walk visits the tree of err until nodes is 0. It reports whether the walk is to go on.
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

// visitSafely calls visit and returns true if it panics.
func visitSafely(err error, visit func(error) bool) (more bool) {
	defer func() {
		if recover() != nil {
			more = true
		}
	}()
	return visit(err)
}

// Unwrap returns what err wraps: several errors, or one, or nothing. If its Unwrap method panics, it
// returns nothing.
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

// As returns the first E in the tree of err, as errors.As does.
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

// Is reports whether an error in the tree of err matches target, as errors.Is does.
func Is(err, target error) (found bool) {
	if err == nil || target == nil {
		return err == target // true if both are nil
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

// Safe returns the result of ask, or the zero value if ask panics. Use it to call a method of an error,
// which may be a typed nil.
func Safe[T any](ask func() T) (answer T) {
	defer func() { _ = recover() }()
	return ask()
}

// IsNil reports whether v is nil, or an interface that holds a nil pointer or a nil function.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	kind := reflect.TypeOf(v).Kind()
	return (kind == reflect.Pointer || kind == reflect.Func) && reflect.ValueOf(v).IsNil()
}

package retryhttp

import (
	"net/http"
	"reflect"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// refusedToken reports whether err says that a token endpoint refused the grant: the error of
// golang.org/x/oauth2 for a status of 400 to 499. Asking again changes nothing and may lock the
// account.
func refusedToken(err error) (refused bool) {
	errtree.Walk(err, func(node error) bool {
		code := tokenStatus(node)
		refused = code >= 400 && code < 500
		return !refused
	})
	return refused
}

// tokenStatus is the status in an *oauth2.RetrieveError, 0 if err is none. It is known by the
// fields that it has, so that its package need not be imported.
func tokenStatus(err error) int {
	v := reflect.ValueOf(err)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return 0
	}
	resp, _ := field[*http.Response](v.Elem(), "Response")
	_, hasBody := field[[]byte](v.Elem(), "Body")
	_, hasCode := field[string](v.Elem(), "ErrorCode")
	if resp == nil || !hasBody || !hasCode {
		return 0
	}
	return resp.StatusCode
}

// field returns the exported field of v by the name, if it has one of the type.
func field[T any](v reflect.Value, name string) (value T, ok bool) {
	f := v.FieldByName(name)
	if !f.IsValid() || !f.CanInterface() {
		return value, false
	}
	return reflect.TypeAssert[T](f)
}

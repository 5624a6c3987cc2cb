package retryhttp

import (
	"net/http"
	"reflect"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// refusedToken reports whether err is golang.org/x/oauth2's error for a status of 400 to 499: the
// token endpoint refused the grant. Another request changes nothing and may lock the account.
func refusedToken(err error) (refused bool) {
	errtree.Walk(err, func(node error) bool {
		code := tokenStatus(node)
		refused = code >= 400 && code < 500
		return !refused
	})
	return refused
}

// tokenStatus returns the status in an *oauth2.RetrieveError, or 0 if err is none. It recognizes
// the error by its fields, so that this package need not import oauth2.
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

// field returns the exported field of v with this name, if v has one of type T.
func field[T any](v reflect.Value, name string) (value T, ok bool) {
	f := v.FieldByName(name)
	if !f.IsValid() || !f.CanInterface() {
		return value, false
	}
	return reflect.TypeAssert[T](f)
}

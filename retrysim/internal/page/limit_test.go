package page

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestRunEndsAtTimeLimit checks that a simulation that takes too long ends with an error.
func TestRunEndsAtTimeLimit(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	routes(time.Millisecond).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/run?model=herd&clients=200000", nil))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.JSONEq(t, `{"error":"this takes longer than 1ms here; choose smaller numbers"}`, w.Body.String())
}

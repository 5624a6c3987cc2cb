package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/seed-205ff063/retry"
)

// apiServer keeps one object. It refuses writes that are not based on its newest version.
type apiServer struct {
	*httptest.Server

	mu        sync.Mutex
	version   int
	count     int64
	conflicts int
	always    bool // refuses every write
}

func newAPIServer(t *testing.T) *apiServer {
	t.Helper()
	s := &apiServer{version: 1}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/api/v1/namespaces/default/configmaps/counter" {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
		return
	}
	if r.Method == http.MethodPut {
		var u unstructured.Unstructured
		if err := json.NewDecoder(r.Body).Decode(&u.Object); err != nil {
			panic(err)
		}
		if s.always || u.GetResourceVersion() != strconv.Itoa(s.version) {
			s.conflicts++
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409}`)
			return
		}
		s.version++
		count, _, _ := unstructured.NestedString(u.Object, "data", "count")
		s.count, _ = strconv.ParseInt(count, 10, 64)
	}
	fmt.Fprintf(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"counter","namespace":"default","resourceVersion":"%d"},"data":{"count":"%d"}}`, s.version, s.count)
}

func (s *apiServer) client(t *testing.T) dynamic.ResourceInterface {
	t.Helper()
	c, err := dynamic.NewForConfig(&rest.Config{Host: s.URL, QPS: -1})
	require.NoError(t, err)
	return c.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace("default")
}

// increment adds one to the object's count.
func increment(u *unstructured.Unstructured) error {
	text, _, err := unstructured.NestedString(u.Object, "data", "count")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	return unstructured.SetNestedField(u.Object, strconv.Itoa(n+1), "data", "count")
}

// Writers that conflict lose no update.
func TestUpdate(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t)
	client := s.client(t)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 5 {
				assert.NoError(t, Update(t.Context(), client, "counter", increment))
			}
		})
	}
	writers.Wait()
	assert.EqualValues(t, 20, s.count)
	assert.Equal(t, 21, s.version)
	t.Log("conflicts:", s.conflicts)
}

func TestUpdateAlwaysConflicts(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t)
	s.always = true
	err := Update(t.Context(), s.client(t), "counter", increment)
	require.ErrorIs(t, err, retry.ErrExhausted)
	assert.True(t, apierrors.IsConflict(err), "the error of the last attempt can be matched")
	assert.Equal(t, 10, s.conflicts)
}

func TestUpdateOtherErrors(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t)
	err := Update(t.Context(), s.client(t), "no-such", increment)
	require.ErrorIs(t, err, retry.ErrPermanent)
	assert.True(t, apierrors.IsNotFound(err))

	err = Update(t.Context(), s.client(t), "counter", func(*unstructured.Unstructured) error { return context.Canceled })
	require.ErrorIs(t, err, retry.ErrPermanent)
	assert.Equal(t, 1, s.version)
}

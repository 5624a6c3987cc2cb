package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/seed-205ff063/retry"
)

// fakeS3 keeps objects in memory. It first returns its failures, one a request, and then answers.
type fakeS3 struct {
	*httptest.Server

	mu       sync.Mutex
	objects  map[string][]byte
	failures []failure
	down     bool // every request fails
	times    []time.Time
}

// failure is an answer with an error status.
type failure struct {
	status     int
	code       string
	retryAfter string
}

var slowDown = failure{status: http.StatusServiceUnavailable, code: "SlowDown"}

func newFakeS3(failures ...failure) *fakeS3 {
	s := &fakeS3{objects: map[string][]byte{}, failures: failures}
	s.Server = httptest.NewServer(s)
	return s
}

func (s *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, time.Now())
	if f, failed := s.fails(); failed {
		if f.retryAfter != "" {
			w.Header().Set("Retry-After", f.retryAfter)
		}
		w.WriteHeader(f.status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as scripted</Message></Error>", f.code)
		return
	}
	switch object, ok := s.objects[r.URL.Path]; {
	case r.Method == http.MethodPut:
		s.objects[r.URL.Path] = body
	case !ok:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
	default:
		w.Write(object)
	}
}

func (s *fakeS3) fails() (failure, bool) {
	if s.down {
		return slowDown, true
	}
	if len(s.failures) == 0 {
		return failure{}, false
	}
	f := s.failures[0]
	s.failures = s.failures[1:]
	return f, true
}

// requests returns the number of requests.
func (s *fakeS3) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

func (s *fakeS3) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// client returns an S3 client that retries by the policy.
func (s *fakeS3) client(policy *retry.Policy) *s3.Client {
	o := s3.Options{
		BaseEndpoint:               aws.String(s.URL),
		Region:                     "us-east-1",
		Credentials:                credentials.NewStaticCredentialsProvider("id", "secret", ""),
		UsePathStyle:               true,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	o.APIOptions = append(o.APIOptions, withPolicy(policy))
	return s3.New(o)
}

// policyForAWS returns a policy with short waits and the given options.
func policyForAWS(opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{
		retry.WithName("s3"),
		retry.WithMaxAttempts(4),
		retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
		retry.WithRetryIf(awsTransient),
	}, opts...)...)
}

func put(ctx context.Context, c *s3.Client, key, text string) error {
	_, err := c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("bucket"), Key: aws.String(key), Body: strings.NewReader(text),
	})
	return err
}

func get(ctx context.Context, c *s3.Client, key string) (string, error) {
	out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key)})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	return string(text), err
}

// storage shows aws-sdk-go-v2 with an S3 that fails in several ways.
func storage(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "== aws-sdk-go-v2")
	s := newFakeS3(slowDown, slowDown)
	defer s.Close()
	client := s.client(policyForAWS())
	if err := put(ctx, client, "greeting", "hello"); err != nil {
		return err
	}
	text, err := get(ctx, client, "greeting")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "put after 2 × 503 SlowDown, then get: %q, %d requests\n", text, s.requests())

	_, err = get(ctx, client, "missing")
	fmt.Fprintln(w, "a key that is missing:", reasonOf(err))

	return errors.Join(outage(ctx, w), ctx.Err())
}

// outage makes twenty calls to a server that is down, and one when it is back.
func outage(ctx context.Context, w io.Writer) error {
	s := newFakeS3()
	defer s.Close()
	s.setDown(true)
	client := s.client(policyForAWS(retry.WithBudget(retry.NewBudget(0.1, 3))))
	var err error
	for range 20 {
		_, err = get(ctx, client, "greeting")
	}
	fmt.Fprintf(w, "20 calls while it is down, budget (0.1, 3): %d requests, the last: %v\n", s.requests(), reasonOf(err))
	s.setDown(false)
	return put(ctx, client, "greeting", "hello")
}

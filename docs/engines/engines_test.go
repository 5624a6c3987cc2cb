package engines

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"k8s.io/client-go/util/workqueue"

	"github.com/seed-205ff063/retry"
)

var (
	errBroken = errors.New("broken")
	policy    = retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Sequence(time.Second, 2*time.Second)))
)

func broken(context.Context) error { return errBroken }

// TestPage checks that the page shows the code of every file unchanged.
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../engines.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)<!-- ([a-z]+\\.go) -->\n```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	shown := map[string]bool{"doc.go": true}
	for _, b := range blocks {
		text, err := os.ReadFile(b[1])
		require.NoError(t, err)
		_, code, _ := strings.Cut(string(text), "\n)\n\n")
		assert.Equal(t, code, b[2], b[1])
		shown[b[1]] = true
	}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".go") && !strings.HasSuffix(f.Name(), "_test.go") {
			assert.True(t, shown[f.Name()], "%s is not on the page", f.Name())
		}
	}
}

func TestTemporal(t *testing.T) {
	t.Parallel()
	try := func(fn func(context.Context) error) error {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		act := func(ctx context.Context) error { return Activity(ctx, policy, fn) }
		env.RegisterActivity(act)
		_, err := env.ExecuteActivity(act)
		return err
	}
	var app *temporal.ApplicationError
	require.ErrorAs(t, try(broken), &app)
	assert.False(t, app.NonRetryable())
	assert.Equal(t, time.Second, app.NextRetryDelay())
	require.ErrorAs(t, try(func(context.Context) error { return retry.Permanent(errBroken) }), &app)
	assert.True(t, app.NonRetryable())
	assert.NoError(t, try(func(context.Context) error { return nil }))
}

func TestAsynq(t *testing.T) {
	t.Parallel()
	assert.Equal(t, time.Second, RetryDelay(policy)(0, errBroken, nil))
	assert.Equal(t, 2*time.Second, RetryDelay(policy)(1, errBroken, nil))
	work := func(err error) error {
		h := asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return err })
		return Middleware(policy)(h).ProcessTask(t.Context(), asynq.NewTask("mail", nil))
	}
	assert.NotErrorIs(t, work(errBroken), asynq.SkipRetry)
	assert.ErrorIs(t, work(retry.Permanent(errBroken)), asynq.SkipRetry)
	assert.NoError(t, work(nil))
}

func TestKafka(t *testing.T) {
	t.Parallel()
	fail := func(context.Context, *kgo.Record) error { return errBroken }
	next := HandleRecord(t.Context(), policy, &kgo.Record{Value: []byte("v")}, fail)
	require.Equal(t, "orders.retry", next.Topic)
	assert.InDelta(t, time.Second, time.Until(Due(next)), float64(100*time.Millisecond))
	next = HandleRecord(t.Context(), policy, next, fail)
	assert.InDelta(t, 2*time.Second, time.Until(Due(next)), float64(100*time.Millisecond))
	next = HandleRecord(t.Context(), policy, next, fail)
	assert.Equal(t, "orders.dead", next.Topic)
	assert.Equal(t, "v", string(next.Value))
	assert.Nil(t, HandleRecord(t.Context(), policy, next, func(context.Context, *kgo.Record) error { return nil }))
}

func TestSQS(t *testing.T) {
	t.Parallel()
	try := func(count string, err error) (bool, int32, error) {
		m := types.Message{Attributes: map[string]string{"ApproximateReceiveCount": count}}
		done, hide, err := Visibility(t.Context(), policy, "queue", m, func(context.Context, types.Message) error { return err })
		if hide == nil {
			return done, 0, err
		}
		return done, hide.VisibilityTimeout, err
	}
	_, seconds, err := try("2", errBroken)
	assert.EqualValues(t, 2, seconds)
	require.NoError(t, err)
	_, _, err = try("3", errBroken)
	require.ErrorIs(t, err, retry.ErrExhausted)
	done, _, err := try("1", nil)
	assert.True(t, done)
	assert.NoError(t, err)
}

func TestWorkqueue(t *testing.T) {
	t.Parallel()
	quick := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(time.Millisecond)))
	q := workqueue.NewTypedDelayingQueue[string]()
	defer q.ShutDown()
	q.Add("item")
	var last sync.Map
	for range 2 {
		require.NoError(t, Process(t.Context(), quick, q, &last, func(context.Context, string) error { return errBroken }))
	}
	require.ErrorIs(t, Process(t.Context(), quick, q, &last, func(context.Context, string) error { return errBroken }), retry.ErrExhausted)
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	r := Retryer{Policy: policy, Safe: func(err error) bool { return err == errBroken }}
	assert.Equal(t, 3, r.MaxAttempts())
	assert.True(t, r.IsErrorRetryable(errBroken))
	wait, err := r.RetryDelay(2, errBroken)
	assert.Equal(t, 2*time.Second, wait)
	require.NoError(t, err)
	_, err = r.RetryDelay(1, retry.Permanent(errBroken))
	require.ErrorIs(t, err, retry.ErrPermanent)

	g := &gaxRetryer{ctx: t.Context(), policy: policy, start: time.Now()}
	for _, want := range []time.Duration{time.Second, 2 * time.Second} {
		pause, again := g.Retry(errBroken)
		assert.Equal(t, want, pause)
		assert.True(t, again)
	}
	_, again := g.Retry(errBroken)
	assert.False(t, again)
	assert.NotNil(t, GAX(t.Context(), policy))

	assert.Len(t, Backoff(policy), 2)
	assert.Len(t, Reconnect(policy), 2)
	var o redis.Options
	Redis(policy, &o)
	assert.Equal(t, 2, o.MaxRetries)
	assert.Equal(t, []time.Duration{time.Second, 2 * time.Second}, []time.Duration{o.MinRetryBackoff, o.MaxRetryBackoff})
	Redis(retry.MustNew(retry.WithMaxAttempts(1)), &o)
	assert.Equal(t, -1, o.MaxRetries)
}

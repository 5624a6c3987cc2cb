package retry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry"
)

// logOf makes a call and returns its log lines without the time.
func logOf(level slog.Level, call func(l retry.Option)) string {
	var b bytes.Buffer
	call(retry.WithLogger(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))))
	return b.String()
}

// loggingTests are calls and what they log.
var loggingTests = []struct {
	name  string
	fails int
	err   error
	opts  []retry.Option
	level slog.Level
	want  string
}{
	{"first try", 0, nil, nil, slog.LevelDebug, ""},
	{
		"success after retries", 2, errDown,
		[]retry.Option{retry.WithName("fetch")},
		slog.LevelDebug,
		`level=WARN msg="attempt failed, will retry" name=fetch attempt=1 error="server down" wait=10s duration=1s elapsed=1s` + "\n" +
			`level=WARN msg="attempt failed, will retry" name=fetch attempt=2 error="server down" wait=10s duration=1s elapsed=12s` + "\n" +
			`level=DEBUG msg="succeeded after retries" name=fetch attempts=3 elapsed=23s` + "\n",
	},
	{
		"success is logged at Debug", 1, errDown, nil, slog.LevelInfo,
		`level=WARN msg="attempt failed, will retry" attempt=1 error="server down" wait=10s duration=1s elapsed=1s` + "\n",
	},
	{
		"exhausted", 9, errDown,
		[]retry.Option{retry.WithName("fetch"), retry.WithMaxAttempts(2)},
		slog.LevelWarn,
		`level=WARN msg="attempt failed, will retry" name=fetch attempt=1 error="server down" wait=10s duration=1s elapsed=1s` + "\n" +
			`level=ERROR msg="gave up" name=fetch attempts=2 elapsed=12s reason="attempts exhausted" error="server down"` + "\n",
	},
	{
		"gave up before a wait", 9, errors.Join(errDown, errOdd),
		[]retry.Option{retry.WithMaxElapsed(5 * time.Second)},
		slog.LevelDebug,
		`level=ERROR msg="gave up" attempts=1 elapsed=1s reason="time limit reached" error="server down; odd" delay=10s` + "\n",
	},
	{
		"lines are folded", 1, errors.New("a\nb"), nil, slog.LevelInfo,
		`level=WARN msg="attempt failed, will retry" attempt=1 error="a; b" wait=10s duration=1s elapsed=1s` + "\n",
	},
}

func TestLogging(t *testing.T) {
	t.Parallel()
	for _, tt := range loggingTests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fn, _ := failTimes(tt.fails, tt.err)
				assert.Equal(t, tt.want, logOf(tt.level, func(l retry.Option) {
					_ = retry.Do(context.Background(), func(ctx context.Context) error {
						time.Sleep(time.Second)
						return fn(ctx)
					}, append([]retry.Option{l, every(10 * time.Second)}, tt.opts...)...)
				}))
			})
		})
	}
	t.Run("no attempt", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			assert.Equal(t, `level=INFO msg=canceled attempts=0 elapsed=0s reason="context done" cause="context canceled"`+"\n",
				logOf(slog.LevelDebug, func(l retry.Option) { _ = retry.Do(ctx, alwaysReturn(nil), l) }))
		})
	})
}

// contextHandler records the trail of each record's context.
type contextHandler struct {
	slog.Handler
	trails *[]string
}

func (h contextHandler) Handle(ctx context.Context, _ slog.Record) error {
	*h.trails = append(*h.trails, trail(ctx))
	return nil
}

func TestLogRecordsCarryCallsContext(t *testing.T) {
	t.Parallel()
	var trails []string
	l := slog.New(contextHandler{slog.NewTextHandler(nil, &slog.HandlerOptions{Level: slog.LevelDebug}), &trails})
	for _, fails := range []int{1, 2} {
		fn, _ := failTimes(fails, errDown)
		_ = retry.Do(extend(context.Background(), "c"), fn, atOnce, retry.WithMaxAttempts(2), retry.WithLogger(l),
			retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context { return extend(ctx, "s") }}))
	}
	assert.Equal(t, []string{"cs", "cs", "cs", "cs"}, trails)
}

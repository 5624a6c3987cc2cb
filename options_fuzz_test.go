package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// optionOfKind makes an option from the numbers. It also returns the option's name and whether it
// is bad.
func optionOfKind(kind uint8, n int64, x, y float64) (o retry.Option, name string, bad bool) {
	d, i := time.Duration(n), int(n) // an int may be shorter than n
	switch kind % 13 {
	case 0:
		return retry.WithMaxAttempts(i), "WithMaxAttempts", i < 1 && i != retry.Unlimited
	case 1:
		return retry.WithMaxElapsed(d), "WithMaxElapsed", n < 0
	case 2:
		return retry.WithAttemptTimeout(d), "WithAttemptTimeout", n < 0
	case 3:
		return retry.WithMaxDelay(d), "WithMaxDelay", n < 0 && n != retry.Unlimited
	case 4:
		return retry.WithMaxRetryAfter(d), "WithMaxRetryAfter", n < 0 && n != retry.Unlimited
	case 5:
		return retry.WithJitter(retry.Jitter{Lo: x, Hi: y}), "WithJitter",
			!(x >= 0 && y >= x && y > 0 && y <= math.MaxFloat64)
	case 6:
		return retry.WithBackoff(retry.Exponential(d, x)), "WithBackoff", n < 0 || !(x >= 1 && x <= math.MaxFloat64)
	case 7:
		return retry.WithBackoff(retry.Chain(i, retry.Decorrelated(max(d, 0), x), retry.Sequence())), "WithBackoff", true
	case 8:
		return retry.WithHistorySize(i), "WithHistorySize", i < 0
	case 9:
		return retry.WithHistory(retry.NewHistory(i)), "WithHistory", i < 0
	case 10:
		return retry.WithBudget(retry.NewBudget(x, i)), "WithBudget", !(x >= 0 && x <= math.MaxFloat64) || i < 0 || int64(i) > largestBurst
	case 11:
		return retry.WithBackoff(backoffOfKind(uint8(n), max(d, 0), max(d, 0), min(max(x, 1), 9))), "WithBackoff", math.IsNaN(x)
	default:
		return retry.WithName(fmt.Sprint(n, x, y)), "", false
	}
}

// Options with any values either return an error that names them, or make a working call.
func FuzzOptions(f *testing.F) {
	for kind := range uint8(13) {
		f.Add(kind, int64(3), 1.5, 2.0, kind+1, int64(1), 1.0, 1.0)
		f.Add(kind, int64(-3), -1.5, math.NaN(), kind+3, int64(0), 0.0, 0.0)
		f.Add(kind, int64(math.MaxInt64), math.Inf(1), math.Inf(-1), kind, int64(math.MinInt64), math.MaxFloat64, math.SmallestNonzeroFloat64)
	}
	f.Fuzz(func(t *testing.T, kind1 uint8, n1 int64, x1, y1 float64, kind2 uint8, n2 int64, x2, y2 float64) {
		o1, name1, bad1 := optionOfKind(kind1, n1, x1, y1)
		o2, name2, bad2 := optionOfKind(kind2, n2, x2, y2)
		if name1 == "WithBackoff" && kind1%13 == 11 && math.IsNaN(x1) || name2 == "WithBackoff" && kind2%13 == 11 && math.IsNaN(x2) {
			return // an error in only some of the strategies
		}
		if name1 == name2 {
			bad1 = false // a later option replaces it
		}
		mock := clock.NewMock()
		made := 0
		err := retry.Do(context.Background(), func(context.Context) error {
			if made++; made < 3 {
				return errRefused
			}
			return nil
		}, o1, o2, retry.WithClock(instantMock{mock}))
		if bad1 || bad2 {
			require.ErrorIs(t, err, retry.ErrOption)
			require.Zero(t, made)
			var want []string
			if bad1 {
				want = append(want, name1)
			}
			if bad2 {
				want = append(want, name2)
			}
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(want))
			for _, name := range want {
				require.Contains(t, err.Error(), "retry: "+name+": ")
			}
			return
		}
		require.NotErrorIs(t, err, retry.ErrOption)
		require.Positive(t, made)
		var failed *retry.Error
		require.Equal(t, made == 3, err == nil)
		require.Equal(t, err != nil, errors.As(err, &failed))
	})
}

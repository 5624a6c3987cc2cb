package retry_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func FuzzBackoff(f *testing.F) {
	for kind := range uint8(8) {
		f.Add(kind, int64(100*ms), int64(ms), 2.0, 1, int64(0))
		f.Add(kind, int64(1), int64(1), 1.5, 64, int64(longest))
		f.Add(kind, int64(longest), int64(longest), 1.0000000000000002, math.MaxInt, int64(1))
		f.Add(kind, int64(0), int64(0), math.MaxFloat64, math.MaxInt, int64(0))
		f.Add(kind, int64(-1), int64(math.MinInt64), math.NaN(), math.MinInt, int64(math.MinInt64))
	}
	f.Fuzz(func(t *testing.T, kind uint8, initial, step int64, factor float64, number int, waited int64) {
		b := backoffOfKind(kind, time.Duration(initial), time.Duration(step), factor)
		a := retry.Attempt{Number: number, Waited: time.Duration(waited)}
		d := b.Delay(a) // must not panic, whatever the arguments
		if _, err := retry.New(retry.WithBackoff(b)); err != nil {
			require.ErrorIs(t, err, retry.ErrOption)
			return
		}
		require.Equal(t, d, b.Delay(a), "the strategy is a pure function")
		require.GreaterOrEqual(t, d, time.Duration(0))
		if number < 1 {
			return
		}
		next := a
		next.Number = min(a.Number, math.MaxInt-1) + 1
		switch n := big.NewInt(int64(number - 1)); kind % 8 {
		case 0:
			require.Equal(t, time.Duration(initial), d)
		case 1:
			n.Add(n.Mul(n, big.NewInt(step)), big.NewInt(initial))
			require.Equal(t, saturated(n), d)
			require.LessOrEqual(t, d, b.Delay(next))
		case 2:
			requirePower(t, initial, factor, number, d)
		case 3:
			require.Equal(t, fibonacciDelay(initial, number), d)
			require.LessOrEqual(t, d, b.Delay(next))
		case 4:
			requirePower(t, max(initial, waited), factor, 2, d)
			next.Waited = d
			require.LessOrEqual(t, d, b.Delay(next), "a longer wait is followed by a longer delay")
		case 5:
			require.Contains(t, []time.Duration{time.Duration(initial), time.Duration(step)}, d)
		}
	})
}

func saturated(n *big.Int) time.Duration {
	if !n.IsInt64() {
		return longest
	}
	return time.Duration(n.Int64())
}

func fibonacciDelay(unit int64, number int) time.Duration {
	current, next := big.NewInt(unit), big.NewInt(unit)
	for range min(number-1, 100) {
		current, next = next, new(big.Int).Add(current, next)
	}
	return saturated(current)
}

// requirePower checks that d is initial·factorⁿ⁻¹, within the error that such a power has. The
// error grows with the exponent.
func requirePower(t *testing.T, initial int64, factor float64, number int, d time.Duration) {
	t.Helper()
	if initial == 0 {
		require.Zero(t, d)
		return
	}
	exponent := float64(number - 1)
	want := math.Exp(math.Log(float64(initial)) + exponent*math.Log(factor))
	slack := 1e-12 + exponent*0x1p-50
	if slack > 0.1 {
		return
	}
	if want*(1+slack) < math.MaxInt64 {
		require.InEpsilon(t, want+1, float64(d)+1, slack+1/(want+1)) // d is a whole number
	} else if want*(1-slack) > math.MaxInt64 {
		require.Equal(t, longest, d)
	}
}

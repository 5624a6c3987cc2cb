package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every contender parks its items and gets them done. The test is not parallel because it measures
// memory.
func TestEveryContenderParks(t *testing.T) {
	for _, c := range contenders() {
		t.Run(c.id, func(t *testing.T) {
			var p parking
			for lead := 300 * time.Millisecond; p.Slow || p.Park == 0; lead *= 2 {
				var err error
				p, err = parkOne(c.id, 2000, lead)
				require.NoError(t, err)
			}
			assert.Positive(t, p.Bytes)
			assert.Positive(t, p.Park)
			assert.Greater(t, p.Late, -window)
		})
	}
	_, err := parkOne("nobody", 1, 0)
	assert.EqualError(t, err, "no contender nobody")
}

func TestFirstTouch(t *testing.T) {
	assert.Positive(t, firstTouch())
}

func TestBothPoolsDoTheWork(t *testing.T) {
	rates := measureThroughput(settings{works: 100, workers: 10})
	for _, r := range rates {
		assert.Positive(t, r.rate, r.name)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	m := measurement{
		settings{items: 1000, workers: 50},
		map[string]parking{
			"retrypool": {Bytes: 240, Park: 1100, Late: 500 * time.Millisecond, Sys: 300},
			"workqueue": {Bytes: 94, Park: 940, Late: 4800 * time.Millisecond, Sys: 1},
		},
		10 * time.Microsecond,
		[]throughput{{"workers that sleep between attempts", false, 100}, {"retrypool", true, 210}},
	}
	text := render(m)
	for _, line := range []string{
		"### 1000 parked items\n",
		"| **retrypool** | 240 | 1100 | 0.50 s | 300 |\n",
		"| k8s.io/client-go workqueue | 94 | 940 | 4.80 s | 1 |\n",
		"| a parked item takes at most 250 bytes | 240 | pass |\n",
		"| it is parked in at most 1µs | 1100 ns | **miss** |\n",
		"| all fall due within 100ms and are done within 1 s | 0.60 s | pass |\n",
		"takes 10.00 µs on this machine. For the 300 bytes",
		"does 2.1 times the work",
		"| **retrypool** | 210 |\n",
	} {
		assert.Contains(t, text, line)
	}
	assert.NotContains(t, text, "%!")
}

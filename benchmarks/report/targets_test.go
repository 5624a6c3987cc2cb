package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/benchmarks"
)

// missing holds, for each target, a change to a good measurement that makes it miss.
var missing = map[string]struct {
	set    func(m *measurement)
	target string // the target that is missed, by the start of its promise
	says   string // what the report says in the table or below it
}{
	"first try": {
		func(m *measurement) { m.set("Call/first/retry", 220, 0) },
		"first try succeeds, prebuilt policy: the bare call", "by 5.0 ns",
	},
	"an allocation": {
		func(m *measurement) { m.set("Call/first-struct/retry", 100, 1) },
		"first try succeeds, prebuilt policy, in every form", "by 1: ",
	},
	"value": {
		func(m *measurement) { m.set("Call/first-struct/retry", 111, 0) },
		"DoValue takes", "by 1.0 ns",
	},
	"options": {
		func(m *measurement) { m.set("Call/options/retry", 100, 2) },
		"options given at the call", "by 1: ",
	},
	"lists": {
		func(m *measurement) { m.set("Call/options/retry-lists", 100, 2) },
		"options that carry a list", "0, 0, 2 with none, one, two",
	},
	"giving up": {
		func(m *measurement) { m.set("Call/five-zero/eapache", 50, 0) },
		"giving up after five attempts without waits: ", "eapache/go-resiliency does not read the clock",
	},
	"stack": {
		func(m *measurement) { m.Background["retry"] = benchmarks.Waiting{Stack: 4096} },
		"a waiting call", "by 2048 bytes",
	},
	"cores": {
		func(m *measurement) { m.set("Call/all-first/retry", 200, 0) },
		"a policy shared", "0.50 times the calls of one core on 2",
	},
}

func TestTargets(t *testing.T) {
	t.Parallel()
	for name, test := range missing {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := good()
			assert.Empty(t, missed(m))
			test.set(m)
			if got := missed(m); assert.Len(t, got, 1) {
				assert.True(t, strings.HasPrefix(got[0], test.target), got[0])
			}
			assert.Contains(t, render(m), test.says)
		})
	}
}

func missed(m *measurement) []string {
	var promises []string
	for _, t := range targets(m) {
		if !t.met {
			promises = append(promises, t.promise)
		}
	}
	return promises
}

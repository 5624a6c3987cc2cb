package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-205ff063/retry/benchmarks"
)

func TestRender(t *testing.T) {
	t.Parallel()
	m := good()
	m.set("Call/first/retry", 99.6, 0)
	m.set("Call/first/eapache", 8.04, 0)
	text := render(m)
	assert.NotContains(t, text, "NaN")
	assert.NotContains(t, text, "%!")
	assert.Contains(t, text, "are met.\n")
	for _, c := range benchmarks.Cases() {
		assert.Contains(t, text, "## "+c.Title+"\n")
	}
	first := text[strings.Index(text, "## First try succeeds\n"):]
	assert.Less(t, strings.Index(first, "| eapache/go-resiliency | 8.0 | 0% | 0 | 0 |"),
		strings.Index(first, "| **retry** | 100 | 0% | 0 | 0 |"), "the fastest comes first")
	assert.Contains(t, text, "## "+benchmarks.WatchTitle+"\n")
	assert.Contains(t, text, "| no hooks | 100 | 0% | 0 | 100 | 0% | 0 |\n| hooks that do nothing |")
	assert.Contains(t, text, "| behaviour |\n")
	assert.Contains(t, text, "## HTTP\n\n")
	assert.Contains(t, text, "| waits |\n\n## ")
	assert.Contains(t, text, "| http |\n\n## ")
	assert.Contains(t, text, "| grpc |\n\n## ")
	assert.Contains(t, text, "| nats |\n\n## ")
	assert.Contains(t, text, "| river |\n\n## ")
	assert.Contains(t, text, "| pool |\n\n## ")
}

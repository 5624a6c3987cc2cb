package main

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWhy compares each table in docs/why.md with the output of its command.
func TestWhy(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors round some numbers differently")
	}
	page, err := os.ReadFile("../docs/why.md")
	require.NoError(t, err)
	blocks := strings.Split(string(page), "```console\n")[1:]
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		command, want := consoleBlock(t, block)
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			code, out, errs := retrysim(t, split(command)...)
			assert.Zero(t, code)
			assert.Empty(t, errs)
			require.Greater(t, strings.Count(want, "\n"), 3, "no table")
			assert.True(t, strings.HasPrefix(out, want), "the page says:\n%s\nand the command prints:\n%s", want, out)
		})
	}
}

// consoleBlock returns the command in the first line of a console block, without the program, and
// the output that follows it.
func consoleBlock(t *testing.T, block string) (command, output string) {
	t.Helper()
	block, _, _ = strings.Cut(block, "```")
	block = strings.ReplaceAll(block, "\\\n", "")
	command, output, _ = strings.Cut(block, "\n")
	command, ok := strings.CutPrefix(command, "$ go run ./retrysim ")
	require.True(t, ok, command)
	return command, output
}

// TestBudgetSizes compares each row of the table of budgets in docs/choosing.md with the output of
// the command.
func TestBudgetSizes(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors round some numbers differently")
	}
	page, err := os.ReadFile("../docs/choosing.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(page), "| `-budget` |")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")[2:]
	require.NotEmpty(t, rows)
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		t.Run(cells[0], func(t *testing.T) {
			t.Parallel()
			code, out, errs := retrysim(t, "outage", "-budget", strings.Trim(cells[0], "`"), "max_attempts=4")
			assert.Zero(t, code)
			assert.Empty(t, errs)
			got := strings.Join(strings.Fields(out), " ")
			assert.Contains(t, got, "max_attempts=4 1 "+strings.Join(cells[1:], " ")+" Load is")
		})
	}
}

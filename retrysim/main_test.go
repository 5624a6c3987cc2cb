package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// retrysim runs the program.
func retrysim(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

const full, none = "name=full max_attempts=6 backoff=exponential(1s,2)", "name=none max_attempts=6 backoff=exponential(1s,2) jitter=none"

func TestIntroduction(t *testing.T) {
	t.Parallel()
	code, out, errs := retrysim(t)
	assert.Zero(t, code)
	assert.Empty(t, errs)
	assert.LessOrEqual(t, strings.Count(out, "\n"), 10)
	for _, command := range []string{"plan", "herd", "occ", "outage", "serve"} {
		assert.Contains(t, out, "retrysim "+command)
	}
	_, help, _ := retrysim(t, "-h")
	assert.Equal(t, out, help)
}

// errorTest is a command line with an error. If want does not end a line, it is only a part of
// the text.
type errorTest struct {
	name string
	args []string
	code int
	want string
}

func (tt errorTest) run(t *testing.T) {
	t.Parallel()
	code, out, errs := retrysim(t, tt.args...)
	assert.Equal(t, tt.code, code)
	assert.Empty(t, out)
	if strings.HasSuffix(tt.want, "\n") {
		assert.Equal(t, tt.want, errs)
	} else {
		assert.Contains(t, errs, tt.want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, tt := range []errorTest{
		{"a policy, with a caret", []string{"plan", "name=a", "max_attempts=3 jitter=half"}, 2, "" +
			"retrysim: policy 2: position 16"},
		{"format", []string{"plan", "-format", "xml"}, 2, "retrysim: -format: \"xml\" is not one of text, csv, json\n"},
		{"ending", []string{"plan", "-o", "a.txt"}, 2, "retrysim: -o: \"a.txt\" does not end in any of .svg, .png, .html, .csv\n"},
		{"no folder", []string{"plan", "-o", filepath.Join(folder, "no", "a.svg")}, 1, "retrysim: -o: " + filepath.Join(folder, "no", "a.svg") + " cannot be written: no such file or directory\n"},
		{"a folder", []string{"plan", "-o", folderNamed(t, folder, "x.svg")}, 1, "retrysim: -o: " + filepath.Join(folder, "x.svg") + " is not a regular file\n"},
		{"command", []string{"plot"}, 2, "retrysim: \"plot\" is not a command; the commands are plan, herd, occ, outage and serve\n"},
		{"flag", []string{"herd", "-client", "5"}, 2, "retrysim: flag provided but not defined: -client; see retrysim herd -h\n"},
		{"address", []string{"serve", "-addr", "here"}, 2, "retrysim: -addr: \"here\" is not host:port such as 127.0.0.1:8080\n"},
		{"address in use", []string{"serve", "-addr", "192.0.2.1:1"}, 1, "retrysim: -addr: cannot listen on 192.0.2.1:1: "},
		{"a policy to serve", []string{"serve", "max_attempts=3"}, 2, "retrysim: serve takes no policy: \"max_attempts=3\"; enter it on the page\n"},
	} {
		t.Run(tt.name, tt.run)
	}
	_, _, errs := retrysim(t, "plan", "name=a", "max_attempts=3 jitter=half")
	assert.True(t, strings.HasSuffix(errs, "\n    max_attempts=3 jitter=half\n                   ^\n"), errs)
}

// TestErrorsOfValues checks the errors of flags whose value is invalid.
func TestErrorsOfValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []errorTest{
		{"numbers", []string{"herd", "-clients", "many", "-seed", "-1"}, 2, "" +
			"retrysim: -clients: \"many\" is not a whole number\n" +
			"retrysim: -seed: \"-1\" is not a whole number of at least 0\n"},
		{"bounds", []string{"herd", "-clients", "0"}, 1, "retrysim: -clients: 0 is not from 1 to 10000000\n"},
		{"no retries", []string{"herd", "-retries", "0"}, 2, "retrysim: -retries: 0 is below 1\n"},
		{"bounds of plan", []string{"plan", "-retries", "1001"}, 1, "retrysim: -retries: 1001 is not from 1 to 1000\n"},
		{"a list", []string{"occ", "-clients", "10,,20"}, 2, "retrysim: -clients: \"10,,20\" is not a list of whole numbers such as 10,20,50,100\n"},
		{"bounds of a list", []string{"occ", "-clients", "10,2000"}, 1, "retrysim: -clients: 2000 is not from 1 to 1000\n"},
		{"a rate", []string{"outage", "-rps", "0", "-capacity", "-1"}, 1, "" +
			"retrysim: -rps: 0 is not above 0 and at most 100000\n" +
			"retrysim: -capacity: -1 is not above 0 and at most 1000000\n"},
		{"not a number", []string{"outage", "-rps", "NaN"}, 2, "retrysim: -rps: \"NaN\" is not a number\n"},
		{"a timeout", []string{"outage", "-timeout", "0s"}, 2, "retrysim: -timeout: 0s is not above 0s\n"},
		{"a duration", []string{"outage", "-down", "30"}, 2, "retrysim: -down: \"30\" is not a duration such as 30s\n"},
		{"a budget", []string{"outage", "-budget", "10%"}, 2, "retrysim: -budget: \"10%\" is neither RATIO/BURST, such as 0.1/100, nor none\n"},
		{"bounds of a budget", []string{"outage", "-budget", "-1/5"}, 1, "retrysim: -budget: a ratio of -1 is not from 0 to 100\n"},
		{"layers", []string{"outage", "-layers", "9"}, 1, "retrysim: -layers: 9 is not from 1 to 5\n"},
	} {
		t.Run(tt.name, tt.run)
	}
}

func folderNamed(t *testing.T, folder, name string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.Mkdir(path, 0o755))
	return path
}

// brokenPipe is a standard output that is closed.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestClosedStandardOutput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"plan"}, {"plan", "-format", "csv"}, {"plan", "-format", "json"}} {
		var errs bytes.Buffer
		assert.Equal(t, 1, run(t.Context(), args, brokenPipe{}, &errs), args)
		assert.Contains(t, errs.String(), "file already closed")
	}
}

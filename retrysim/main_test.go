package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// retrysim runs the program with the arguments.
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

// TestHelp holds that the help of each command names all its flags, and that its examples run.
func TestHelp(t *testing.T) {
	t.Parallel()
	for command, flags := range map[string]string{
		"plan":   "-retries -seed -format -o -quiet",
		"herd":   "-clients -retries -seed -format -o -quiet",
		"occ":    "-clients -trials -seed -format -o -quiet",
		"outage": "-rps -down -capacity -layers -budget -no-nesting -refuse -timeout -queue -before -after -seed -format -o -quiet",
		"serve":  "-addr",
	} {
		for _, ask := range []string{"-h", "--help"} {
			code, out, errs := retrysim(t, command, ask)
			assert.Zero(t, code)
			assert.Empty(t, errs)
			for flag := range strings.FieldsSeq(flags) {
				assert.Contains(t, out, "\n  "+flag+" ", command)
			}
			assert.Contains(t, out, "Examples:\n  retrysim "+command)
			if command != "serve" {
				assert.Contains(t, out, "A POLICY is text")
			}
		}
	}
}

func TestHelpExamplesRun(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"plan", "herd", "occ", "outage"} {
		_, help, _ := retrysim(t, command, "-h")
		for line := range strings.SplitSeq(help, "\n") {
			example, ok := strings.CutPrefix(line, "  retrysim "+command)
			if !ok {
				continue
			}
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				args := append([]string{command}, split(example)...)
				for i, a := range args {
					if a == "1000000" {
						args[i] = "10000"
					}
					if i > 0 && args[i-1] == "-o" {
						args[i] = filepath.Join(t.TempDir(), a)
					}
				}
				code, out, errs := retrysim(t, args...)
				assert.Zero(t, code, errs)
				assert.NotEmpty(t, out)
			})
		}
	}
}

// split takes a command line apart as a shell does that knows only single quotes.
func split(line string) (args []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			args = append(args, part)
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	return args
}

// TestColumns holds the names of the columns.
func TestColumns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want string
		args []string
		rows int
	}{
		{"policy,retry,min_ms,median_ms,max_ms,total_max_ms", []string{"plan", full, none}, 10},
		{"policy,clients,peak_share,peak_share_after_first,at_cap_share,median_total_ms,p99_total_ms", []string{"herd", "-clients", "1000", full, none}, 2},
		{"policy,clients,calls,ms", []string{"occ", "-clients", "5,10", "-trials", "5", full, none}, 4},
		{"policy,layers,amplification,peak_load,goodput_share,recovered_ms", []string{"outage", "-rps", "50", "-capacity", "60", "-down", "3s", "-after", "5s", full, none}, 2},
	} {
		t.Run(tt.args[0], func(t *testing.T) {
			t.Parallel()
			code, out, errs := retrysim(t, append(tt.args, "-format", "csv")...)
			require.Zero(t, code, errs)
			first, _, _ := strings.Cut(out, "\n")
			assert.Equal(t, tt.want, first)
			rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			require.NoError(t, err)
			assert.Len(t, rows, tt.rows+1)

			code, out, _ = retrysim(t, append(tt.args, "-format=json")...)
			require.Zero(t, code)
			var objects []map[string]any
			require.NoError(t, json.Unmarshal([]byte(out), &objects))
			require.Len(t, objects, tt.rows)
			for name := range strings.SplitSeq(tt.want, ",") {
				assert.Contains(t, objects[0], name)
			}
		})
	}
}

func TestNeverRecovered(t *testing.T) {
	t.Parallel()
	args := []string{"outage", "-rps", "100", "-capacity", "120", "-down", "5s", "-after", "10s", "name=x"}
	_, out, _ := retrysim(t, append(args, "-format", "csv")...)
	assert.True(t, strings.HasSuffix(out, ",\n"), out)
	_, out, _ = retrysim(t, append(args, "-format", "json")...)
	assert.Contains(t, out, `"recovered_ms": null`)
	_, out, _ = retrysim(t, args...)
	assert.Contains(t, out, "never")
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"herd", "-clients", "9000"},
		{"occ", "-clients", "10", "-trials", "9"},
		{"outage", "-rps", "50", "-capacity", "60", "-down", "3s", "-after", "5s"},
	} {
		folder := t.TempDir()
		for _, ending := range []string{"svg", "png", "html", "csv"} {
			var files [3][]byte
			for i, seed := range []string{"5", "5", "6"} {
				path := filepath.Join(folder, "out."+ending)
				code, _, errs := retrysim(t, append(args, "-seed", seed, "-o", path, "-quiet", full)...)
				require.Zero(t, code, errs)
				var err error
				files[i], err = os.ReadFile(path)
				require.NoError(t, err)
			}
			assert.True(t, bytes.Equal(files[0], files[1]), "%s %s", args[0], ending)
			assert.False(t, bytes.Equal(files[0], files[2]), "%s %s", args[0], ending)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a policy, with a caret", []string{"plan", "name=a", "max_attempts=3 jitter=half"}, 2, "" +
			"retrysim: policy 2: position 16"},
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
		{"a time-out", []string{"outage", "-timeout", "0s"}, 2, "retrysim: -timeout: 0s is not above 0s\n"},
		{"a duration", []string{"outage", "-down", "30"}, 2, "retrysim: -down: \"30\" is not a duration such as 30s\n"},
		{"a budget", []string{"outage", "-budget", "10%"}, 2, "retrysim: -budget: \"10%\" is not RATIO/BURST such as 0.1/100, nor none\n"},
		{"bounds of a budget", []string{"outage", "-budget", "-1/5"}, 1, "retrysim: -budget: a ratio of -1 is not from 0 to 100\n"},
		{"layers", []string{"outage", "-layers", "9"}, 1, "retrysim: -layers: 9 is not from 1 to 5\n"},
		{"format", []string{"plan", "-format", "xml"}, 2, "retrysim: -format: \"xml\" is none of text, csv, json\n"},
		{"ending", []string{"plan", "-o", "a.txt"}, 2, "retrysim: -o: \"a.txt\" ends in none of .svg, .png, .html, .csv\n"},
		{"no folder", []string{"plan", "-o", filepath.Join(folder, "no", "a.svg")}, 1, "retrysim: -o: " + filepath.Join(folder, "no", "a.svg") + " cannot be written: no such file or directory\n"},
		{"a folder", []string{"plan", "-o", folderNamed(t, folder, "x.svg")}, 1, "retrysim: -o: " + filepath.Join(folder, "x.svg") + " is no regular file\n"},
		{"command", []string{"plot"}, 2, "retrysim: \"plot\" is no command; the commands are plan, herd, occ, outage and serve\n"},
		{"flag", []string{"herd", "-client", "5"}, 2, "retrysim: flag provided but not defined: -client; see retrysim herd -h\n"},
		{"address", []string{"serve", "-addr", "here"}, 2, "retrysim: -addr: \"here\" is not host:port such as 127.0.0.1:8080\n"},
		{"address in use", []string{"serve", "-addr", "192.0.2.1:1"}, 1, "retrysim: -addr: cannot listen on 192.0.2.1:1: "},
		{"a policy to serve", []string{"serve", "max_attempts=3"}, 2, "retrysim: serve takes no policy: \"max_attempts=3\"; type it into the page\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := retrysim(t, tt.args...)
			assert.Equal(t, tt.code, code)
			assert.Empty(t, out)
			if strings.HasSuffix(tt.want, "\n") {
				assert.Equal(t, tt.want, errs)
			} else {
				assert.Contains(t, errs, tt.want)
			}
		})
	}
	_, _, errs := retrysim(t, "plan", "name=a", "max_attempts=3 jitter=half")
	assert.True(t, strings.HasSuffix(errs, "\n    max_attempts=3 jitter=half\n                   ^\n"), errs)
}

func folderNamed(t *testing.T, folder, name string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.Mkdir(path, 0o755))
	return path
}

// TestNothingHalfWritten holds that a file is either as it was or complete, and that nothing
// else is left behind.
func TestNothingHalfWritten(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "a.csv")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))

	code, _, _ := retrysim(t, "herd", "-clients", "0", "-o", path)
	assert.Equal(t, 1, code)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	assert.Equal(t, 130, run(ctx, []string{"herd", "-o", path}, &out, &errs))
	assert.Equal(t, "retrysim: interrupted; nothing was written\n", errs.String())
	assert.Empty(t, out.String())
	assertFile(t, path, "before")

	code, stdout, _ := retrysim(t, "plan", "-quiet", "-o", path, "name=a max_attempts=2")
	assert.Zero(t, code)
	assert.Empty(t, stdout)
	assertFile(t, path, "policy,retry,min_ms,median_ms,max_ms,total_max_ms\na,1,0,50,100,100\n")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func assertFile(t *testing.T, path, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, string(text))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

// brokenPipe is a standard output that nobody reads.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestStandardOutputThatFails(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"plan"}, {"plan", "-format", "csv"}, {"plan", "-format", "json"}} {
		var errs bytes.Buffer
		assert.Equal(t, 1, run(t.Context(), args, brokenPipe{}, &errs), args)
		assert.Contains(t, errs.String(), "file already closed")
	}
}

// TestServe starts the server as the command does, and ends it as Ctrl-C does.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	ended := make(chan int, 1)
	var errs bytes.Buffer
	go func() { ended <- run(ctx, []string{"serve"}, writer, &errs) }()
	line := make([]byte, 200)
	n, err := reader.Read(line)
	require.NoError(t, err)
	assert.Regexp(t, `^retrysim: open http://127\.0\.0\.1:\d+ in a browser; Ctrl-C ends it\n$`, string(line[:n]))
	cancel()
	assert.Zero(t, <-ended)
	assert.Empty(t, errs.String())
}

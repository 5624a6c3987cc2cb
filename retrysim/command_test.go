package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHelp checks that the help of each command lists all its flags and has examples.
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

// split splits a command line into arguments. It knows single quotes.
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

// TestColumns checks the names of the columns in CSV and JSON.
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

package help

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sample is the main.go of a program with two flags.
const sample = `// Sample shows two things.
//
//	go run ./examples/sample -rows 3
//
// It takes about a second:
//
//   - the first;
//   - the second.
package main
`

// TestMain turns the test binary into the sample program when a test starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv("HELP_SAMPLE") == "" {
		os.Exit(m.Run())
	}
	flag.CommandLine = flag.NewFlagSet("sample", flag.ExitOnError) // without the flags of tests
	rows := flag.Int("rows", 100, "number of `rows`")
	flag.Bool("quiet", false, "print nothing")
	Parse(sample)
	os.Stdout.WriteString(strings.Repeat("row\n", *rows))
}

// runSample returns what the sample program writes, and its exit status.
func runSample(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	program := exec.CommandContext(t.Context(), os.Args[0], args...)
	program.Env = append(os.Environ(), "HELP_SAMPLE=1")
	var out, errs strings.Builder
	program.Stdout, program.Stderr = &out, &errs
	err := program.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.String(), errs.String(), program.ProcessState.ExitCode()
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, h := range []string{"-h", "-help", "--help"} {
		stdout, stderr, status := runSample(t, "-rows", "3", h)
		assert.Zero(t, status)
		assert.Empty(t, stderr)
		assert.Equal(t, `Sample shows two things.

	go run ./examples/sample -rows 3

It takes about a second:

  - the first;
  - the second.

Flags:
  -quiet
    	print nothing
  -rows rows
    	number of rows (default 100)
  -h	print this help
`, stdout)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args   []string
		stderr string
		status int
	}{
		"flags":          {[]string{"-quiet", "-rows=2"}, "", 0},
		"unknown flag":   {[]string{"-row", "2"}, "flag provided but not defined: -row (use -h for help)\n", 2},
		"bad value":      {[]string{"-rows", "many"}, `invalid value "many" for flag -rows: parse error (use -h for help)` + "\n", 2},
		"stray argument": {[]string{"-rows", "2", "more"}, `unexpected argument "more" (use -h for help)` + "\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := runSample(t, tt.args...)
			assert.Equal(t, tt.status, status)
			if tt.stderr == "" {
				assert.Equal(t, "row\nrow\n", stdout)
				assert.Empty(t, stderr)
			} else {
				_, message, _ := strings.Cut(stderr, ": ")
				assert.Equal(t, tt.stderr, message)
				assert.Empty(t, stdout)
			}
		})
	}
}

const examples = "../.."

// programs returns the folders of the example programs.
func programs(t *testing.T) (folders []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(examples, "*", "main.go"))
	require.NoError(t, err)
	for _, file := range files {
		folders = append(folders, filepath.Base(filepath.Dir(file)))
	}
	require.Greater(t, len(folders), 15)
	return folders
}

// Each program has help that says what it shows, how to run it, in which order and how long, and it
// parses its command line by this package.
func TestPrograms(t *testing.T) {
	t.Parallel()
	for _, name := range programs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(filepath.Join(examples, name, "main.go"))
			require.NoError(t, err)
			assert.Contains(t, string(source), "\n//go:embed main.go\nvar source string\n")
			assert.Regexp(t, `(?m)^\thelp\.Parse\(source\)`, string(source))
			assert.NotContains(t, string(source), "flag.Parse()")

			help := text(string(source), flag.NewFlagSet(name, flag.ContinueOnError))
			assert.True(t, strings.HasPrefix(help, strings.ToUpper(name[:1])+name[1:]+" "), help)
			assert.Regexp(t, `(?m)^\tgo run (\./examples/`+name+`|\. +# in examples/`+name+`)\b`, help)
			assert.Regexp(t, `\b[Ii]t (takes|runs for) (about |less than )?(a|half|\d+|two|three|nine|ten)\b`, help, "how long")
			assert.Regexp(t, `(?m)^ 1\. (?s:.*)^ 2\. `, help, "in which order")
		})
	}
}

// The list of the examples has a line for each, programs and packages of tests alike.
func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(examples, "README.md"))
	require.NoError(t, err)
	folders, err := filepath.Glob(filepath.Join(examples, "*", "*.go"))
	require.NoError(t, err)
	want := map[string]bool{}
	for _, file := range folders {
		want[filepath.Base(filepath.Dir(file))] = true
	}
	got := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^\| \[(\w+)\]\((\w+)\) \|`).FindAllStringSubmatch(string(readme), -1) {
		assert.Equal(t, found[1], found[2])
		assert.False(t, got[found[1]], "%s is listed twice", found[1])
		got[found[1]] = true
	}
	assert.Equal(t, want, got)
}

// The modules below this one have the same package.
func TestCopies(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("help.go")
	require.NoError(t, err)
	modules, err := filepath.Glob(filepath.Join(examples, "*", "go.mod"))
	require.NoError(t, err)
	copies := 0
	for _, module := range modules {
		folder := filepath.Dir(module)
		if _, err := os.Stat(filepath.Join(folder, "main.go")); err != nil {
			continue // a package without a program
		}
		copies++
		got, err := os.ReadFile(filepath.Join(folder, "internal", "help", "help.go"))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), folder)
	}
	assert.Positive(t, copies)
}

func TestNoComment(t *testing.T) {
	t.Parallel()
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	assert.Panics(t, func() { text("package main\n", flags) })
}

// Retrysim shows what a retry policy does before you use it in production: how long it waits,
// how the retries of many clients spread out, and whether a server recovers from an outage. The
// library itself makes every decision, on a virtual clock.
//
//	retrysim plan   POLICY…
//	retrysim herd   -clients 60000 POLICY…
//	retrysim occ    -clients 10,20,50,100 POLICY…
//	retrysim outage -rps 1000 -down 30s -capacity 1200 -layers 1 -budget 0.1/100 POLICY…
//	retrysim serve  -addr 127.0.0.1:0
//
// A POLICY is a text that [retry.Parse] accepts. Without one, retrysim shows the library's
// default policy. The models are in package sim.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes.
const (
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// run runs the program and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := rootCommand(stdout, stderr).Run(ctx, append([]string{"retrysim"}, args...))
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		_, _ = fmt.Fprintln(stderr, "retrysim: interrupted; nothing was written")
		return exitInterrupted
	case errors.As(err, &usage):
		printError(stderr, err)
		return exitUsage
	}
	printError(stderr, err)
	return exitError
}

// printError writes an error. Lines that are indented show a position; all others get the prefix
// of the program.
func printError(w io.Writer, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.HasPrefix(line, " ") {
			line = "retrysim: " + line
		}
		_, _ = fmt.Fprintln(w, line)
	}
}

// usageError is an error in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

const introduction = `retrysim shows what a retry policy does before you use it in production.

  retrysim plan     the waits before each retry
  retrysim herd     60,000 clients fail at once: when do they all come back?
  retrysim occ      clients compete for one row: how many writes, how long?
  retrysim outage   a server goes down and comes back: does it recover?
  retrysim serve    a web page on which you can try all of this

A policy is a text such as 'max_attempts=5 backoff=exponential(100ms,2)'.
Try: retrysim outage max_attempts=4, and the same with -budget 0.1/100. Help: retrysim outage -h
`

// rootCommand returns the command without a name, which prints the introduction.
func rootCommand(stdout, stderr io.Writer) *cli.Command {
	c := &cli.Command{
		Name: "retrysim", Usage: "shows what a retry policy does",
		Writer: stdout, ErrWriter: stderr,
		CustomRootCommandHelpTemplate: literal(introduction),
		HideHelpCommand:               true,
		OnUsageError:                  newUsageError,
		ExitErrHandler:                func(context.Context, *cli.Command, error) {},
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return usageError{fmt.Errorf("%q is not a command; the commands are plan, herd, occ, outage and serve", name)}
			}
			_, err := io.WriteString(stdout, introduction)
			return err
		},
	}
	c.Commands = append(modelCommands(stdout, stderr), serveCommand(stdout))
	return c
}

// newUsageError adds where to find help.
func newUsageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	return usageError{fmt.Errorf("%w; see %s -h", err, c.FullName())}
}

// Retrysim shows what a retry policy does before it is in production: when it waits, how the
// retries of many clients spread out, and whether a server that was down recovers. It makes
// every decision with the library's own step on a virtual clock.
//
//	retrysim plan   POLICY…
//	retrysim herd   -clients 60000 POLICY…
//	retrysim occ    -clients 10,20,50,100 POLICY…
//	retrysim outage -rps 1000 -down 30s -capacity 1200 -layers 1 -budget 0.1/100 POLICY…
//	retrysim serve  -addr 127.0.0.1:0
//
// A POLICY is a text that [retry.Parse] reads; none stands for the library's defaults. The
// package sim has the models.
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
	exitFault       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := root(stdout, stderr).Run(ctx, append([]string{"retrysim"}, args...))
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		_, _ = fmt.Fprintln(stderr, "retrysim: interrupted; nothing was written")
		return exitInterrupted
	case errors.As(err, &usage):
		complain(stderr, err)
		return exitUsage
	}
	complain(stderr, err)
	return exitFault
}

// complain writes an error. Every line says whose it is, but those that show where.
func complain(w io.Writer, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.HasPrefix(line, " ") {
			line = "retrysim: " + line
		}
		_, _ = fmt.Fprintln(w, line)
	}
}

// usageError is an error of the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

const introduction = `retrysim shows what a retry policy does before production does.

  retrysim plan     the waits before each retry
  retrysim herd     60,000 clients fail at once: when do they all come back?
  retrysim occ      clients compete for one row: how many writes, how long?
  retrysim outage   a server goes down and comes back: does it recover?
  retrysim serve    all of it in your browser, to play with

Try: retrysim outage 'name=three max_attempts=4' and the same with -budget 0.1/100
Help: retrysim outage -h; policies are texts such as 'max_attempts=5 backoff=exponential(100ms,2)'
`

// root is the command line.
func root(stdout, stderr io.Writer) *cli.Command {
	c := &cli.Command{
		Name: "retrysim", Usage: "shows what a retry policy does",
		Writer: stdout, ErrWriter: stderr,
		CustomRootCommandHelpTemplate: literal(introduction),
		HideHelpCommand:               true,
		OnUsageError:                  usageFault,
		ExitErrHandler:                func(context.Context, *cli.Command, error) {},
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return usageError{fmt.Errorf("%q is no command; the commands are plan, herd, occ, outage and serve", name)}
			}
			_, err := io.WriteString(stdout, introduction)
			return err
		},
	}
	c.Commands = append(modelCommands(stdout, stderr), serveCommand(stdout))
	return c
}

func usageFault(_ context.Context, c *cli.Command, err error, _ bool) error {
	return usageError{fmt.Errorf("%w; see %s -h", err, c.FullName())}
}

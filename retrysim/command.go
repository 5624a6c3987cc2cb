package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/seed-205ff063/retry/retrysim/internal/report"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// modelCommands returns the commands that run a model.
func modelCommands(stdout, stderr io.Writer) (commands []*cli.Command) {
	for _, c := range report.Commands {
		params := slices.Concat(c.Params, []report.Param{
			{Name: "format", Default: "text", Usage: "format of the output: text, csv or json"},
			{Name: "o", Usage: "write the picture or the table to FILE.svg, FILE.png, FILE.html or FILE.csv"},
			{Name: "quiet", Switch: true, Usage: "show no progress bar, and with -o print nothing"},
		})
		commands = append(commands, &cli.Command{
			Name: c.Name, Usage: c.Usage,
			Flags:              flags(params),
			CustomHelpTemplate: literal(help(c.Name, "POLICY…", c.Usage, c.About, c.Examples, params)),
			HideHelpCommand:    true,
			OnUsageError:       newUsageError,
			Action: func(ctx context.Context, f *cli.Command) error {
				return runModel(ctx, c, f, stdout, stderr)
			},
		})
	}
	return commands
}

// flags returns a flag for each parameter. The flags are texts which the parameters parse, so
// that commands and page report the same errors.
func flags(params []report.Param) (all []cli.Flag) {
	for _, p := range params {
		if p.Switch {
			all = append(all, &cli.BoolFlag{Name: p.Name})
		} else {
			all = append(all, &cli.StringFlag{Name: p.Name, Value: p.Default})
		}
	}
	return all
}

// flagValues returns a function that returns the value of a flag as text, if it was given.
func flagValues(f *cli.Command) func(string) (string, bool) {
	return func(name string) (string, bool) { return fmt.Sprint(f.Value(name)), f.IsSet(name) }
}

// runModel parses the flags, runs the model and writes the report.
func runModel(ctx context.Context, c report.Command, f *cli.Command, stdout, stderr io.Writer) error {
	scenario, err := c.Scenario(flagValues(f))
	if err != nil {
		return usageError{err}
	}
	format := f.String("format")
	if !slices.Contains(report.Formats, format) {
		return usageError{fmt.Errorf("-format: %q is not one of %s", format, strings.Join(report.Formats, ", "))}
	}
	policies, err := report.Policies(f.Args().Slice())
	if err != nil {
		return usageError{err}
	}
	file, err := newOutput(f.String("o"))
	if err != nil {
		return err
	}
	defer file.discard()
	result, err := simulate(ctx, c, scenario, policies, newProgressBar(stderr, c.Name, f.Bool("quiet")))
	if err != nil {
		return err
	}
	if err := file.write(result); err != nil {
		return err
	}
	if file != nil && f.Bool("quiet") {
		return nil
	}
	return result.Write(stdout, format)
}

// simulate runs the model and shows its progress.
func simulate(ctx context.Context, c report.Command, s report.Scenario, policies []sim.Policy, bar *progressBar) (report.Report, error) {
	s.Watch(bar.report)
	defer bar.finish()
	result, err := c.Run(ctx, s, policies)
	if err != nil {
		return report.Report{}, report.Explain(err)
	}
	return result, nil
}

// help returns the text that -h shows.
func help(name, arguments, usage, about string, examples []string, params []report.Param) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n%s\n", strings.TrimSpace("retrysim "+name+" [flags] "+arguments), usage, about)
	b.WriteString("\nFlags:\n")
	for _, p := range params {
		value := ""
		if p.Default != "" && !p.Switch {
			value = " (default " + p.Default + ")"
		}
		fmt.Fprintf(&b, "  -%-10s %s%s\n", p.Name, p.Usage, value)
	}
	b.WriteString("\nExamples:\n")
	for _, e := range examples {
		fmt.Fprintf(&b, "  %s\n", e)
	}
	if arguments != "" {
		b.WriteString("\nA POLICY is text: key=value pairs with the keys name, max_attempts, max_elapsed, attempt_timeout,\n" +
			"backoff, max_delay, max_retry_after and jitter. The default is the library's default policy.\n")
	}
	return b.String()
}

// literal returns a template that prints the text as it is.
func literal(text string) string { return "{{`" + strings.ReplaceAll(text, "`", "'") + "`}}" }

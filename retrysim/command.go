package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/seed-205ff063/retry/retrysim/internal/report"
)

// modelCommands are the commands that run a model.
func modelCommands(stdout, stderr io.Writer) (commands []*cli.Command) {
	for _, c := range report.Commands {
		params := slices.Concat(c.Params, []report.Param{
			{Name: "format", Default: "text", Usage: "of the output: text, csv or json"},
			{Name: "o", Usage: "write the picture or the table to this file: FILE.svg, .png, .html or .csv"},
			{Name: "quiet", Switch: true, Usage: "no progress bar, and no output where -o has it"},
		})
		commands = append(commands, &cli.Command{
			Name: c.Name, Usage: c.Usage,
			Flags:              flags(params),
			CustomHelpTemplate: literal(help(c.Name, "POLICY…", c.Usage, c.About, c.Examples, params)),
			HideHelpCommand:    true,
			OnUsageError:       usageFault,
			Action: func(ctx context.Context, f *cli.Command) error {
				return runModel(ctx, c, f, stdout, stderr)
			},
		})
	}
	return commands
}

// flags makes a flag of each parameter. Values are read by the parameter itself, so that a
// fault names the flag in the same way everywhere.
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

// given returns the value of a flag as text.
func given(f *cli.Command) func(string) (string, bool) {
	return func(name string) (string, bool) { return fmt.Sprint(f.Value(name)), f.IsSet(name) }
}

// runModel reads the flags, runs the model, and writes what came out.
func runModel(ctx context.Context, c report.Command, f *cli.Command, stdout, stderr io.Writer) error {
	scenario, err := c.Scenario(given(f))
	if err != nil {
		return usageError{err}
	}
	format := f.String("format")
	if !slices.Contains(report.Formats, format) {
		return usageError{fmt.Errorf("-format: %q is none of %s", format, strings.Join(report.Formats, ", "))}
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
	bar := newBar(stderr, c.Name, f.Bool("quiet"))
	scenario.Watch(bar.report)
	result, err := c.Run(ctx, scenario, policies)
	bar.finish()
	if err != nil {
		return report.Explain(err)
	}
	if err := file.write(result); err != nil {
		return err
	}
	if file != nil && f.Bool("quiet") {
		return nil
	}
	return result.Write(stdout, format)
}

// help is the text that -h shows.
func help(name, arguments, usage, about string, examples []string, params []report.Param) string {
	var b strings.Builder
	fmt.Fprintf(&b, "retrysim %s [flags] %s\n\n%s\n\n%s\n", name, arguments, usage, about)
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
			"backoff, max_delay, max_retry_after and jitter. Without one the library's defaults are shown.\n")
	}
	return b.String()
}

// literal makes a template that is the text.
func literal(text string) string { return "{{`" + strings.ReplaceAll(text, "`", "'") + "`}}" }

// Package help gives the example programs one form of -h.
//
// A program's help is its package comment, so a reader of the code and a reader of -h see the same
// text. The flags follow:
//
//	//go:embed main.go
//	var source string
//
//	func main() {
//		rows := flag.Int("rows", 100, "number of rows")
//		help.Parse(source)
//		…
//	}
//
// The examples that are modules of their own have copies of this file. A test keeps them the same.
package help

import (
	"errors"
	"flag"
	"fmt"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Parse parses the command line into the flags of [flag.CommandLine]. Source is the text of main.go.
//
// With -h it prints the help on standard output and ends the program. An unknown flag, a bad value or
// an argument that is no flag is one line on standard error, and the exit status is 2.
func Parse(source string) {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	flag.CommandLine.Init(name, flag.ContinueOnError)
	err := parse(flag.CommandLine, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(text(source, flag.CommandLine))
		os.Exit(0)
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v (use -h for help)\n", name, err)
		os.Exit(2)
	}
}

// parse parses the arguments and prints nothing.
func parse(flags *flag.FlagSet, args []string) error {
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return nil
}

// text returns the package comment of source, followed by the flags.
func text(source string, flags *flag.FlagSet) string {
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", source, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil || file.Doc == nil {
		panic(fmt.Sprintf("help: main.go has no package comment: %v", err)) // a test rules it out
	}
	var b strings.Builder
	b.Write(new(comment.Printer).Text(new(comment.Parser).Parse(file.Doc.Text())))
	fmt.Fprint(&b, "\nFlags:\n")
	flags.SetOutput(&b)
	flags.PrintDefaults()
	fmt.Fprint(&b, "  -h\tprint this help\n")
	return b.String()
}

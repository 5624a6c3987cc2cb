package main

import (
	"context"
	"io"

	"github.com/urfave/cli/v3"
)

func serveCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{Name: "serve", Action: func(context.Context, *cli.Command) error { return nil }}
}

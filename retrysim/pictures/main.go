// Pictures makes the pictures of the documentation:
//
//	go run ./retrysim/pictures docs/pictures
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/seed-205ff063/retry/retrysim/internal/gallery"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// run writes all pictures into the folder that args names.
func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("give one argument: the folder to write to, such as docs/pictures")
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // documentation is public
		return err
	}
	for _, p := range gallery.All {
		svg, err := p.SVG(ctx)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(args[0], p.File), svg, 0o644); err != nil { //nolint:gosec // documentation is public
			return err
		}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/seed-205ff063/retry/retrysim/internal/page"
	"github.com/seed-205ff063/retry/retrysim/internal/report"
)

// serveCommand returns the command that serves the page.
func serveCommand(stdout io.Writer) *cli.Command {
	params := []report.Param{{Name: "addr", Default: "127.0.0.1:0", Usage: "host:port to listen on; port 0 selects a free one"}}
	const usage = "a web page on which you can try all of this"
	about := "The page loads nothing from other servers. By default only this machine can open it. With another\n" +
		"-addr, everybody who can reach that address can open it."
	examples := []string{"retrysim serve", "retrysim serve -addr 127.0.0.1:8080"}
	return &cli.Command{
		Name: "serve", Usage: usage, Flags: flags(params),
		CustomHelpTemplate: literal(help("serve", "", usage, about, examples, params)),
		HideHelpCommand:    true, OnUsageError: newUsageError,
		Action: func(ctx context.Context, f *cli.Command) error {
			if extra := f.Args().First(); extra != "" {
				return usageError{fmt.Errorf("serve takes no policy: %q; enter it on the page", extra)}
			}
			return serve(ctx, f.String("addr"), stdout)
		},
	}
}

// serve serves the page until ctx ends.
func serve(ctx context.Context, addr string, stdout io.Writer) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return usageError{fmt.Errorf("-addr: %q is not host:port such as 127.0.0.1:8080", addr)}
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("-addr: cannot listen on %s: %w", addr, err)
	}
	at, _ := listener.Addr().(*net.TCPAddr)
	server := page.Server(at.IP.IsLoopback())
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	if _, err := fmt.Fprintf(stdout, "retrysim: open http://%s in a browser; press Ctrl-C to stop\n", listener.Addr()); err != nil {
		_ = listener.Close()
		return err
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		shutDown(ctx, server)
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-done
	return nil
}

// shutDown waits a moment for running requests, then closes their connections.
func shutDown(ctx context.Context, server *http.Server) {
	const gracePeriod = time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gracePeriod)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}

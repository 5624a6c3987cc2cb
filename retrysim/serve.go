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

// serveCommand serves the page.
func serveCommand(stdout io.Writer) *cli.Command {
	params := []report.Param{{Name: "addr", Default: "127.0.0.1:0", Usage: "host:port to listen on; port 0 takes a free one"}}
	const usage = "a page to play with all of it in your browser"
	about := "The page needs no network but the one to this program. It is open to this machine only,\n" +
		"unless -addr names another address: then to everybody who can reach that."
	examples := []string{"retrysim serve", "retrysim serve -addr 127.0.0.1:8080"}
	return &cli.Command{
		Name: "serve", Usage: usage, Flags: flags(params),
		CustomHelpTemplate: literal(help("serve", "", usage, about, examples, params)),
		HideHelpCommand:    true, OnUsageError: usageFault,
		Action: func(ctx context.Context, f *cli.Command) error {
			if extra := f.Args().First(); extra != "" {
				return usageError{fmt.Errorf("serve takes no policy: %q; type it into the page", extra)}
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
	if _, err := fmt.Fprintf(stdout, "retrysim: open http://%s in a browser; Ctrl-C ends it\n", listener.Addr()); err != nil {
		_ = listener.Close()
		return err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		shutDown(ctx, server)
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-ended
	return nil
}

// shutDown lets requests end that are under way, for a moment.
func shutDown(ctx context.Context, server *http.Server) {
	const moment = time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), moment)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}

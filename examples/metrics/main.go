// Metrics shows what a program's retries look like from outside: the instruments of package retryotel
// in Prometheus' format at /metrics, counts by expvar alone at /debug/vars, and the newest attempts of
// a shared History as JSON at /debug/retry.
//
//	go run ./examples/metrics
//	go run ./examples/metrics -keep    # serves until it is interrupted
//
// It takes less than a second:
//
//  1. it makes calls that fail in different ways;
//  2. a pool delivers mails, and the program reads its own /metrics while the pool is full;
//  3. it prints a part of each of the three pages.
//
// Both sources give the same figures. Use expvar if you want no dependency.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/seed-205ff063/retry/examples/internal/help"
)

//go:embed main.go
var source string

func main() {
	keep := flag.Bool("keep", false, "serve until the program is interrupted")
	address := flag.String("address", "127.0.0.1:0", "`host:port` to serve at; port 0 is any free port")
	help.Parse(source)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *address, *keep)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run does the work and prints what was measured. With keep it then serves until ctx ends.
func run(ctx context.Context, w io.Writer, address string, keep bool) (err error) {
	m, err := newTelemetry()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: m.handler(), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped := server.Shutdown(grace)
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		err = errors.Join(err, stopped, m.provider.Shutdown(grace))
	}()

	base := "http://" + listener.Addr().String()
	show := scraper{w, base}
	if err := work(ctx, m, func() error {
		return show.metrics(ctx, "while the pool is at work", "retry_pool_items", "retry_pool_capacity")
	}); err != nil {
		return err
	}
	if err := show.all(ctx); err != nil {
		return err
	}
	if keep {
		fmt.Fprintf(w, "serving %s/metrics, /debug/vars and /debug/retry until interrupted\n", base)
		<-ctx.Done()
	}
	return nil
}

// work makes the calls and delivers the mails. It calls inspect while the pool is full.
func work(ctx context.Context, m *telemetry, inspect func() error) (err error) {
	c, err := newCalls(m)
	if err != nil {
		return err
	}
	p, err := newMailPool(m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.pool.Close(ctx)) }()
	if err := c.run(ctx); err != nil {
		return err
	}
	return p.deliver(ctx, inspect)
}

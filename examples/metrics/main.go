// Metrics shows what a program's retries look like from outside: the instruments of package
// retryotel by the Prometheus exporter at /metrics, what a few lines count with expvar alone at
// /debug/vars, and the last attempts of a shared History as JSON at /debug/retry.
//
//	go run ./examples/metrics
//	go run ./examples/metrics -keep    # goes on until it is interrupted; it prints the address
//
// It makes calls that fail in different ways, has a pool work, and scrapes itself on the
// loopback interface, once in the middle of the pool's work and once when all is done. A
// second or so, then it ends. The figures of the two sources are the same ones: expvar is for
// those who want no dependency.
package main

import (
	"context"
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
)

func main() {
	keep := flag.Bool("keep", false, "go on serving until interrupted")
	address := flag.String("address", "127.0.0.1:0", "where to serve, on the loopback interface; port 0 is any that is free")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *address, *keep)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run does the work and shows what was measured, and then serves until ctx ends if it is to keep on.
func run(ctx context.Context, w io.Writer, address string, keep bool) (err error) {
	m, err := newMeasures()
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
		shut := server.Shutdown(grace)
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		err = errors.Join(err, shut, m.provider.Shutdown(grace))
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

// work makes the calls and delivers the mails.
func work(ctx context.Context, m *measures, look func() error) (err error) {
	c, err := newCalls(m)
	if err != nil {
		return err
	}
	p, err := newPost(m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.pool.Close(ctx)) }()
	if err := c.make(ctx); err != nil {
		return err
	}
	return p.deliver(ctx, look)
}

package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/seed-205ff063/retry"
)

// consumer reads messages from a server. A message is a line.
type consumer struct {
	address  string
	log      *slog.Logger
	messages int
}

// consume hands messages to handle until ctx ends, or until no connection lasts any more.
func (c *consumer) consume(ctx context.Context, handle func(string)) error {
	return retry.Do(ctx, func(ctx context.Context) error { return c.connect(ctx, handle) },
		retry.WithName("consume"),
		retry.WithMaxAttempts(5),
		retry.WithResetAfter(50*time.Millisecond), // a minute, for a real server
		retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
		retry.WithLogger(c.log),
	)
}

// connect consumes over one connection. It always returns an error: a feed has no end.
func (c *consumer) connect(ctx context.Context, handle func(string)) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	// A read does not look at ctx, but it ends when the connection is closed.
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	for lines := bufio.NewScanner(conn); ; c.messages++ {
		if !lines.Scan() {
			if err := lines.Err(); err != nil {
				return err
			}
			return io.ErrUnexpectedEOF
		}
		handle(lines.Text())
	}
}

// Kafka makes invoices of orders: it reads a topic with github.com/twmb/franz-go and writes another,
// to a broker in the process that fails in most ways there are.
//
//	go run ./examples/kafka
//	go run ./examples/kafka -orders 2000
//
// It takes about a second and prints what it finds in the topics at the end, and whether that is as it
// must be. Worth a look:
//
//   - an order counts as read (its offset is committed) once its invoice was written or the order was
//     put in the dead-letter topic, and all orders before it in its partition were; see share. What a
//     consumer that went away left undone is read again by the next one;
//   - so an order may be worked on twice, and a write whose reply was lost is made twice in any case:
//     at least once. Whoever reads the invoices drops those with an idempotency key that was there
//     before. The key is where the order came from, the same after a crash; see identify;
//   - there is one loop of retries, this library's: the client's own is off; see newProducer;
//   - the broker refuses a batch as a whole. A refused record is sent alone before it is believed to be
//     the bad one; see producer.send;
//   - the orders of a customer are worked on one after the other, also when one has to wait, and those
//     of other customers go on; see newConsumer.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
)

func main() {
	orders := flag.Int("orders", 300, "how many orders there are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *orders, network{})
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run has the orders consumed, by a broker that is reached by the network, and looks at what came of them.
func run(ctx context.Context, w io.Writer, orders int, n network) error {
	if orders < 1 {
		return fmt.Errorf("-orders %d: there must be at least 1", orders)
	}
	b, err := newBroker(n, mishaps)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.place(ctx, orders); err != nil {
		return err
	}
	if err := consumeAll(ctx, b, orders); err != nil {
		return err
	}
	r, err := inspect(ctx, b)
	if err != nil {
		return err
	}
	r.print(w, b.met())
	return r.check(orders)
}

// consumeAll runs a consumer until as many orders are settled.
func consumeAll(ctx context.Context, b *broker, orders int) error {
	all, stop := context.WithCancel(ctx)
	defer stop()
	c, err := newConsumer(b, func() {
		if orders--; orders == 0 {
			stop()
		}
	})
	if err != nil {
		return err
	}
	if err := c.run(all); err != nil {
		return err
	}
	return ctx.Err()
}

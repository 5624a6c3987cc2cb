// Kafka makes invoices of orders: it reads a topic with github.com/twmb/franz-go and writes another. The
// broker is a fake in the process that fails in many ways.
//
//	go run ./examples/kafka
//	go run ./examples/kafka -orders 2000
//
// It takes about a second:
//
//  1. it places the orders in a topic;
//  2. a consumer group reads them and writes the invoices and dead letters;
//  3. it prints what is in the topics and which failures the broker simulated;
//  4. it checks the topics: no order is missing, and each customer's invoices are in order.
//
// Worth a look:
//
//   - an order's offset is committed once the order and all orders before it in its partition are
//     settled: the invoice is written, or the order is a dead letter. See partition. The next consumer
//     reads again what this one left unsettled;
//   - delivery is at least once. An order may be read twice, and a write whose reply was lost is
//     repeated. A reader of the invoices drops those whose idempotency key it has seen. The key is the
//     order's topic, partition and offset, so it is the same after a crash. See identify;
//   - only this library retries: the client's own retries are off. See newProducer;
//   - the broker refuses a batch as a whole. A refused record is sent again alone, to find out whether
//     it is the bad one. See producer.send;
//   - a customer's orders are processed one after the other, also when one waits for a retry. Those of
//     other customers go on. See newConsumer.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/seed-205ff063/retry/examples/internal/help"
)

//go:embed main.go
var source string

func main() {
	orders := flag.Int("orders", 300, "how many `orders` to place, at least 1")
	help.Parse(source)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *orders, network{})
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run places the orders, consumes them, prints what is in the topics, and checks that.
func run(ctx context.Context, w io.Writer, orders int, n network) error {
	if orders < 1 {
		return fmt.Errorf("-orders %d: there must be at least 1", orders)
	}
	b, err := newBroker(n, faults)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.placeOrders(ctx, orders); err != nil {
		return err
	}
	if err := consumeAll(ctx, b, orders); err != nil {
		return err
	}
	r, err := inspect(ctx, b)
	if err != nil {
		return err
	}
	r.print(w, b.faultCounts())
	return r.check(orders)
}

// consumeAll runs a consumer until that many orders are settled.
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

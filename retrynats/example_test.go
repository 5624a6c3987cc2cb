package retrynats_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrynats"
)

// mail is a server with a stream of mails and a consumer for it. It also has streams of dead letters
// and receipts, and a bucket for State.
type mail struct {
	js       jetstream.JetStream
	consumer jetstream.Consumer
	attempts jetstream.KeyValue
	close    func()
}

// newMail starts an embedded server. A real one differs only in its address.
func newMail(ctx context.Context) mail {
	dir, err := os.MkdirTemp("", "mail")
	check(err)
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true})
	check(err)
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		panic("the server does not start")
	}
	conn, err := nats.Connect(s.ClientURL())
	check(err)
	js, err := jetstream.New(conn)
	check(err)
	m := mail{js: js, close: func() {
		conn.Close()
		s.Shutdown()
		s.WaitForShutdown()
		check(os.RemoveAll(dir))
	}}
	for name, subject := range map[string]string{"MAIL": "mail", "DEAD": "dead", "RECEIPTS": "receipts"} {
		_, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject}})
		check(err)
	}
	m.consumer, err = js.CreateConsumer(ctx, "MAIL", jetstream.ConsumerConfig{
		Durable: "mailer", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 5 * time.Second,
	})
	check(err)
	m.attempts, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: "attempts", TTL: 7 * 24 * time.Hour, LimitMarkerTTL: time.Hour,
	})
	check(err)
	return m
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// send adds mails to the stream.
func (m mail) send(ctx context.Context, texts ...string) {
	for _, text := range texts {
		_, err := m.js.Publish(ctx, "mail", []byte(text))
		check(err)
	}
}

// dead returns the first dead letter.
func (m mail) dead(ctx context.Context) *jetstream.RawStreamMsg {
	stream, err := m.js.Stream(ctx, "DEAD")
	check(err)
	letter, err := stream.GetMsg(ctx, 1)
	check(err)
	return letter
}

// untilDone stops Consume after n of the policy's calls have ended.
func untilDone(n int, stop context.CancelFunc) retry.Option {
	return retry.WithHooks(retry.Hooks{Done: func(context.Context, retry.Outcome) {
		if n--; n == 0 {
			stop()
		}
	}})
}

func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := newMail(ctx)
	defer m.close()
	m.send(ctx, "hello")

	policy := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(10*time.Millisecond)))
	attempt := 0
	err := retrynats.Consume(ctx, m.js, m.consumer, func(_ context.Context, msg jetstream.Msg) error {
		attempt++
		if attempt == 1 {
			return errors.New("the mail server is busy")
		}
		fmt.Printf("sent %s at attempt %d\n", msg.Data(), attempt)
		stop()
		return nil
	}, retrynats.Config{Policy: policy, DeadLetter: "dead", State: m.attempts})
	fmt.Println(err)
	// Output:
	// sent hello at attempt 2
	// <nil>
}

// Everything that is wrong is in one error, before a message is taken.
func ExampleConsume() {
	ctx := context.Background()
	m := newMail(ctx)
	defer m.close()
	err := retrynats.Consume(ctx, m.js, m.consumer, nil, retrynats.Config{Workers: -1, DeadLetter: "nowhere"})
	fmt.Println(errors.Is(err, retry.ErrOption))
	fmt.Println(err)
	// Output:
	// true
	// retrynats: Consume: nil Handler
	// retrynats: Config.Workers: -1 is negative
	// retrynats: Config.DeadLetter: no stream takes the subject "nowhere"; create one
}

func ExampleConfig() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := newMail(ctx)
	defer m.close()
	m.send(ctx, "to nobody")
	cfg := retrynats.Config{
		Policy:     retry.MustNew(untilDone(1, stop)),
		Workers:    4,
		DeadLetter: "dead",
		State:      m.attempts,
		Redact:     func(error) string { return "(an error of the mail server)" },
		Grace:      10 * time.Second,
		Logger:     slog.New(slog.DiscardHandler),
	}
	err := retrynats.Consume(ctx, m.js, m.consumer, func(context.Context, jetstream.Msg) error {
		return retry.Permanent(errors.New("550 no such user: ann@example.com"))
	}, cfg)
	letter := m.dead(context.Background())
	fmt.Println(err)
	fmt.Printf("%s: %s\n", letter.Data, letter.Header.Get(retrynats.HeaderError))
	// Output:
	// <nil>
	// to nobody: (an error of the mail server)
}

// A Handler makes one attempt. WithAttemptTimeout sets the deadline of its context.
func ExampleHandler() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := newMail(ctx)
	defer m.close()
	m.send(ctx, "hello")
	var deliver retrynats.Handler = func(ctx context.Context, msg jetstream.Msg) error {
		_, bounded := ctx.Deadline()
		fmt.Printf("%s, bounded: %t\n", msg.Data(), bounded)
		return nil
	}
	policy := retry.MustNew(retry.WithAttemptTimeout(time.Minute), untilDone(1, stop))
	fmt.Println(retrynats.Consume(ctx, m.js, m.consumer, deliver, retrynats.Config{Policy: policy}))
	// Output:
	// hello, bounded: true
	// <nil>
}

// A handler that publishes may run twice. It publishes with the message's key as Nats-Msg-Id, so
// the server drops the copies.
func ExampleKey() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := newMail(ctx)
	defer m.close()
	m.send(ctx, "hello")
	policy := retry.MustNew(retry.WithBackoff(retry.Constant(time.Millisecond)), untilDone(1, stop))
	attempt := 0
	err := retrynats.Consume(ctx, m.js, m.consumer, func(_ context.Context, msg jetstream.Msg) error {
		attempt++
		stored, err := m.js.Publish(context.Background(), "receipts", []byte("sent"), jetstream.WithMsgID(retrynats.Key(msg)))
		if err != nil {
			return err
		}
		fmt.Printf("attempt %d, key %s, a copy: %t\n", attempt, retrynats.Key(msg), stored.Duplicate)
		if attempt == 1 {
			return errors.New("the process dies here")
		}
		return nil
	}, retrynats.Config{Policy: policy, State: m.attempts})
	fmt.Println(err)
	// Output:
	// attempt 1, key MAIL:1, a copy: false
	// attempt 2, key MAIL:1, a copy: true
	// <nil>
}

// A dead letter says what happened to the message.
func Example_deadLetter() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := newMail(ctx)
	defer m.close()
	m.send(ctx, "hello")
	policy := retry.MustNew(retry.WithMaxAttempts(2), retry.WithBackoff(retry.Constant(time.Millisecond)), untilDone(1, stop))
	err := retrynats.Consume(ctx, m.js, m.consumer, func(context.Context, jetstream.Msg) error {
		return errors.New("the mail server is busy")
	}, retrynats.Config{Policy: policy, DeadLetter: "dead", State: m.attempts})
	fmt.Println(err)
	letter := m.dead(context.Background())
	fmt.Printf("%s\n", letter.Data)
	for _, name := range []string{
		retrynats.HeaderError, retrynats.HeaderReason, retrynats.HeaderAttempts,
		retrynats.HeaderStream, retrynats.HeaderSequence, retrynats.HeaderSubject, retrynats.HeaderConsumer,
	} {
		fmt.Printf("%s: %s\n", name, letter.Header.Get(name))
	}
	elapsed, err := time.ParseDuration(letter.Header.Get(retrynats.HeaderElapsed))
	fmt.Println(elapsed > time.Millisecond, err)
	// Output:
	// <nil>
	// hello
	// Retry-Error: the mail server is busy
	// Retry-Reason: attempts exhausted
	// Retry-Attempts: 2
	// Retry-Stream: MAIL
	// Retry-Sequence: 1
	// Retry-Subject: mail
	// Retry-Consumer: mailer
	// true <nil>
}

// An attempt whose process died counts. If it was the last one, nobody knows whether its work was
// done.
func Example_lost() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := newMail(ctx)
	defer m.close()
	m.send(ctx, "hello")
	taken, err := m.consumer.Next() // its process dies here
	check(err)
	check(taken.Nak()) // in place of the end of AckWait
	policy := retry.MustNew(retry.WithMaxAttempts(1), untilDone(1, stop))
	err = retrynats.Consume(ctx, m.js, m.consumer, func(context.Context, jetstream.Msg) error {
		fmt.Println("this does not run")
		return nil
	}, retrynats.Config{Policy: policy, DeadLetter: "dead", State: m.attempts, Logger: slog.New(slog.DiscardHandler)})
	fmt.Println(err)
	fmt.Println(m.dead(context.Background()).Header.Get(retrynats.HeaderError) == retrynats.ErrLost.Error())
	// Output:
	// <nil>
	// true
}

// A panic ends a message. A hook sees its value.
func ExamplePanicError() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	m := newMail(ctx)
	defer m.close()
	m.send(ctx, "hello")
	policy := retry.MustNew(retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) {
		var p *retrynats.PanicError
		if errors.As(o.Err, &p) {
			fmt.Printf("%v, with a stack: %t\n", p.Value, len(p.Stack) > 0)
		}
		stop()
	}}))
	err := retrynats.Consume(ctx, m.js, m.consumer, func(context.Context, jetstream.Msg) error {
		panic("no template")
	}, retrynats.Config{Policy: policy, DeadLetter: "dead"})
	fmt.Println(err)
	// Output:
	// no template, with a stack: true
	// <nil>
}

func ExamplePanicError_Error() {
	fmt.Println(&retrynats.PanicError{Value: "no template"})
	// Output: retrynats: panic: no template
}

// A panic with an error matches that error.
func ExamplePanicError_Unwrap() {
	err := error(&retrynats.PanicError{Value: os.ErrNotExist})
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output: true
}

package retryriver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryriver"
)

// mail has the arguments of a job.
type mail struct {
	To string `json:"to"`
}

func (mail) Kind() string { return "mail" }

func Example() {
	policy := retry.MustNew(
		retry.WithMaxAttempts(8),
		retry.WithBackoff(retry.Exponential(time.Second, 2)),
		retry.WithMaxElapsed(time.Hour),
	)
	retrier, err := retryriver.New(retryriver.Config{Policy: policy})
	if err != nil {
		panic(err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[mail]) error {
		return nil // send it
	}))
	config := &river.Config{
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 10}},
		Workers:              workers,
		JobTimeout:           time.Minute,
		RescueStuckJobsAfter: 2 * time.Minute,
	}
	retrier.Install(config) // then river.NewClient(riverpgxv5.New(pool), config)
	fmt.Println(len(config.Middleware), config.RetryPolicy != nil)
	// Output: 1 true
}

func ExampleNew() {
	_, err := retryriver.New(retryriver.Config{
		Kinds: map[string]*retry.Policy{
			"report": retry.MustNew(retry.WithValidator(func(n int, _ retry.Attempt) error { return nil })),
		},
	})
	fmt.Println(errors.Is(err, retry.ErrOption))
	// Output: true
}

func ExampleConfig() {
	retrier, err := retryriver.New(retryriver.Config{
		Policy: retry.MustNew(retry.WithMaxAttempts(5)),
		Kinds:  map[string]*retry.Policy{"invoice": retry.MustNew(retry.WithMaxAttempts(40))},
		Redact: func(err error) string { return fmt.Sprintf("%T", err) }, // the type, not the text
	})
	fmt.Println(retrier != nil, err)
	// Output: true <nil>
}

func ExampleRetrier() {
	retrier, err := retryriver.New(retryriver.Config{})
	if err != nil {
		panic(err)
	}
	var mails, reports river.Config // two clients may share a Retrier
	retrier.Install(&mails)
	retrier.Install(&reports)
	fmt.Println(len(mails.Middleware), len(reports.Middleware))
	// Output: 1 1
}

func ExampleRetrier_Install() {
	retrier, err := retryriver.New(retryriver.Config{Policy: retry.MustNew(retry.WithMaxAttempts(40))})
	if err != nil {
		panic(err)
	}
	var config river.Config
	retrier.Install(&config)
	fmt.Println(config.MaxAttempts, "attempts instead of River's", river.MaxAttemptsDefault)
	// Output: 40 attempts instead of River's 25
}

func ExampleKey() {
	fmt.Println(retryriver.Key(&rivertype.JobRow{Kind: "mail", ID: 42, Attempt: 3}))
	// Output: mail:42
}

// transfer has the arguments of a job that must not be done twice.
type transfer struct {
	Amount int `json:"amount"`
}

func (transfer) Kind() string { return "transfer" }

// transferWorker stores the job's key in the transaction that does the work:
//
//	CREATE TABLE done (key text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())
type transferWorker struct {
	river.WorkerDefaults[transfer]

	db interface { // *pgxpool.Pool
		Begin(ctx context.Context) (pgx.Tx, error)
	}
}

func (w *transferWorker) Work(ctx context.Context, job *river.Job[transfer]) error {
	return pgx.BeginFunc(ctx, w.db, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `INSERT INTO done (key) VALUES ($1) ON CONFLICT DO NOTHING`, retryriver.Key(job.JobRow))
		if err != nil || done.RowsAffected() == 0 {
			return err // nil if an earlier attempt has done it
		}
		_, err = tx.Exec(ctx, `UPDATE account SET balance = balance - $1`, job.Args.Amount)
		return err
	})
}

// The process dies between the work and the end of the job. The job runs again, and its work is not
// repeated.
func ExampleKey_doneInTheSameTransaction() {
	bank := newBank(100) // in place of a database
	w := &transferWorker{db: bank}
	for attempt := range 2 {
		job := &river.Job[transfer]{
			JobRow: &rivertype.JobRow{Kind: "transfer", ID: 7, Attempt: attempt + 1},
			Args:   transfer{Amount: 30},
		}
		fmt.Println(w.Work(context.Background(), job), bank.balance)
	}
	// Output:
	// <nil> 70
	// <nil> 70
}

// An attempt was lost with its process. River gives the job to a worker again, and the policy ends
// it at its limit.
func Example_lost() {
	retrier, err := retryriver.New(retryriver.Config{Policy: retry.MustNew(
		retry.WithMaxAttempts(1),
		retry.WithHooks(retry.Hooks{Done: func(_ context.Context, o retry.Outcome) {
			fmt.Println("lost:", errors.Is(o.Err, retryriver.ErrLost), "attempts:", o.Attempts)
		}}),
	)})
	if err != nil {
		panic(err)
	}
	config := river.Config{Logger: slog.New(slog.DiscardHandler)}
	retrier.Install(&config)
	job := &rivertype.JobRow{
		Kind: "mail", ID: 42, Attempt: 2, MaxAttempts: 25,
		Errors: []rivertype.AttemptError{{Attempt: 1, Error: "Stuck job rescued by JobRescuer"}},
	}
	err = config.Middleware[0].(rivertype.WorkerMiddleware).Work(context.Background(), job, func(context.Context) error {
		panic("the worker does not run")
	})
	fmt.Println(err != nil)
	// Output:
	// lost: true attempts: 1
	// true
}

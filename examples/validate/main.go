// Validate asks a language model to turn a text into JSON until the reply is good enough. The model is
// a local fake with scripted replies.
//
//	go run ./examples/validate
//
// It takes less than a second and has two parts:
//
//  1. two replies are malformed and the third is accepted. At the first attempt it would have been
//     rejected: one validator asks for less with each attempt;
//  2. no reply is good enough, and the best of the rejected ones is the fallback.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/examples/internal/help"
)

// Reply is the parsed text of the model: the invoice, or the reason why the text is malformed.
//
// A malformed text is a reason to reject the value, not an error of the function. If the last attempt
// failed with an error, there would be no *retry.ValidationError, and so no fallback.
type Reply struct {
	Invoice   Invoice
	Malformed error
}

// Invoice is what the model should make of the text.
type Invoice struct {
	Customer   string  `json:"customer"`
	Total      float64 `json:"total"`
	Confidence float64 `json:"confidence"` // the model's own, from 0 to 1
}

// policy validates every reply. All validators run, so each checks one thing.
var policy = retry.MustNew(
	retry.WithName("extract"),
	retry.WithMaxAttempts(4),
	retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
	retry.WithValidator(wellFormed, complete, confident),
)

func wellFormed(r Reply, _ retry.Attempt) error { return r.Malformed }

func complete(r Reply, _ retry.Attempt) error {
	if r.Malformed == nil && (r.Invoice.Customer == "" || r.Invoice.Total <= 0) {
		return errors.New("customer or total is missing")
	}
	return nil
}

// confident requires a confidence of 0.9 from the first reply, and 0.1 less from each that follows.
func confident(r Reply, a retry.Attempt) error {
	required := float64(10-a.Number) / 10
	if r.Malformed == nil && r.Invoice.Confidence < required {
		return fmt.Errorf("confidence is %.2f, attempt %d must have %.2f",
			r.Invoice.Confidence, a.Number, required)
	}
	return nil
}

//go:embed main.go
var source string

func main() {
	help.Parse(source)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "== Malformed twice, then good enough")
	err := show(ctx, w, model{
		`Sure! Here is the invoice: Ada Lovelace owes 120.`,
		`{"customer": "Ada Lovelace", "total": 12`,
		`{"customer": "Ada Lovelace", "total": 120, "confidence": 0.75}`,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "\n== Never good enough")
	return show(ctx, w, model{
		`I cannot read this.`,
		`{"customer": "Ada Lovelace", "total": 120, "confidence": 0.55}`,
		`{"customer": "Ada Lovelace", "confidence": 0.95}`,
		`{"customer": "A. Love", "total": 12, "confidence": 0.3}`,
	})
}

// show extracts one invoice and prints the attempts and the result.
func show(ctx context.Context, w io.Writer, m model) error {
	rejected := retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
		if a.Err != nil {
			fmt.Fprintf(w, "attempt %d: %v\n", a.Number, a.Err)
		}
	}})
	invoice, err := extract(ctx, &m, rejected)
	switch {
	case err == nil:
		fmt.Fprintf(w, "accepted:  %+v\n", invoice)
	case errors.Is(err, errDoubtful):
		fmt.Fprintln(w, "failed:   ", err)
		fmt.Fprintf(w, "fallback:  %+v, for a person to check\n", invoice)
	default:
		return err
	}
	return nil
}

// errDoubtful marks an invoice that was rejected and is the best there is.
var errDoubtful = errors.New("doubtful")

// extract asks the model. If no reply is accepted it returns the best of the rejected ones
// together with an error that matches errDoubtful.
func extract(ctx context.Context, m *model, opts ...retry.Option) (Invoice, error) {
	reply, err := retry.DoValue(ctx, func(ctx context.Context) (Reply, error) {
		text, err := m.complete(ctx)
		if err != nil {
			return Reply{}, err
		}
		var r Reply
		if err := json.Unmarshal([]byte(text), &r.Invoice); err != nil {
			r.Malformed = fmt.Errorf("no JSON: %w", err)
		}
		return r, nil
	}, append([]retry.Option{policy}, opts...)...)

	var rejected *retry.ValidationError[Reply]
	if errors.As(err, &rejected) {
		if best, ok := mostConfident(rejected.Values); ok {
			return best, fmt.Errorf("%w: %w", errDoubtful, err)
		}
	}
	return reply.Invoice, err
}

// mostConfident returns the invoice to fall back to: the complete one with the highest confidence.
// It returns false if there is none.
func mostConfident(replies []Reply) (best Invoice, ok bool) {
	for _, r := range replies {
		if r.Malformed != nil || complete(r, retry.Attempt{}) != nil {
			continue
		}
		if !ok || r.Invoice.Confidence > best.Confidence {
			best, ok = r.Invoice, true
		}
	}
	return best, ok
}

// model is the fake: the replies that are still to come.
type model []string

func (m *model) complete(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if len(*m) == 0 {
		return "", retry.Permanent(errors.New("model: the script has no more replies"))
	}
	text := (*m)[0]
	*m = (*m)[1:]
	return text, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
)

// hints shows the effect of the vendors' headers and statuses.
func hints(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== What the server asks for")
	for _, row := range []struct {
		name  string
		first answer
	}{
		{"429 with Retry-After-Ms: 150", answer{status: 429, header: [2]string{"Retry-After-Ms", "150"}}},
		{"529, overloaded", answer{status: 529}},
		{"409 with X-Should-Retry: true", answer{status: 409, header: [2]string{"X-Should-Retry", "true"}}},
		{"429 with X-Should-Retry: false", answer{status: 429, header: [2]string{"X-Should-Retry", "false"}}},
		{"400", answer{status: 400}},
	} {
		s := newServer(row.first, answer{text: "Hello!"})
		outcome := askAnthropic(ctx, s.URL)
		s.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(w, "%s: %s, %s", row.name, requests(s.requests()), outcome)
		if s.pause() >= 150*time.Millisecond {
			fmt.Fprint(w, ", after at least 150ms")
		}
		fmt.Fprintln(w)
	}
	return nil
}

// askAnthropic sends one question and returns the answer's text, or the status of the error.
func askAnthropic(ctx context.Context, url string) string {
	client := newAnthropic(url)
	message, err := client.Messages.New(ctx, anthropic.MessageNewParams{
		Model:     "some-model",
		MaxTokens: 100,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Hello"))},
	})
	if err != nil {
		return statusOf(err)
	}
	return message.Content[0].Text
}

// statusOf returns the status of an error of either client.
func statusOf(err error) string {
	var o *openai.Error
	var a *anthropic.Error
	switch {
	case errors.As(err, &o):
		return fmt.Sprint("status ", o.StatusCode)
	case errors.As(err, &a):
		return fmt.Sprint("status ", a.StatusCode)
	default:
		return fmt.Sprint(err)
	}
}

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// ask sends one question and returns the answer's text.
func ask(ctx context.Context, client openai.Client, messages ...openai.ChatCompletionMessageParamUnion) (string, error) {
	completion, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    "some-model",
		Messages: messages,
	})
	if err != nil {
		return "", err
	}
	if len(completion.Choices) == 0 {
		return "", io.ErrUnexpectedEOF
	}
	return completion.Choices[0].Message.Content, nil
}

// layers shows what happens when two layers retry.
func layers(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "== Two layers that retry, and one")
	for _, row := range []struct {
		name    string
		retries int
	}{
		{"the client's own 2 retries, over 3 attempts of the transport", 2},
		{"the client's own retries off", 0},
	} {
		// Without the header the client would wait half a second and more.
		s := newServer(answer{status: 503, header: [2]string{"Retry-After-Ms", "1"}})
		client := newOpenAI(s.URL, option.WithMaxRetries(row.retries))
		_, err := ask(ctx, client, openai.UserMessage("Hello"))
		s.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(w, "%s: %s, %v\n", row.name, requests(s.requests()), statusOf(err))
	}
	return nil
}

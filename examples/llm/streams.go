package main

import (
	"context"
	"fmt"
	"io"

	"github.com/openai/openai-go/v3"

	"github.com/seed-205ff063/retry"
)

// tell streams the answer to a prompt into emit, token by token. It asks again while nothing of the
// answer was emitted. After that an error is final: a second answer would start again, with other words.
func tell(ctx context.Context, client openai.Client, prompt string, emit func(token string)) error {
	emitted := false
	return retry.Do(ctx, func(ctx context.Context) error {
		err := streamOnce(ctx, client, prompt, func(token string) {
			emitted = true
			emit(token)
		})
		if emitted {
			return retry.Permanent(err)
		}
		return err
	}, policy, retry.WithStopIf(retry.AlreadyRetried, failedStatus))
}

// streamOnce makes one attempt. A stream that ends without a reason to finish was cut off, although the
// client returns no error for it.
func streamOnce(ctx context.Context, client openai.Client, prompt string, emit func(string)) error {
	stream := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:    "some-model",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
	})
	defer stream.Close()
	finished := false
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			if choice.Delta.Content != "" {
				emit(choice.Delta.Content)
			}
			finished = finished || choice.FinishReason != ""
		}
	}
	if err := stream.Err(); err != nil {
		return err
	}
	if !finished {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// streams shows streamed answers that break off.
func streams(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Streams that break off")
	whole := answer{tokens: []string{"Once ", "upon ", "a time."}}
	for _, row := range []struct {
		name  string
		first answer
	}{
		{"before the first token", answer{broken: true}},
		{"before the first token, without an error", answer{silent: true}},
		{"after it", answer{tokens: whole.tokens[:2], broken: true}},
		{"after it, without an error", answer{tokens: whole.tokens[:2], silent: true}},
	} {
		s := newServer(row.first, whole)
		text := ""
		err := tell(ctx, newOpenAI(s.URL), "Tell me a story", func(token string) { text += token })
		s.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(w, "%s: %s, %q", row.name, requests(s.requests()), text)
		if err != nil {
			fmt.Fprint(w, ", and an error")
		}
		fmt.Fprintln(w)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/openai/openai-go/v3"

	"github.com/seed-205ff063/retry"
)

// summarize asks for a summary of at most max words. The reason why a summary was rejected goes into
// the next prompt. If none is short enough it returns the shortest one, and no error.
func summarize(ctx context.Context, client openai.Client, text string, max int) (string, error) {
	conversation := []openai.ChatCompletionMessageParamUnion{
		openai.UserMessage(fmt.Sprintf("Summarize this in at most %d words: %s", max, text)),
	}
	short := func(summary string, _ retry.Attempt) error {
		n := len(strings.Fields(summary))
		if n <= max {
			return nil
		}
		reason := fmt.Errorf("the summary has %d words, %d are allowed", n, max)
		conversation = append(conversation, openai.AssistantMessage(summary), openai.UserMessage(reason.Error()))
		return reason
	}
	summary, err := retry.DoValue(ctx, func(ctx context.Context) (string, error) {
		return ask(ctx, client, conversation...)
	}, policy, retry.WithValidator(short), retry.WithStopIf(retry.AlreadyRetried, failedStatus))
	if rejected := retry.Rejected[string](err); rejected != nil {
		return shortest(rejected.Values), nil
	}
	return summary, err
}

// failedStatus matches the errors of requests, which the HTTP client has retried already.
func failedStatus(a retry.Attempt) bool {
	var e *openai.Error
	return errors.As(a.Err, &e)
}

func shortest(summaries []string) string {
	best := summaries[0]
	for _, s := range summaries {
		if len(strings.Fields(s)) < len(strings.Fields(best)) {
			best = s
		}
	}
	return best
}

// feedback shows summaries that improve after a rejection, and some that do not.
func feedback(ctx context.Context, w io.Writer) error {
	fmt.Fprintln(w, "\n== Answers that are rejected")
	long, middling := answer{text: "a summary of many more words"}, answer{text: "a summary of words"}
	for _, row := range []struct {
		name    string
		answers []answer
	}{
		{"the model listens", []answer{long, {text: "a summary"}}},
		{"the model does not", []answer{long, middling, long}},
		{"the last request fails", []answer{long, middling, {status: 400}}},
	} {
		s := newServer(row.answers...)
		summary, err := summarize(ctx, newOpenAI(s.URL), "…", 3)
		s.Close()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %s, %q\n", row.name, requests(s.requests()), summary)
	}
	return nil
}

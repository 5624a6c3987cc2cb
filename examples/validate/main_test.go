package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var out bytes.Buffer
	require.NoError(t, run(ctx, &out))
	t.Log(out.String())
	for _, line := range []string{
		"attempt 1: value rejected: no JSON: ",
		"attempt 2: value rejected: no JSON: unexpected end of JSON input\n",
		"accepted:  {Customer:Ada Lovelace Total:120 Confidence:0.75}\n",
		"attempt 2: value rejected: confidence is 0.55, attempt 2 must have 0.80\n",
		"attempt 3: value rejected: customer or total is missing\n",
		"failed:    doubtful: retry: extract: attempts exhausted after 4 attempts in ",
		"fallback:  {Customer:Ada Lovelace Total:120 Confidence:0.55}, for a person to check\n",
	} {
		assert.Contains(t, out.String(), line)
	}
}

func TestRunCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(bytes.Buffer)), context.Canceled)
}

func TestConfidentRelaxes(t *testing.T) {
	t.Parallel()
	r := Reply{Invoice: Invoice{Confidence: 0.7}}
	for number, want := range map[int]bool{1: false, 2: false, 3: true, 4: true} {
		err := confident(r, retry.Attempt{Number: number})
		assert.Equal(t, want, err == nil, "attempt %d: %v", number, err)
	}
}

// Replies of the model.
const (
	malformed  = `{`
	incomplete = `{"customer": "Ada", "confidence": 1}`
	poor       = `{"customer": "Ada", "total": 1, "confidence": 0.1}`
	better     = `{"customer": "Ada", "total": 1, "confidence": 0.2}`
	good       = `{"customer": "Ada", "total": 1, "confidence": 0.9}`
)

// ada returns the invoice of the replies above.
func ada(confidence float64) Invoice { return Invoice{"Ada", 1, confidence} }

var extractTests = []struct {
	name    string
	replies model
	want    Invoice
	errs    []error
}{
	{"good at once", model{good}, ada(0.9), nil},
	{"good in the end", model{malformed, poor, incomplete, good}, ada(0.9), nil},
	{
		"best rejected",
		model{poor, better, poor, incomplete},
		ada(0.2),
		[]error{errDoubtful, retry.ErrExhausted, retry.ErrRejected},
	},
	{
		"the last is malformed",
		model{poor, better, poor, malformed},
		ada(0.2),
		[]error{errDoubtful, retry.ErrExhausted, retry.ErrRejected},
	},
	{
		"nothing to fall back to",
		model{malformed, malformed, malformed, malformed},
		Invoice{},
		[]error{retry.ErrExhausted, retry.ErrRejected},
	},
	{"the model fails", model{poor}, Invoice{}, []error{retry.ErrPermanent}},
}

func TestExtract(t *testing.T) {
	t.Parallel()
	for _, tt := range extractTests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := extract(t.Context(), &tt.replies)
			assert.Equal(t, tt.want, got)
			if tt.errs == nil {
				require.NoError(t, err)
			}
			for _, target := range tt.errs {
				require.ErrorIs(t, err, target)
			}
			if tt.want == (Invoice{}) {
				require.NotErrorIs(t, err, errDoubtful, "there is no invoice to doubt")
			}
		})
	}
}

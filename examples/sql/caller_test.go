package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRendezvous(t *testing.T) {
	t.Parallel()
	r := make(rendezvous)
	one, two := r.once(), r.once()
	met := make(chan error, 1)
	go func() { met <- one(t.Context()) }()
	require.NoError(t, two(t.Context()))
	require.NoError(t, <-met)
	require.NoError(t, two(t.Context()), "it does not wait again")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.once()(ctx), context.Canceled)
}

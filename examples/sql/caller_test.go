package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMeeting(t *testing.T) {
	t.Parallel()
	m := make(meeting)
	one, two := m.once(), m.once()
	met := make(chan error, 1)
	go func() { met <- one(t.Context()) }()
	require.NoError(t, two(t.Context()))
	require.NoError(t, <-met)
	require.NoError(t, two(t.Context()), "no second time")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, m.once()(ctx), context.Canceled)
}

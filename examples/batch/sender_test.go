package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// If the bank takes a part of a chunk, only the rest is sent again.
func TestRestIsSentAgain(t *testing.T) {
	t.Parallel()
	b := newTestBank(t)
	s := &sender{url: b.url}
	c := &chunk{pending: []row{{ID: 1}, {ID: busy + 13}, {ID: unknown + 77}, {ID: 2}}}
	_, err := s.send(t.Context(), c)
	require.ErrorIs(t, err, errIncomplete)
	assert.Equal(t, []row{{ID: busy + 13, again: 1}}, c.pending)
	assert.Equal(t, []deadLetter{{row{ID: unknown + 77}, "unknown account"}}, c.refused)
	assert.Equal(t, 2, c.sent)
	_, err = s.send(t.Context(), c)
	require.NoError(t, err)
	assert.Empty(t, c.pending)
	assert.Equal(t, 3, c.sent)
	s.client.CloseIdleConnections()
}

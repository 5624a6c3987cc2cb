package main

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reply is withheld at the fourth COMMIT, and the ninth does not arrive.
func TestSaboteur(t *testing.T) {
	t.Parallel()
	var s saboteur
	for i := 1; i <= 14; i++ {
		client, server := net.Pipe()
		heard := make(chan string, 1)
		go func() {
			b := make([]byte, 100)
			n, err := server.Read(b)
			if err == nil {
				_, _ = server.Write([]byte("reply"))
			}
			_ = server.Close()
			heard <- string(b[:n])
		}()
		f := s.wrap(client)
		n, err := f.Write(commitMessage)
		require.NoError(t, err)
		assert.Len(t, commitMessage, n)
		b := make([]byte, 100)
		n, err = f.Read(b)
		switch i {
		case 4, 14:
			require.ErrorIs(t, err, io.EOF)
			assert.Zero(t, n)
			assert.Equal(t, string(commitMessage), <-heard)
		case 9:
			require.ErrorIs(t, err, io.EOF)
			assert.Empty(t, <-heard)
		default:
			require.NoError(t, err)
			assert.Equal(t, "reply", string(b[:n]))
			assert.Equal(t, string(commitMessage), <-heard)
		}
		_ = f.Close()
	}
}

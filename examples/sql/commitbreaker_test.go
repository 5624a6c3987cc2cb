package main

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The fourth COMMIT gets no reply, and the ninth does not arrive.
func TestCommitBreaker(t *testing.T) {
	t.Parallel()
	var b commitBreaker
	for i := 1; i <= 14; i++ {
		client, server := net.Pipe()
		received := make(chan string, 1)
		go func() {
			buf := make([]byte, 100)
			n, err := server.Read(buf)
			if err == nil {
				_, _ = server.Write([]byte("reply"))
			}
			_ = server.Close()
			received <- string(buf[:n])
		}()
		f := b.wrap(client)
		n, err := f.Write(commitMessage)
		require.NoError(t, err)
		assert.Len(t, commitMessage, n)
		buf := make([]byte, 100)
		n, err = f.Read(buf)
		switch i {
		case 4, 14:
			require.ErrorIs(t, err, io.EOF)
			assert.Zero(t, n)
			assert.Equal(t, string(commitMessage), <-received)
		case 9:
			require.ErrorIs(t, err, io.EOF)
			assert.Empty(t, <-received)
		default:
			require.NoError(t, err)
			assert.Equal(t, "reply", string(buf[:n]))
			assert.Equal(t, string(commitMessage), <-received)
		}
		_ = f.Close()
	}
}

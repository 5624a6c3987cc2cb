package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// TestMain turns the test binary into the program when a test starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv("RECONNECT_PROGRAM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The consumer survives many more failures than its five attempts, because some connections last.
func TestRunsOn(t *testing.T) {
	t.Parallel()
	s, err := newServer(false)
	require.NoError(t, err)
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var logged bytes.Buffer
	c := &consumer{address: s.address(), log: slog.New(slog.NewTextHandler(&logged, nil))}
	err = c.consume(ctx, func(message string) {
		if strings.HasSuffix(message, " of connection 12") {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.GreaterOrEqual(t, c.messages, 25)
	assert.GreaterOrEqual(t, strings.Count(logged.String(), "will retry"), 11, "more failures than attempts")
	assert.NotContains(t, logged.String(), "level=ERROR")
}

// A server that stays away ends the consumer.
func TestOutage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := run(t.Context(), &out, time.Minute, true)
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, retry.ErrExhausted, e.Reason)
	assert.Equal(t, 5, e.Attempts, "the connection that lasted counts as the first attempt")
	assert.Contains(t, out.String(), `level=ERROR msg="gave up" name=consume`)
	assert.NotContains(t, out.String(), "shut down")
}

func TestLimit(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, 300*time.Millisecond, false))
	assert.Regexp(t, `shut down after \d+ messages: the time of -for is over\n$`, out.String())
}

// SIGTERM is a shutdown: the log has level Info, there is no error, and the exit status is 0.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, os.Args[0], "-for", "0")
	program.Env = append(os.Environ(), "RECONNECT_PROGRAM=1")
	stdout, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())

	var out strings.Builder
	signaled := false
	for chunk := make([]byte, 4096); ; {
		n, err := stdout.Read(chunk)
		out.Write(chunk[:n])
		if !signaled && strings.Contains(out.String(), "message 3 of connection 3\n") {
			signaled = true
			require.NoError(t, program.Process.Signal(syscall.SIGTERM))
		}
		if err != nil {
			break
		}
	}
	require.NoError(t, program.Wait(), "status 0")
	assert.Contains(t, out.String(), "level=INFO msg=canceled name=consume")
	assert.NotContains(t, out.String(), "level=ERROR")
	assert.Regexp(t, `shut down after \d+ messages: `, out.String())
}

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOutputIsAtomic checks that a file is either unchanged or complete, and that no temporary
// file remains.
func TestOutputIsAtomic(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "a.csv")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))

	code, _, _ := retrysim(t, "herd", "-clients", "0", "-o", path)
	assert.Equal(t, 1, code)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	assert.Equal(t, 130, run(ctx, []string{"herd", "-o", path}, &out, &errs))
	assert.Equal(t, "retrysim: interrupted; nothing was written\n", errs.String())
	assert.Empty(t, out.String())
	assertFile(t, path, "before")

	code, stdout, _ := retrysim(t, "plan", "-quiet", "-o", path, "name=a max_attempts=2")
	assert.Zero(t, code)
	assert.Empty(t, stdout)
	assertFile(t, path, "policy,retry,min_ms,median_ms,max_ms,total_max_ms\na,1,0,50,100,100\n")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func assertFile(t *testing.T, path, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, string(text))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

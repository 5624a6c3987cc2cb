package gallery_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/internal/gallery"
)

const folder = "../../../docs/pictures"

// TestPictures checks that the pictures of the documentation show what the library does now.
func TestPictures(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors round some numbers differently")
	}
	for _, p := range gallery.All {
		t.Run(p.File, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join(folder, p.File))
			require.NoError(t, err)
			got, err := p.SVG(t.Context())
			require.NoError(t, err)
			assert.True(t, string(want) == string(got), "the picture has changed; make it again with: go run ./retrysim/pictures docs/pictures")
		})
	}
}

// TestNoOtherPictures checks that the folder has no picture that this package does not make.
func TestNoOtherPictures(t *testing.T) {
	t.Parallel()
	var made []string
	for _, p := range gallery.All {
		made = append(made, p.File)
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		assert.Contains(t, made, e.Name())
	}
}

package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/internal/picture"
)

func figure() picture.Figure {
	line := []float64{1, 2, 4, 3}
	at := []float64{0, 1, 2, 3}
	return picture.Figure{
		Title:  "A title that is too long for a narrow picture and so has several lines",
		X:      picture.Axis{Label: "time (s)"},
		Legend: []string{"one & <two>", "three", strings.Repeat("long ", 20), "four"},
		Panels: []picture.Panel{
			{
				Y: picture.Axis{Label: "requests"}, Shades: []picture.Shade{{From: 1, To: 2, Label: "down"}},
				Rules:  []picture.Rule{{At: 9, Label: "capacity"}},
				Series: []picture.Series{{X: at, Y: line}, {Style: 1, Kind: picture.Marked, X: at, Y: line}, {Style: 2, Kind: picture.Area, X: at, Y: line}},
			},
			{
				Title: "ranges", Y: picture.Axis{Label: "wait", Log: true},
				Series: []picture.Series{{Style: 3, Kind: picture.Ranges, X: at, Y: line, Low: []float64{1, 1, 1, 1}, High: []float64{200, 200, 200, 200}}},
			},
			{
				Y:      picture.Axis{Label: "names", Names: []string{"a", "b", "c", "d", "e"}},
				Series: []picture.Series{{Style: 7, Kind: picture.Spans, X: at, Y: line, Low: at, High: line}},
			},
		},
	}
}

// TestSVG checks that a picture is well-formed XML and has all its texts.
func TestSVG(t *testing.T) {
	t.Parallel()
	for _, theme := range []picture.Theme{picture.Light, picture.Dark} {
		svg, err := picture.SVG(figure(), 400, theme)
		require.NoError(t, err)
		texts := textsOf(t, svg)
		for _, want := range []string{"one & <two>", "time (s)", "requests", "ranges: wait", "down", "capacity", "a", "e", "1", "100"} {
			assert.Contains(t, texts, want)
		}
		assert.Contains(t, string(svg), `width="300pt"`)
		assert.Contains(t, strings.Join(texts, "\n"), "long lo")
		assert.NotContains(t, texts, strings.Repeat("long ", 20), "a name that is wider than the picture is shortened")
		assert.NotContains(t, string(svg), "NaN")
		again, err := picture.SVG(figure(), 400, theme)
		require.NoError(t, err)
		assert.Equal(t, svg, again)
	}
	light, _ := picture.SVG(figure(), 400, picture.Light)
	assert.Contains(t, string(light), "stroke-dasharray", "series differ by dash as well as by colour")
	assert.NotContains(t, string(light), "font-family:Liberation Sans;", "every font has a replacement")
}

// textsOf returns the texts of the picture.
func textsOf(t *testing.T, svg []byte) (texts []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	inText := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		require.NoError(t, err)
		switch e := token.(type) {
		case xml.StartElement:
			inText = e.Name.Local == "text"
		case xml.CharData:
			if inText {
				texts = append(texts, string(e))
			}
		case xml.EndElement:
			inText = false
		}
	}
}

func TestPNG(t *testing.T) {
	t.Parallel()
	data, err := picture.PNG(figure(), 400, picture.Light)
	require.NoError(t, err)
	image, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	assert.Equal(t, 800, image.Bounds().Dx(), "two dots per pixel")
}

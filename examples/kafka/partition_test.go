package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestPartition(t *testing.T) {
	t.Parallel()
	record := func(offset int64) *kgo.Record { return &kgo.Record{Offset: offset} }
	for name, c := range map[string]struct {
		offsets []int64
		settled []int64
		want    []int64
	}{
		"in order":        {[]int64{5, 6, 7}, []int64{5, 6, 7}, []int64{5, 6, 7}},
		"out of order":    {[]int64{5, 6, 7, 8}, []int64{7, 6, 5, 8}, []int64{7, 8}},
		"one is missing":  {[]int64{5, 6, 7, 8}, []int64{5, 7, 8}, []int64{5}},
		"the first is":    {[]int64{0, 1, 2}, []int64{2, 1}, nil},
		"gaps in between": {[]int64{5, 9, 20}, []int64{9, 5, 20}, []int64{9, 20}},
	} {
		var ready []int64
		s := newPartition(t.Context(), func(r *kgo.Record) { ready = append(ready, r.Offset) })
		for _, o := range c.offsets {
			s.add(record(o))
		}
		for _, o := range c.settled {
			s.settled(record(o))
		}
		assert.Equal(t, c.want, ready, name)
		assert.Len(t, s.done, len(s.read)-(len(c.offsets)-len(c.settled)), name)
	}
}

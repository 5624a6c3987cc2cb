package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
)

// scraped is what Prometheus would have stored of the program. It is in memory and has an engine for queries.
type scraped struct {
	engine *promql.Engine
	series map[string]*samples
}

// samples is one series.
type samples struct {
	labels labels.Labels
	all    []chunks.Sample
}

func newScraped() *scraped {
	return &scraped{series: map[string]*samples{}, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{}),
	})}
}

// scrape stores the page of /metrics at the given time, with the labels of a target.
func (s *scraped) scrape(t *testing.T, page []byte, at time.Time) {
	t.Helper()
	p := textparse.NewPromParser(page, labels.NewSymbolTable(), false)
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		if entry != textparse.EntrySeries {
			continue
		}
		var set labels.Labels
		p.Labels(&set)
		set = labels.NewBuilder(set).Set("job", "metrics").Set("instance", "127.0.0.1:1234").Labels()
		_, _, v := p.Series()
		one := s.series[set.String()]
		if one == nil {
			one = &samples{labels: set}
			s.series[set.String()] = one
		}
		one.all = append(one.all, sample{at.UnixMilli(), v})
	}
}

// ask evaluates the expression at the given time.
func (s *scraped) ask(t *testing.T, expression string, at time.Time) promql.Vector {
	t.Helper()
	query, err := s.engine.NewInstantQuery(t.Context(), s, nil, expression, at)
	require.NoError(t, err, expression)
	defer query.Close()
	result := query.Exec(t.Context())
	require.NoError(t, result.Err, expression)
	require.Empty(t, result.Warnings, expression)
	vector, err := result.Vector()
	require.NoError(t, err, expression)
	return slices.Clone(vector)
}

// Querier implements storage.Queryable.
func (s *scraped) Querier(int64, int64) (storage.Querier, error) { return querier{s}, nil }

type querier struct{ *scraped }

func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := &seriesSet{at: -1}
	for _, one := range q.series {
		matches := !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(one.labels.Get(m.Name)) })
		if matches {
			set.all = append(set.all, storage.NewListSeries(one.labels, one.all))
		}
	}
	slices.SortFunc(set.all, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return set
}

func (querier) Close() error { return nil }

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

type seriesSet struct {
	all []storage.Series
	at  int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.all) }
func (s *seriesSet) At() storage.Series                { return s.all[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// sample is a value at a time in milliseconds.
type sample struct {
	t int64
	v float64
}

func (s sample) T() int64                    { return s.t }
func (sample) ST() int64                     { return 0 }
func (s sample) F() float64                  { return s.v }
func (sample) H() *histogram.Histogram       { return nil }
func (sample) FH() *histogram.FloatHistogram { return nil }
func (sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample         { return s }

package main

import (
	"context"
	"runtime"
	"slices"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// cost is what a contender costs when nothing fails.
type cost struct {
	contender contender
	kinds     []figures // in the order of kinds
}

// figures are the cost of one call, client and server together.
type figures struct {
	took   float64 // µs
	cpu    float64 // µs of processor time
	ratio  float64 // cpu divided by plain gRPC's in the same turn
	allocs float64
}

// kind is a kind of call.
type kind struct {
	name string
	call func(ctx context.Context, cc *grpc.ClientConn) error
}

func kinds() []kind {
	return []kind{
		{"Get, idempotent", func(ctx context.Context, cc *grpc.ClientConn) error { return unary(ctx, cc, get) }},
		{"Create, not idempotent", func(ctx context.Context, cc *grpc.ClientConn) error { return unary(ctx, cc, create) }},
		{"List, a stream of two messages", func(ctx context.Context, cc *grpc.ClientConn) error {
			_, err := receive(ctx, cc, 3)
			return err
		}},
	}
}

// measureCosts lets the contenders take turns. Each makes a batch of calls in its turn, so that a slow
// spell of the machine hits all of them.
func measureCosts(s settings) ([]cost, error) {
	server := &shop{
		unary: func(context.Context, int) (string, error) { return "done", nil },
		stream: func(_ int, s grpc.ServerStream) error {
			_ = s.SendMsg(wrapperspb.String("a"))
			return s.SendMsg(wrapperspb.String("b"))
		},
	}
	address, stop, err := server.serve()
	if err != nil {
		return nil, err
	}
	defer stop()
	all := contenders()
	rows := make([]cost, len(all))
	clients := make([]*grpc.ClientConn, len(all))
	for i, c := range all {
		rows[i].contender = c
		if clients[i], err = dial(c, address); err != nil {
			return nil, err
		}
		defer clients[i].Close()
	}
	for _, k := range kinds() {
		found, err := compare(s, clients, k)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			rows[i].kinds = append(rows[i].kinds, found[i])
		}
	}
	return rows, nil
}

// compare measures one kind of call for each client.
func compare(s settings, clients []*grpc.ClientConn, k kind) ([]figures, error) {
	found := make([]figures, len(clients))
	times := make([][]float64, len(clients))
	cpus := make([][]float64, len(clients))
	ratios := make([][]float64, len(clients))
	for n := range s.batches + 1 {
		turn, busy := make([]float64, len(clients)), make([]float64, len(clients))
		for j := range clients {
			i := (j + n) % len(clients) // each client is the first in some turns
			before := processorTime()
			took, err := batch(clients[i], k, s.batch)
			if err != nil {
				return nil, err
			}
			turn[i], busy[i] = took, (processorTime()-before)/float64(s.batch)
		}
		if n == 0 {
			continue // the first turn warms up
		}
		for i := range clients {
			times[i] = append(times[i], turn[i])
			cpus[i] = append(cpus[i], busy[i])
			ratios[i] = append(ratios[i], busy[i]/busy[0])
		}
	}
	for i, cc := range clients {
		allocs, err := count(cc, k, s.counted)
		if err != nil {
			return nil, err
		}
		found[i] = figures{took: median(times[i]), cpu: median(cpus[i]), ratio: median(ratios[i]), allocs: allocs}
	}
	return found, nil
}

// batch makes n calls and returns the microseconds that one takes.
func batch(cc *grpc.ClientConn, k kind, n int) (float64, error) {
	start := time.Now()
	for range n {
		if err := k.call(context.Background(), cc); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(start).Nanoseconds()) / 1000 / float64(n), nil
}

// processorTime returns the microseconds that this process has used, without those of other processes.
func processorTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1000
}

// count returns the allocations of a call, including the server's.
func count(cc *grpc.ClientConn, k kind, n int) (float64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := batch(cc, k, n)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n), err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

package benchmarks

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// k8s.io/apimachinery wait: the settings are a struct that each call copies, so all calls can share
// it. The condition reports whether it is done. An error ends the loop, so the condition hides an
// error that is to be retried, and the caller never sees it. It has no form for functions that
// return a value, so they set a variable.
var kubernetes = Library{
	ID: "kubernetes", Name: "k8s wait", Path: "k8s.io/apimachinery", Clock: "no",

	Do:        kubernetesDo,
	DoContext: kubernetesDo,
	Options:   kubernetesDo,
	Int: func(fn Fn) Op {
		return func(ctx context.Context) error {
			var v int
			err := wait.ExponentialBackoffWithContext(ctx, kubernetesStandard(), func(ctx context.Context) (bool, error) {
				v = 42
				return fn(ctx) == nil, nil
			})
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		return func(ctx context.Context) error {
			var v Words
			err := wait.ExponentialBackoffWithContext(ctx, kubernetesStandard(), func(ctx context.Context) (bool, error) {
				v = Words{D: 42}
				return fn(ctx) == nil, nil
			})
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		return func(ctx context.Context) error {
			made := 0
			err := wait.ExponentialBackoffWithContext(ctx, kubernetesStandard(), func(ctx context.Context) (bool, error) {
				made++
				return fn(ctx) == nil, nil
			})
			return checkMade(made, err)
		}
	},
	Wait:        kubernetesWait,
	WaitContext: kubernetesWait,
	Permanent: func(fn Fn) Op {
		call := func(ctx context.Context) (bool, error) {
			err := fn(ctx)
			return err == nil, err
		}
		return func(ctx context.Context) error {
			return wait.ExponentialBackoffWithContext(ctx, kubernetesStandard(), call)
		}
	},
	Twice: func() Op {
		return func(ctx context.Context) error {
			made := 0
			return wait.ExponentialBackoffWithContext(ctx, wait.Backoff{Steps: attempts}, func(context.Context) (bool, error) {
				made++
				return made > 2, nil
			})
		}
	},
}

func kubernetesDo(fn Fn) Op {
	call := func(ctx context.Context) (bool, error) { return fn(ctx) == nil, nil }
	return func(ctx context.Context) error {
		return wait.ExponentialBackoffWithContext(ctx, kubernetesStandard(), call)
	}
}

func kubernetesWait(fn Fn, d time.Duration) Op {
	call := func(ctx context.Context) (bool, error) { return fn(ctx) == nil, nil }
	return func(ctx context.Context) error {
		return wait.ExponentialBackoffWithContext(ctx, wait.Backoff{Duration: d, Steps: attempts}, call)
	}
}

func kubernetesStandard() wait.Backoff {
	return wait.Backoff{Duration: initial, Factor: factor, Jitter: 1, Steps: attempts, Cap: longest}
}

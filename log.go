package retry

import (
	"context"
	"log/slog"

	"github.com/seed-205ff063/retry/internal/text"
)

type loggerOption struct {
	logger *slog.Logger
	_      boxed
}

// WithLogger logs the retries and the end of a call:
//
//   - a retry at Warn: "attempt failed, will retry", with name, attempt, error, wait,
//     duration, elapsed
//   - a call that gives up at Error: "gave up", with name, attempts, elapsed, reason,
//     cause, error, delay
//   - a call that its caller canceled (context.Canceled) at Info: "canceled", with the same
//   - a success after retries at Debug: "succeeded after retries", with name, attempts,
//     elapsed
//
// A success at the first attempt logs nothing. Attributes without a value are left out. The
// reason has no numbers, so that records group by it: it is the text of [Error].Reason without
// its prefix, or "next wait would pass the deadline" if the context had not ended. Errors are
// logged as [ErrorText] returns them. Values and arguments are never logged.
// The default is no logging.
func WithLogger(l *slog.Logger) Option { return loggerOption{logger: l} }

func (o loggerOption) apply(s *settings) {
	s.logger = o.logger
	s.check("WithLogger", problemIf(o.logger == nil, "nil Logger"))
}

func logRetry(ctx context.Context, l *slog.Logger, a *Attempt) {
	l.LogAttrs(ctx, slog.LevelWarn, "attempt failed, will retry",
		nameAttr(a.Name),
		slog.Int("attempt", a.Number),
		slog.String("error", text.Error(a.Err)),
		slog.Duration("wait", a.Delay),
		slog.Duration("duration", a.Duration),
		slog.Duration("elapsed", a.Elapsed))
}

func logEnd(ctx context.Context, l *slog.Logger, o *Outcome) {
	name := nameAttr(o.Name)
	switch {
	case o.Err.canceled():
		l.LogAttrs(ctx, slog.LevelInfo, "canceled", append([]slog.Attr{name}, o.Err.attrs()...)...)
	case o.Err != nil:
		l.LogAttrs(ctx, slog.LevelError, "gave up", append([]slog.Attr{name}, o.Err.attrs()...)...)
	case o.Attempts > 1:
		l.LogAttrs(ctx, slog.LevelDebug, "succeeded after retries", name,
			slog.Int("attempts", o.Attempts),
			slog.Duration("elapsed", o.Elapsed))
	}
}

// nameAttr is the attribute of a name; handlers leave an empty attribute out.
func nameAttr(name string) slog.Attr {
	if name == "" {
		return slog.Attr{}
	}
	return slog.String("name", name)
}

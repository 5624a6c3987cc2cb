package retrypool

import "context"

// functionContextKey is the context key under which the context that an item's function got is
// found in the contexts derived from it.
type functionContextKey struct{}

// functionContext is the context that a function gets if hooks or an attempt's timeout derived
// it from the item's context.
type functionContext struct {
	context.Context
	item *itemContext
}

func (c *functionContext) Value(key any) any {
	if key == (functionContextKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func (c *functionContext) itemParent() context.Context { return c.item.parent }

// forFunction marks ctx as the context that the item's function gets.
func (c *itemContext) forFunction(ctx context.Context) context.Context {
	if ctx == context.Context(c) {
		return ctx
	}
	return &functionContext{ctx, c}
}

// itemParent returns the parent of the context of an item that is submitted with ctx.
//
// It is ctx, unless ctx comes from the function of another item. That context ends with the
// other item or its attempt, and the new item must not. The parent is then the other item's
// parent. It keeps nothing of the attempt, so items may submit successors without end.
//
// If the function derived ctx only to add values, the new item gets the values too. A context
// to which the function added a deadline or a cancellation is used as it is.
func itemParent(ctx context.Context) context.Context {
	outer, ok := ctx.Value(functionContextKey{}).(interface {
		context.Context
		itemParent() context.Context
	})
	switch {
	case !ok:
		return ctx
	case ctx == context.Context(outer):
		return outer.itemParent()
	case ctx.Done() == outer.Done():
		return &valuesContext{outer.itemParent(), context.WithoutCancel(ctx)}
	}
	return ctx
}

// valuesContext is a context with the values of another.
type valuesContext struct {
	context.Context
	values context.Context
}

// Value looks at the other context first. That one has no end, so package context finds the
// embedded context's.
func (c *valuesContext) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

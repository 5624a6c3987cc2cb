package retrypool

import "context"

// functionKey is the key by which the context that an item's function got is found in what is
// derived from it.
type functionContextKey struct{}

// functionContext is what the function gets where hooks or an attempt's timeout made it another
// context than the item's.
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

// forFunction marks ctx as what the item's function gets.
func (c *itemContext) forFunction(ctx context.Context) context.Context {
	if ctx == context.Context(c) {
		return ctx
	}
	return &functionContext{ctx, c}
}

// lifetime returns the context that an item lives with which is submitted with ctx. It is ctx,
// unless that is what the function of another item got. That one ends with the other item, or
// with its attempt, and the new item must not: it lives with what the other one was submitted
// with. Nothing of the attempt is kept by it then, so an item may submit its successor for ever.
//
// A context that the function derived for its values alone gives the item these too. One that
// has an end of its own is taken as it is.
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

// Value looks at the other first. That one has no end, so package context finds this one's.
func (c *valuesContext) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

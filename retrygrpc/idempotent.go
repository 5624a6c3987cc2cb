package retrygrpc

import (
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// knownMethods tells, by full method name, whether a method with a descriptor is idempotent. A
// method without one is looked up each time: its descriptor may be registered later, and the number
// of names has no bound.
var knownMethods sync.Map

// isIdempotent asks IsIdempotent, or else the method's descriptor.
func (i *Interceptor) isIdempotent(method string) bool {
	if i.IsIdempotent != nil {
		return i.IsIdempotent(method)
	}
	if known, ok := knownMethods.Load(method); ok {
		return known.(bool) //nolint:forcetypeassert // nothing else is stored
	}
	d := findMethod(method)
	if d == nil {
		return false
	}
	is := hasIdempotentLevel(d)
	knownMethods.Store(method, is)
	return is
}

// findMethod returns the registered descriptor of "/pkg.Service/Method", or nil.
func findMethod(method string) protoreflect.MethodDescriptor {
	service, name, ok := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	if !ok {
		return nil
	}
	full := protoreflect.FullName(service).Append(protoreflect.Name(name))
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(full)
	if err != nil {
		return nil
	}
	m, _ := d.(protoreflect.MethodDescriptor)
	return m
}

// hasIdempotentLevel reports whether the method has an idempotency_level.
func hasIdempotentLevel(d protoreflect.MethodDescriptor) bool {
	o, ok := d.Options().(*descriptorpb.MethodOptions)
	return ok && o.GetIdempotencyLevel() != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN
}

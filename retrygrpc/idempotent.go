package retrygrpc

import (
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// levels holds, by full method name, whether a method with a descriptor is idempotent. Methods
// without one are looked up each time: one may still be registered, and names may be endless.
var levels sync.Map

// isIdempotent asks IsIdempotent, or else the descriptors.
func (i *Interceptor) isIdempotent(method string) bool {
	if i.IsIdempotent != nil {
		return i.IsIdempotent(method)
	}
	if known, ok := levels.Load(method); ok {
		return known.(bool) //nolint:forcetypeassert // nothing else is stored
	}
	d := descriptor(method)
	if d == nil {
		return false
	}
	is := idempotentLevel(d)
	levels.Store(method, is)
	return is
}

// descriptor returns the registered descriptor of "/pkg.Service/Method", nil if there is none.
func descriptor(method string) protoreflect.MethodDescriptor {
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

// idempotentLevel reports whether d's idempotency_level allows that it is processed twice.
func idempotentLevel(d protoreflect.MethodDescriptor) bool {
	o, ok := d.Options().(*descriptorpb.MethodOptions)
	return ok && o.GetIdempotencyLevel() != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN
}

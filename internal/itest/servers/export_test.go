package servers

import (
	"context"
	"path/filepath"
)

// Folder returns the server's folder.
func Folder(s *Server) string { return s.folder }

// Template returns the folder that s has copied.
func Template(s *Server) string { return filepath.Dir(s.kind.template.data) }

// Imposter returns another Server with the address of s.
func Imposter(s *Server) *Server { return &Server{Addr: s.Addr, kind: s.kind, folder: "/tmp/another"} }

// Ping reports whether s accepts connections.
func Ping(ctx context.Context, s *Server) error { return s.ping(ctx) }

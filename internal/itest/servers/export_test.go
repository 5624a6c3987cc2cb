package servers

import (
	"context"
	"path/filepath"
)

// Folder is the server's.
func Folder(s *Server) string { return s.folder }

// Template is the folder that was made for s to copy.
func Template(s *Server) string { return filepath.Dir(s.kind.template.data) }

// Imposter is a server that believes to be at the address of s.
func Imposter(s *Server) *Server { return &Server{Addr: s.Addr, kind: s.kind, folder: "/tmp/another"} }

// Ping reports whether s accepts connections.
func Ping(ctx context.Context, s *Server) error { return s.ping(ctx) }

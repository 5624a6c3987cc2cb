package servers

import "path/filepath"

// Folder is the server's.
func Folder(s *Server) string { return s.folder }

// Template is the folder that was made for s to copy.
func Template(s *Server) string { return filepath.Dir(s.kind.template.data) }

//go:build unix

package servers

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// timeout is how long a server may take to start or to end.
const timeout = 30 * time.Second

// template is a data folder. A process creates it once, which takes long, and each of its servers copies
// it.
type template struct {
	once sync.Once
	data string
	err  error
	lock io.Closer // the end of a pipe; the keeper removes the folder when it is closed
}

func (k *kind) start(t testing.TB, settings []string) *Server {
	t.Helper()
	program, installer := k.find()
	if program == "" || installer == "" && k.install != nil {
		k.unavailable(t, "is not installed: apt-get install "+k.debian)
	}
	a, err := accountOf(k.user)
	if err != nil {
		k.unavailable(t, "does not run as root: "+err.Error())
	}
	if k.install != nil {
		k.template.once.Do(func() { k.template.err = k.fill(a, installer) })
	}
	if k.template.err != nil {
		t.Fatal(k.template.err)
	}
	for try := 1; ; try++ {
		s, err := k.launch(a, program, installer, settings)
		if err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		t.Cleanup(func() {
			if err := s.guardian.stop(); err != nil {
				t.Errorf("%s: %v", k.name, err)
			}
			// The account may not be allowed to remove its folder.
			_ = os.RemoveAll(s.folder)
		})
		err = s.waitUntilReady(t.Context(), s.guardian.exited)
		if err == nil {
			return s
		}
		// Another process may have found the same free port.
		if try == 3 || !strings.Contains(err.Error(), "ddress already in use") {
			t.Fatalf("%s %v", k.name, err)
		}
	}
}

// fill creates the template.
func (k *kind) fill(a account, installer string) error {
	folder, err := newFolder(a)
	if err != nil {
		return err
	}
	keep := command(a, "/", "/bin/sh", "-c", keeper, "keeper", folder)
	if k.template.lock, err = keep.StdinPipe(); err != nil {
		return err
	}
	if err := keep.Start(); err != nil {
		return err
	}
	k.template.data = filepath.Join(folder, "data")
	args := k.install(installer, k.template.data)
	if text, err := command(a, folder, args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", installer, err, text)
	}
	return nil
}

// launch fills a folder with data and starts a server in it.
func (k *kind) launch(a account, program, installer string, settings []string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	folder, err := newFolder(a)
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: net.JoinHostPort("127.0.0.1", port), kind: k, folder: folder}
	fill := []string{"cp", "-Rp", k.template.data, folder}
	if k.prepare != nil {
		fill, err = k.prepare(s, installer, settings)
	}
	var text []byte
	if err == nil && len(fill) > 0 {
		text, err = command(a, folder, fill[0], fill[1:]...).CombinedOutput()
	}
	if err == nil {
		s.guardian, err = startGuardian(a, k.signal, folder, k.run(program, folder, port, settings))
	}
	if err != nil {
		return nil, fmt.Errorf("%w %s, and %w", err, text, os.RemoveAll(folder))
	}
	return s, nil
}

// Restart kills the server, as a crash would, and starts it again at the same address. It returns when
// the server accepts connections. All open connections and everything that was not committed are lost.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.restart(t, "")
}

// RestartFast stops a PostgreSQL server with a fast shutdown, as an administrator does, and starts it
// again at the same address. The server rolls back open transactions and closes connections with an
// error.
func (s *Server) RestartFast(t testing.TB) {
	t.Helper()
	s.restart(t, "INT")
}

func (s *Server) restart(t testing.TB, signal string) {
	t.Helper()
	if err := s.guardian.restart(signal); err != nil {
		t.Fatalf("%s: %v", s.kind.name, err)
	}
	if err := s.waitUntilReady(t.Context(), nil); err != nil {
		t.Fatalf("%s %v", s.kind.name, err)
	}
}

// waitUntilReady waits until the server accepts connections, or until exited is closed.
func (s *Server) waitUntilReady(ctx context.Context, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("has ended\n%s", s.log())
		case <-ctx.Done():
			return fmt.Errorf("does not accept connections: %w\n%s", err, s.log())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ping returns nil if the server accepts connections. It is an error if another server does at the same
// address.
func (s *Server) ping(ctx context.Context) error {
	db, err := s.kind.open(s.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	folder, err := s.kind.folderOf(ctx, db)
	if err != nil {
		return err
	}
	if !strings.Contains(folder, filepath.Base(s.folder)) {
		return fmt.Errorf("%s is the server of %s", s.Addr, folder)
	}
	return nil
}

// folderOf returns the server's folder, or a path in it, as the server says.
func (k *kind) folderOf(ctx context.Context, db *sql.DB) (folder string, err error) {
	rows, err := db.QueryContext(ctx, k.folder)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		dest := make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return "", err
		}
		if len(values) == 1 || values[0].String == "logfile" {
			folder = values[min(1, len(values)-1)].String
		}
	}
	return folder, rows.Err()
}

func (s *Server) log() string {
	text, err := os.ReadFile(filepath.Join(s.folder, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// freePort returns a port on which nobody listens. The port is below those for outgoing connections, so
// that none of these takes it while its server restarts.
func freePort() (string, error) {
	var err error
	for range 100 {
		port := strconv.Itoa(20_000 + rand.IntN(12_000))
		var l net.Listener
		l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return "", err
}

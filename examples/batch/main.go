// Batch sends a CSV file that is larger than the memory it may use to a server that fails at times,
// and puts the rows that cannot be sent into another file.
//
//	go run ./examples/batch
//	go run ./examples/batch -rows 100000 -dead rest.csv
//	go run ./examples/batch -file payments.csv -from 40001 -dead rest.csv
//	GOMEMLIMIT=64MiB go run ./examples/batch
//
// Without -file it makes one. It takes a few seconds, shows a progress bar on a terminal, and prints what
// became of the rows. Worth a look:
//
//   - the file is read in chunks, and the pool is at most its capacity ahead of what is done, so that the
//     memory in use does not depend on the size of the file; see main and source;
//   - of a chunk that the server took in part, only the rest is sent again; each row has an id, by which
//     the server knows those whose reply was lost; see sender;
//   - a row that is at fault, or that the server puts off too often, is a dead letter. A server that is
//     down is no fault of the rows: then the run ends, and says where to go on; see load;
//   - dead letters are in the order of the file, with their line and the reason behind what the row was:
//     once mended, their file can be sent as it is; see letters.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

const memoryLimit = 32 << 20

// task is what there is to do.
type task struct {
	file string // the rows, made if empty
	rows int    // that are made
	from int    // the line to begin with
	dead string // for dead letters, beside the file if empty
}

func main() {
	var t task
	flag.StringVar(&t.file, "file", "", "the rows: id, account, cents, with a header; made if empty")
	flag.IntVar(&t.rows, "rows", 600_000, "how many rows to make")
	flag.IntVar(&t.from, "from", 0, "the line to begin with")
	flag.StringVar(&t.dead, "dead", "", "where dead letters are appended; beside the rows if empty, as FILE.dead, and gone with rows that were made")
	flag.Parse()
	if debug.SetMemoryLimit(-1) == math.MaxInt64 { // no GOMEMLIMIT
		debug.SetMemoryLimit(memoryLimit)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, t)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run does the task with a bank of its own.
func run(ctx context.Context, w io.Writer, t task) (err error) {
	temp, err := os.MkdirTemp("", "batch")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if t.file == "" {
		t.file = filepath.Join(temp, "payments.csv")
		if err := makeFile(t.file, t.rows); err != nil {
			return err
		}
	}
	if t.dead == "" {
		t.dead = t.file + ".dead"
	}
	b := newBank()
	defer b.close()
	r, err := loadFile(ctx, t, b.url)
	fmt.Fprintf(w, "%d rows of %d MB: %d sent, %d dead letters\n", r.sent+r.dead, r.size>>20, r.sent, r.dead)
	fmt.Fprintf(w, "%d requests, %d of them retries; the bank has %d payments\n", b.requests.Load(), r.retries, b.payments())
	fmt.Fprintf(w, "at most %d MB of memory, the limit is %d\n", r.memory>>20, debug.SetMemoryLimit(-1)>>20)
	return err
}

// loadFile opens the files of the task and loads the one into the bank.
func loadFile(ctx context.Context, t task, url string) (r result, err error) {
	file, err := os.Open(t.file)
	if err != nil {
		return r, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return r, err
	}
	dead, err := newLetters(t.dead)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, dead.close()) }()
	bar := progressbar.DefaultBytesSilent(info.Size())
	if isatty.IsTerminal(os.Stderr.Fd()) {
		bar = progressbar.DefaultBytes(info.Size())
	}
	r, err = load(ctx, newSource(file, t.from), url, dead, func(bytes int64) { _ = bar.Set64(bytes) })
	r.size = info.Size()
	return r, err
}

// Batch sends a CSV file that is larger than the memory it may use to a server that fails at times. Rows
// that cannot be sent go into a file of dead letters.
//
//	go run ./examples/batch
//	go run ./examples/batch -rows 100000 -dead rest.csv
//	go run ./examples/batch -file payments.csv -from 40001 -dead rest.csv
//	GOMEMLIMIT=64MiB go run ./examples/batch
//
// It takes about three seconds:
//
//  1. without -file it makes a file of 600,000 rows;
//  2. it sends the rows in chunks to a server on the loopback interface, with a progress bar on a
//     terminal;
//  3. it prints how many rows were sent, how many requests that took, and how much memory.
//
// Worth a look:
//
//   - the pool reads at most its capacity ahead of the oldest unfinished chunk. So the memory in use
//     does not depend on the size of the file. See main and rowReader;
//   - if the server takes a part of a chunk, only the rest is sent again. Each row has an id by which
//     the server recognizes a row whose reply was lost. See sender;
//   - an invalid row, or one that the server puts off too often, is a dead letter. If the server is
//     down, the rows are not to blame: the run ends and says where to go on. See load;
//   - dead letters are in the order of the file, with their line and the reason. Once corrected, the
//     file can be sent as it is. See letters.
package main

import (
	"context"
	_ "embed"
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

	"github.com/seed-205ff063/retry/examples/internal/help"
	"github.com/seed-205ff063/retry/examples/internal/progress"
)

const memoryLimit = 32 << 20

// task is what there is to do.
type task struct {
	file string // the rows, made if empty
	rows int    // that are made
	from int    // the line to begin with
	dead string // for dead letters, beside the file if empty
}

//go:embed main.go
var source string

func main() {
	var t task
	flag.StringVar(&t.file, "file", "", "CSV `file` of rows (id, account, cents) with a header; by default the program makes one")
	flag.IntVar(&t.rows, "rows", 600_000, "how many `rows` to make, without -file")
	flag.IntVar(&t.from, "from", 0, "first `line` of the file to send; a run that ends early prints it")
	flag.StringVar(&t.dead, "dead", "", "`file` that dead letters are appended to; by default the name of -file with .dead added, removed at the end if the program made the rows")
	help.Parse(source)
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
	bar := progress.NewBytes(info.Size())
	defer bar.Close()
	r, err = load(ctx, newRowReader(file, t.from), url, dead, bar.Set)
	r.size = info.Size()
	return r, err
}

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
//     file can be sent as it is. See deadLetters.
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

// options are the flags.
type options struct {
	file string // of rows; if empty, the program makes one
	rows int    // to make
	from int    // first line to send
	dead string // file of dead letters; if empty, beside the file of rows
}

//go:embed main.go
var source string

func main() {
	var o options
	flag.StringVar(&o.file, "file", "", "CSV `file` of rows (id, account, cents) with a header; by default the program makes one")
	flag.IntVar(&o.rows, "rows", 600_000, "how many `rows` to make, without -file")
	flag.IntVar(&o.from, "from", 0, "first `line` of the file to send; a run that ends early prints it")
	flag.StringVar(&o.dead, "dead", "", "`file` that dead letters are appended to; by default the name of -file with .dead added, removed at the end if the program made the rows")
	help.Parse(source)
	if debug.SetMemoryLimit(-1) == math.MaxInt64 { // no GOMEMLIMIT
		debug.SetMemoryLimit(memoryLimit)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run sends the rows to a bank of its own and prints the result.
func run(ctx context.Context, w io.Writer, o options) (err error) {
	temp, err := os.MkdirTemp("", "batch")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if o.file == "" {
		o.file = filepath.Join(temp, "payments.csv")
		if err := makeFile(o.file, o.rows); err != nil {
			return err
		}
	}
	if o.dead == "" {
		o.dead = o.file + ".dead"
	}
	b := newBank()
	defer b.close()
	r, err := loadFile(ctx, o, b.url)
	fmt.Fprintf(w, "%d rows of %d MB: %d sent, %d dead letters\n", r.sent+r.dead, r.size>>20, r.sent, r.dead)
	fmt.Fprintf(w, "%d requests, %d of them retries; the bank has %d payments\n", b.requests.Load(), r.retries, b.payments())
	fmt.Fprintf(w, "at most %d MB of memory, the limit is %d\n", r.memory>>20, debug.SetMemoryLimit(-1)>>20)
	return err
}

// loadFile opens the files and sends the rows.
func loadFile(ctx context.Context, o options, url string) (r result, err error) {
	file, err := os.Open(o.file)
	if err != nil {
		return r, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return r, err
	}
	dead, err := newDeadLetters(o.dead)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, dead.close()) }()
	bar := progress.NewBytes(info.Size())
	defer bar.Close()
	r, err = load(ctx, newRowReader(file, o.from), url, dead, bar.Set)
	r.size = info.Size()
	return r, err
}

// Command pool compares retrypool with other ways to hold items until they are due. It prints
// Markdown tables:
//
//	go run ./pool
//
// The first shows the memory and time that a million parked items take, and how late they are if all
// are due together. The second compares a pool whose workers sleep between attempts with one whose
// workers go on. It takes about 90 seconds, and up to 4 GB of memory for a million goroutines.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// settings say how much is measured.
type settings struct {
	items int // items that are parked

	works   int // items that the workers process
	workers int
}

func main() {
	s := settings{works: 20_000, workers: 50}
	flag.IntVar(&s.items, "items", 1_000_000, "how many `items` are parked")
	only := flag.String("only", "", "measure the contender with this `ID` alone and print JSON")
	lead := flag.Duration("lead", time.Second, "how long that contender has to park the items")
	flag.Parse()
	if err := run(s, *only, *lead); err != nil {
		fmt.Fprintln(os.Stderr, "pool:", err)
		os.Exit(1)
	}
}

func run(s settings, only string, lead time.Duration) error {
	if only != "" {
		p, err := parkOne(only, s.items, lead)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(p)
	}
	touch := firstTouch()
	parked, err := parkAll(s)
	if err != nil {
		return err
	}
	fmt.Print(render(measurement{s, parked, touch, measureThroughput(s)}))
	return nil
}

// measurement is what the tables are written from.
type measurement struct {
	settings

	parked     map[string]parking // by the contender's ID
	touch      time.Duration      // time to touch a page of memory for the first time
	throughput []throughput
}

// parkAll measures each contender in its own process, so that no measurement sees what another one
// left behind. A contender that was too slow gets more time.
func parkAll(s settings) (map[string]parking, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	parked := make(map[string]parking)
	for _, c := range contenders() {
		for lead := c.lead; ; lead *= 2 {
			p, err := parkApart(program, c.id, s.items, lead)
			if err != nil {
				return nil, err
			}
			if parked[c.id] = p; !p.Slow {
				break
			}
		}
	}
	return parked, nil
}

// parkApart runs this program with -only.
func parkApart(program, id string, items int, lead time.Duration) (p parking, err error) {
	cmd := exec.Command(program, "-only", id, "-items", fmt.Sprint(items), "-lead", lead.String())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return p, fmt.Errorf("%s: %w: %s", id, err, stderr.Bytes())
	}
	return p, json.Unmarshal(stdout.Bytes(), &p)
}

// parkOne measures the contender with the given ID.
func parkOne(id string, items int, lead time.Duration) (parking, error) {
	for _, c := range contenders() {
		if c.id == id {
			return c.measure(items, lead), nil
		}
	}
	return parking{}, errors.New("no contender " + id)
}

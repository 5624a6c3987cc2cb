// Command pool compares retrypool with other ways to hold what has to wait, and prints
// Markdown tables:
//
//	go run ./pool
//
// It shows what a million parked items take, in memory and time, and how late they are when
// all fall due together; and how much a pool gets done whose workers sleep between attempts.
// It takes some 90 seconds and a gigabyte or four of memory, for a million goroutines.
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

// settings are how much is measured.
type settings struct {
	items int // that are parked

	works   int // items that the workers go through
	workers int
}

func main() {
	s := settings{works: 20_000, workers: 50}
	flag.IntVar(&s.items, "items", 1_000_000, "how many `items` are parked")
	only := flag.String("only", "", "measure one `ID` alone and print JSON")
	lead := flag.Duration("lead", time.Second, "how long that one has to park the items")
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
	touch      time.Duration      // of a page, for the first time
	throughput []throughput
}

// parkAll measures each contender in a process of its own, so that none sees what another
// left behind.
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

func parkApart(program, id string, items int, lead time.Duration) (p parking, err error) {
	cmd := exec.Command(program, "-only", id, "-items", fmt.Sprint(items), "-lead", lead.String())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return p, fmt.Errorf("%s: %w: %s", id, err, stderr.Bytes())
	}
	return p, json.Unmarshal(stdout.Bytes(), &p)
}

// parkOne measures the contender with that ID.
func parkOne(id string, items int, lead time.Duration) (parking, error) {
	for _, c := range contenders() {
		if c.id == id {
			return c.measure(items, lead), nil
		}
	}
	return parking{}, errors.New("no contender " + id)
}

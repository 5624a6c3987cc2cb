package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

const invalid = 10_000 // one of so many rows is invalid, in each of three ways

// makeFile writes a file of rows. Some of them are invalid.
func makeFile(path string, rows int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, "id,account,cents,remark")
	remark := strings.Repeat("a remark that nobody reads ", 2)
	for id := 1; id <= rows; id++ {
		account, cents := fmt.Sprintf("DE%018d", id%1000), fmt.Sprint(100+id%900)
		switch id % invalid {
		case 101:
			account = `"DE`
		case 202:
			cents = "a lot"
		case 303:
			fmt.Fprintln(w, id)
			continue
		}
		fmt.Fprintf(w, "%d,%s,%s,%s\n", id, account, cents, remark)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

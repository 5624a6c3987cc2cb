package main

import (
	"os"
	"time"
)

// firstTouch is what it takes to touch a page of memory that the process has not had before. A
// virtual machine may have to get it from its host first, and a million items are some seventy
// thousand pages.
func firstTouch() time.Duration {
	const size = 64 << 20
	page := os.Getpagesize()
	memory := make([]byte, size) // so much comes straight from the operating system
	start := time.Now()
	for i := 0; i < size; i += page {
		memory[i] = 1
	}
	return time.Since(start) / time.Duration(size/page)
}

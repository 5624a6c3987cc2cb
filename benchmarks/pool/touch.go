package main

import (
	"os"
	"time"
)

// firstTouch returns how long it takes to touch a page of memory that the process has not used before.
// A virtual machine may have to get the page from its host first. A million items take about 70,000
// pages.
func firstTouch() time.Duration {
	const size = 64 << 20
	page := os.Getpagesize()
	memory := make([]byte, size) // as large as this it comes straight from the operating system
	start := time.Now()
	for i := 0; i < size; i += page {
		memory[i] = 1
	}
	return time.Since(start) / time.Duration(size/page)
}

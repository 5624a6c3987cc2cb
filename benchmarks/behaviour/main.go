// Command behaviour puts retry and its peers into four situations and prints what each did as a
// Markdown table. It measures in real time and takes about a second.
package main

import "fmt"

func main() { fmt.Print(render(observeAll())) }

// Command instep answers one question about a release: which service goes first?
package main

import (
	"os"

	"instep/cmd/internal/cli"
)

func main() { os.Exit(cli.Main()) }

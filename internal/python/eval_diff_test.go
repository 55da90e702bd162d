package python

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"testing/fstest"
)

func TestScratch(t *testing.T) {
	src, err := os.ReadFile(os.Getenv("SCRATCH"))
	if err != nil {
		t.Skip()
	}
	var out bytes.Buffer
	ev := New(Config{FS: fstest.MapFS{"main.py": {Data: src}}, Stdout: &out})
	defer ev.Close()
	ev.Load("main.py")
	fmt.Print(out.String())
	for _, g := range ev.Gaps() {
		fmt.Printf("GAP %s: %s (%s)\n", posString(g.Pos), g.What, g.Why)
	}
	for _, g := range ev.Notes() {
		fmt.Printf("NOTE %s: %s\n", posString(g.Pos), g.Text)
	}
}

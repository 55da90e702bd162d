package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// document writes a command's document to standard output or, whole or not at all, to the file of --output.
func (o *options) document(cmd *cobra.Command, write func(w io.Writer) error) error {
	var buf bytes.Buffer
	if err := write(&buf); err != nil {
		return err
	}
	if o.output == "" {
		_, err := cmd.OutOrStdout().Write(buf.Bytes())
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(o.output), "."+filepath.Base(o.output)+".*")
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(buf.Bytes())
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), o.output)
	}
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return nil
}

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"

	"instep/analyzer"
)

// maxBaseline bounds a file of accepted findings, in bytes.
const maxBaseline = 16 << 20

// fingerprint is the form of a finding's fingerprint in the JSON report.
var fingerprint = regexp.MustCompile(`^[0-9a-f]{16}$`)

// acceptedIn gives the findings of an earlier JSON report as findings to live with. What that report had accepted stays so. Nothing
// else of the file is read, and a gap cannot be accepted.
func acceptedIn(file string) ([]analyzer.Ignore, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w", err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxBaseline+1))
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w", err)
	}
	if len(src) > maxBaseline {
		return nil, fmt.Errorf("--baseline: %s is larger than %d MB", file, maxBaseline>>20)
	}
	type finding struct {
		Fingerprint string `json:"fingerprint"`
	}
	var report struct {
		Version string    `json:"format_version"`
		Hazards []finding `json:"hazards"`
		Ignored []finding `json:"ignored"`
	}
	if err := json.Unmarshal(src, &report); err != nil || report.Version == "" {
		return nil, fmt.Errorf("--baseline: %s is no JSON report: write one with --format json --output %s", file, file)
	}
	var list []analyzer.Ignore
	for _, h := range slices.Concat(report.Hazards, report.Ignored) {
		if !fingerprint.MatchString(h.Fingerprint) {
			return nil, fmt.Errorf("--baseline: %s: %q is no fingerprint", file, h.Fingerprint)
		}
		list = append(list, analyzer.Ignore{Fingerprint: h.Fingerprint, Because: "accepted in " + file, Quiet: true})
	}
	return list, nil
}

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

// acceptedIn gives the findings of an earlier JSON report as findings to live with, as long as they hit nobody else than they did there:
// what a service that only reads can live with, one that writes may not. What that report had accepted stays so. Nothing else of the
// file is read, and a gap cannot be accepted.
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
		Hits        []struct {
			Name     string   `json:"name"`
			Consumer bool     `json:"consumer"`
			Code     []string `json:"code"`
		} `json:"hits"`
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
		if h.Hits == nil {
			return nil, fmt.Errorf("--baseline: %s does not say which code its findings hit: write it anew with this instep", file)
		}
		approved := &analyzer.Approval{}
		for _, x := range h.Hits {
			hit := analyzer.Hit{Name: x.Name}
			for _, code := range []analyzer.Breaks{analyzer.OldCode, analyzer.NewCode} {
				if slices.Contains(x.Code, code.Names()[0]) {
					hit.Code |= code
				}
			}
			if x.Consumer {
				approved.Consumers = append(approved.Consumers, hit)
			} else {
				approved.Services = append(approved.Services, hit)
			}
		}
		list = append(list, analyzer.Ignore{Fingerprint: h.Fingerprint, Because: "accepted in " + file, Quiet: true, Approved: approved})
	}
	return list, nil
}

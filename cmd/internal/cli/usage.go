package cli

import (
	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/analyzer/usage"
)

// maxEvidence bounds the places quoted for one object, service and ref.
const maxEvidence = 3

// wordUsage answers from the default assumption and from words: a place in the configured code of a service or
// consumer where an object's name stands is evidence that it knows the object. No such place proves nothing.
func wordUsage(deployed, target *tree, c *config) analyzer.Usage {
	globs := map[string][]string{}
	for name, s := range c.Services {
		globs[name] = s.Code
	}
	for name, k := range c.Consumers {
		globs[name] = k.Code
	}
	type key struct {
		name string
		tree *tree
	}
	trees := map[*tree]*usage.Tree{deployed: usage.NewTree(deployed.fsys, deployed.files), target: usage.NewTree(target.fsys, target.files)}
	sources := map[key]*usage.Sources{}
	return func(name string, code analyzer.Breaks, object schema.Object, use analyzer.Use) analyzer.Answer {
		t := target
		if code == analyzer.OldCode {
			t = deployed
		}
		// That a name stands somewhere does not tell that rows are put in without it.
		if len(globs[name]) == 0 || use&^analyzer.Omit == 0 {
			return analyzer.Answer{}
		}
		k := key{name, t}
		if sources[k] == nil {
			sources[k] = trees[t].Select(globs[name])
		}
		word, near := object.Name, []string{object.Table}
		if object.Name == "" {
			word, near = object.Table, nil
		}
		var evidence []analyzer.Evidence
		for _, p := range sources[k].Find(word, near, maxEvidence) {
			evidence = append(evidence, analyzer.Evidence{Rev: t.Rev, File: p.File, Line: p.Line, Text: p.Text})
		}
		if len(evidence) == 0 {
			return analyzer.Answer{}
		}
		return analyzer.Answer{Is: analyzer.Yes, Evidence: evidence, Named: true}
	}
}

package migrate

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"instep/analyzer/schema"
)

// An alembicConfig is what configuration files say of one environment.
type alembicConfig struct {
	locations []string // version_locations, as folders of the repository; nil if there are none
	recursive bool     // recursive_version_locations
	gaps      []schema.Gap
}

// alembicConfigFor looks for an alembic.ini whose script_location is dir: in dir and in all folders above it.
// One file can hold several environments, each in a section of its own (alembic -n NAME).
// The [tool.alembic] of a pyproject.toml is read for the same keys.
func alembicConfigFor(fsys fs.FS, dir string) (*alembicConfig, error) {
	for at := dir; ; at = path.Dir(at) {
		for _, name := range []string{"alembic.ini", "pyproject.toml"} {
			file := path.Join(at, name)
			src, err := fs.ReadFile(fsys, file)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			sections := iniSections(string(src))
			for _, s := range sections {
				if name == "pyproject.toml" && s.name != "tool.alembic" {
					continue
				}
				if conf := s.config(fsys, file, dir); conf != nil {
					return conf, nil
				}
			}
		}
		if at == "." || at == "/" {
			return &alembicConfig{}, nil
		}
	}
}

// config gives the section's configuration, if it is that of the environment in dir.
func (s *iniSection) config(fsys fs.FS, file, dir string) *alembicConfig {
	here := path.Dir(file)
	location, ok := resolveLocation(fsys, s.value("script_location"), here)
	if !ok || location != dir {
		return nil
	}
	conf := &alembicConfig{recursive: strings.EqualFold(s.value("recursive_version_locations"), "true")}
	for _, text := range splitLocations(s.value("version_locations"), s.value("version_path_separator")+s.value("path_separator")) {
		if loc, ok := resolveLocation(fsys, text, here); ok {
			conf.locations = append(conf.locations, loc)
		} else {
			conf.gaps = append(conf.gaps, schema.Gap{
				Pos: schema.Pos{File: file, Line: s.lines["version_locations"], Col: 1}, What: "the version_locations entry " + text,
				Why: "no such folder is in the repository",
			})
		}
	}
	return conf
}

// splitLocations cuts version_locations as its separator setting says; without one, at spaces and commas.
func splitLocations(text, separator string) []string {
	is := func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' }
	switch separator {
	case "os", ":":
		is = func(r rune) bool { return r == ':' }
	case ";":
		is = func(r rune) bool { return r == ';' }
	case "newline":
		is = func(r rune) bool { return r == '\n' }
	}
	var parts []string
	for _, p := range strings.FieldsFunc(text, is) {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}

// resolveLocation finds the folder that a setting means: relative to the file's own folder (%(here)s), to the root of
// the repository (Alembic: to where it is started), or a package with a colon, "auslib:alembic".
func resolveLocation(fsys fs.FS, text, here string) (string, bool) {
	if text == "" {
		return "", false
	}
	if pkg, sub, ok := strings.Cut(text, ":"); ok {
		text = strings.ReplaceAll(pkg, ".", "/") + "/" + sub
	}
	var candidates []string
	if rest, ok := strings.CutPrefix(text, hereMark); ok {
		candidates = []string{path.Join(here, strings.TrimLeft(rest, "/"))}
	} else {
		candidates = []string{path.Join(here, text), path.Clean(text), path.Join(here, "src", text), path.Join("src", text)}
	}
	for _, c := range candidates {
		if !fs.ValidPath(c) {
			continue
		}
		if info, err := fs.Stat(fsys, c); err == nil && info.IsDir() {
			return c, true
		}
	}
	return "", false
}

// hereMark stands for %(here)s, the folder of the file. No path holds a zero byte.
const hereMark = "\x00here"

// An iniSection is one section of a configuration file, with the line of each key.
type iniSection struct {
	name   string
	values map[string]string
	lines  map[string]int
}

// iniSections reads the file as Python's configparser does, as far as it goes: sections, keys with = or :, values
// that go on in indented lines, comments. The first section that has a key wins within itself, the last value too.
// It reads TOML's simple assignments as well: quotes and brackets around a value are dropped.
func iniSections(src string) []*iniSection {
	var all []*iniSection
	var cur *iniSection
	var key string
	for i, line := range strings.Split(src, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case trimmed[0] == '[' && trimmed[len(trimmed)-1] == ']' && line[0] == '[':
			cur = &iniSection{name: strings.Trim(trimmed, "[] "), values: map[string]string{}, lines: map[string]int{}}
			all = append(all, cur)
			key = ""
		case cur == nil:
		case (line[0] == ' ' || line[0] == '\t') && key != "":
			cur.values[key] += "\n" + unquoteSetting(trimmed)
		default:
			n := strings.IndexAny(trimmed, "=:")
			if n < 0 {
				continue
			}
			key = strings.ToLower(strings.TrimSpace(trimmed[:n]))
			cur.values[key] = unquoteSetting(strings.TrimSpace(trimmed[n+1:]))
			cur.lines[key] = i + 1
		}
	}
	return all
}

func unquoteSetting(s string) string {
	if i := strings.Index(s, " #"); i >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	s = strings.Trim(s, "[], ")
	s = strings.ReplaceAll(s, `", "`, " ")
	return strings.Trim(s, `"'`)
}

var interpolation = regexp.MustCompile(`%\((\w+)\)s`)

// value gives a setting with %(name)s replaced.
func (s *iniSection) value(key string) string {
	v := s.values[key]
	for range 5 {
		next := interpolation.ReplaceAllStringFunc(v, func(m string) string {
			name := m[2 : len(m)-2]
			if name == "here" {
				return hereMark
			}
			return s.values[strings.ToLower(name)]
		})
		if next == v || len(next) > 4096 {
			break
		}
		v = next
	}
	return strings.TrimSpace(v)
}

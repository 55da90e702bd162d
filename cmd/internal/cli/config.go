package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"instep/analyzer/schema"
	"instep/migrate"
)

// configFile is where the configuration stands in a repository.
const configFile = ".instep.yaml"

// maxConfig bounds the size of a configuration file, in bytes.
const maxConfig = 1 << 20

// A config is the content of .instep.yaml, checked. Everything in it is optional.
type config struct {
	Server     string                    `yaml:"server"`
	SQLMode    sqlMode                   `yaml:"sql_mode"`
	Migrations []migrationConfig         `yaml:"migrations"`
	Services   map[string]serviceConfig  `yaml:"services"`
	Consumers  map[string]consumerConfig `yaml:"consumers"`
	Releases   releasesConfig            `yaml:"releases"`
	Ignore     []ignoreConfig            `yaml:"ignore"`
}

type migrationConfig struct {
	Framework string `yaml:"framework"`
	Dir       string `yaml:"dir"`
	Baseline  string `yaml:"baseline"`
}

type serviceConfig struct {
	Migrates bool     `yaml:"migrates"`
	Access   string   `yaml:"access"`
	Rollout  string   `yaml:"rollout"`
	Code     []string `yaml:"code"`
}

type consumerConfig struct {
	Access string   `yaml:"access"`
	Code   []string `yaml:"code"`
}

type releasesConfig struct {
	Tags string `yaml:"tags"`
}

type ignoreConfig struct {
	Rule        string `yaml:"rule"`
	Object      string `yaml:"object"`
	Fingerprint string `yaml:"fingerprint"` // of one finding, instead of rule and object
	Because     string `yaml:"because"`
}

// A sqlMode is "strict", "loose", or a list of MySQL's modes, written as a YAML list or with commas.
type sqlMode []string

func (m *sqlMode) UnmarshalYAML(unmarshal func(any) error) error {
	var list []string
	if err := unmarshal(&list); err == nil {
		*m = list
		return nil
	}
	var one string
	if err := unmarshal(&one); err != nil {
		return errors.New(`sql_mode is "strict", "loose" or a list of modes`)
	}
	*m = splitMode(one)
	return nil
}

// splitMode reads the value of --sql-mode.
func splitMode(s string) []string {
	var list []string
	for m := range strings.SplitSeq(s, ",") {
		if m = strings.TrimSpace(m); m != "" {
			list = append(list, m)
		}
	}
	return list
}

// readConfig reads the configuration of a tree; without a file it is empty.
func readConfig(fsys fs.FS, name string) (*config, error) {
	info, err := fs.Stat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return &config{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if info.Size() > maxConfig {
		return nil, fmt.Errorf("%s: %d bytes are more than a configuration may have (%d)", name, info.Size(), maxConfig)
	}
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return parseConfig(name, src)
}

// parseConfig reads and checks a configuration. Its errors give file:line:col.
func parseConfig(name string, src []byte) (*config, error) {
	if len(src) > maxConfig {
		return nil, fmt.Errorf("%s: %d bytes are more than a configuration may have (%d)", name, len(src), maxConfig)
	}
	c := &config{}
	file, err := decode(name, src, c)
	if err != nil {
		return nil, err
	}
	ck := checker{name: name, file: file}
	ck.check(c)
	return c, ck.err
}

// decode reads a YAML document strictly; it may be empty.
func decode(name string, src []byte, into any) (*ast.File, error) {
	// Aliases can make a small file expand without bound; a configuration needs none.
	for _, tk := range lexer.Tokenize(string(src)) {
		if tk.Type == token.AnchorType || tk.Type == token.AliasType || tk.Type == token.MergeKeyType {
			return nil, fmt.Errorf("%s:%d:%d: anchors, aliases and merge keys are not supported here: write the value out", name, tk.Position.Line, tk.Position.Column)
		}
	}
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		return nil, positioned(name, err)
	}
	if len(file.Docs) > 1 {
		return nil, fmt.Errorf("%s: more than one YAML document", name)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return &ast.File{}, nil
	}
	ast.Walk(literal{}, file.Docs[0].Body)
	if err := yaml.NodeToValue(file.Docs[0].Body, into, yaml.Strict()); err != nil {
		return nil, positioned(name, err)
	}
	return file, nil
}

// literal makes numbers strings where YAML would change their text: a tag 3.110 is not 3.11, and a revision 0001 not 1.
type literal struct{}

func (l literal) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.MappingValueNode:
		if key, ok := l.of(n.Key).(ast.MapKeyNode); ok {
			n.Key = key
		}
		n.Value = l.of(n.Value)
	case *ast.TagNode:
		if n.Start.Value == "!!str" {
			n.Value = l.of(n.Value)
		}
	case *ast.SequenceNode:
		for i, v := range n.Values {
			n.Values[i] = l.of(v)
		}
	}
	return l
}

func (literal) of(n ast.Node) ast.Node {
	text := ""
	switch n := n.(type) {
	case *ast.IntegerNode:
		text = fmt.Sprint(n.Value)
	case *ast.FloatNode:
		text = fmt.Sprint(n.Value)
	case *ast.InfinityNode, *ast.NanNode:
	default:
		return n
	}
	if tk := n.GetToken(); tk.Value != text {
		quoted := *tk
		quoted.Type = token.DoubleQuoteType
		return ast.String(&quoted)
	}
	return n
}

// positioned turns an error of the YAML library into file:line:col: message.
func positioned(name string, err error) error {
	var ye yaml.Error
	if errors.As(err, &ye) && ye.GetToken() != nil {
		p := ye.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", name, p.Line, p.Column, ye.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}

// A checker checks what the YAML library cannot: values. It keeps the first error.
type checker struct {
	name string
	file *ast.File
	err  error
}

func (ck *checker) check(c *config) {
	if c.Server != "" {
		if _, err := parseServer(c.Server); err != nil {
			ck.fail("$.server", "%v", err)
		}
	}
	if err := checkMode(c.SQLMode); err != nil {
		ck.fail("$.sql_mode", "%v", err)
	}
	for i, m := range c.Migrations {
		path := fmt.Sprintf("$.migrations[%d]", i)
		if m.Dir == "" {
			ck.fail(path, "a migrations entry needs the key dir: the folder, from the repository's root")
		}
		if m.Framework != "" && !slices.Contains(migrate.Names(), m.Framework) {
			ck.fail(path+".framework", "unknown framework %q: the known ones are %s", m.Framework, strings.Join(migrate.Names(), ", "))
		}
		if m.Dir != "" && !fs.ValidPath(m.Dir) {
			ck.fail(path+".dir", "%q is no path inside the repository: write it relative to the root, with slashes, without . and ..", m.Dir)
		}
	}
	migrates := ""
	for _, name := range sortedKeys(c.Services) {
		s, path := c.Services[name], "$.services."+quoteKey(name)
		ck.oneOf(path+".access", s.Access, "", "read", "write", "none")
		ck.oneOf(path+".rollout", s.Rollout, "", "rolling", "canary", "recreate")
		ck.globs(path+".code", s.Code)
		if name == "migration" {
			ck.fail(path, `a service cannot be called "migration": that is the name of the step that changes the schema`)
		}
		if s.Migrates {
			if migrates != "" {
				ck.fail(path, "both %s and %s are said to run the migrations: only one service can", migrates, name)
			}
			migrates = name
		}
	}
	for _, name := range sortedKeys(c.Consumers) {
		k, path := c.Consumers[name], "$.consumers."+quoteKey(name)
		ck.oneOf(path+".access", k.Access, "", "read", "write", "none")
		ck.globs(path+".code", k.Code)
		if _, both := c.Services[name]; both {
			ck.fail(path, "%s is a service already: a consumer is a reader that is no service", name)
		}
	}
	if c.Releases.Tags != "" && !doublestar.ValidatePattern(c.Releases.Tags) {
		ck.fail("$.releases.tags", "%q is no valid pattern", c.Releases.Tags)
	}
	for i, ig := range c.Ignore {
		path := fmt.Sprintf("$.ignore[%d]", i)
		if strings.TrimSpace(ig.Because) == "" {
			ck.fail(path, "an ignore entry needs the key because: the reason is mandatory")
		}
		switch {
		case ig.Rule == "" && ig.Fingerprint == "":
			ck.fail(path, "an ignore entry needs the key rule: a rule's id (see: instep rules), or fingerprint: that of one finding")
		case ig.Fingerprint != "" && (ig.Rule != "" || ig.Object != ""):
			ck.fail(path, "an ignore entry names a fingerprint, or a rule with or without an object")
		case ig.Fingerprint != "" && !fingerprint.MatchString(ig.Fingerprint):
			ck.fail(path, "%q is no fingerprint: it is in the JSON report", ig.Fingerprint)
		}
	}
}

func (ck *checker) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		ck.fail(path, "%q is not one of %s", value, strings.Join(allowed[1:], ", "))
	}
}

func (ck *checker) globs(path string, globs []string) {
	for i, g := range globs {
		if !doublestar.ValidatePattern(strings.TrimPrefix(g, "!")) {
			ck.fail(path+"["+strconv.Itoa(i)+"]", "%q is no valid pattern", g)
		}
	}
}

func (ck *checker) fail(path, format string, args ...any) {
	if ck.err != nil {
		return
	}
	pos := ck.name
	if p, err := yaml.PathString(path); err == nil {
		if n, err := p.FilterFile(ck.file); err == nil && n != nil {
			tk := n.GetToken()
			if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
				tk = m.Values[0].Key.GetToken()
			}
			pos = fmt.Sprintf("%s:%d:%d", ck.name, tk.Position.Line, tk.Position.Column)
		}
	}
	ck.err = fmt.Errorf("%s: %s", pos, fmt.Sprintf(format, args...))
}

// quoteKey writes a mapping's key for a YAML path.
func quoteKey(key string) string { return "'" + strings.ReplaceAll(key, "'", `\'`) + "'" }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// parseServer reads "mysql 8.4", "mysql 8.0.28" or "mariadb 10.11".
func parseServer(s string) (schema.Server, error) {
	bad := fmt.Errorf(`server %q: write the flavour and the version, such as "mysql 8.4" or "mariadb 10.11"`, s)
	flavour, version, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok {
		return schema.Server{}, bad
	}
	var server schema.Server
	switch strings.ToLower(flavour) {
	case "mysql", "percona":
	case "mariadb":
		server.MariaDB = true
	default:
		return schema.Server{}, bad
	}
	parts := strings.Split(strings.TrimSpace(version), ".")
	if len(parts) < 2 || len(parts) > 3 {
		return schema.Server{}, bad
	}
	for i, field := range []*int{&server.Major, &server.Minor, &server.Patch} {
		if i >= len(parts) {
			break
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < 0 || n > 999 {
			return schema.Server{}, bad
		}
		*field = n
	}
	return server, nil
}

// modes are MySQL's and MariaDB's SQL modes (manual: Server SQL Modes).
var modes = []string{
	"ALLOW_INVALID_DATES", "ANSI", "ANSI_QUOTES", "DB2", "EMPTY_STRING_IS_NULL", "ERROR_FOR_DIVISION_BY_ZERO",
	"HIGH_NOT_PRECEDENCE", "IGNORE_BAD_TABLE_OPTIONS", "IGNORE_SPACE", "MAXDB", "MSSQL", "MYSQL323", "MYSQL40",
	"NO_AUTO_CREATE_USER", "NO_AUTO_VALUE_ON_ZERO", "NO_BACKSLASH_ESCAPES", "NO_DIR_IN_CREATE",
	"NO_ENGINE_SUBSTITUTION", "NO_FIELD_OPTIONS", "NO_KEY_OPTIONS", "NO_TABLE_OPTIONS", "NO_UNSIGNED_SUBTRACTION",
	"NO_ZERO_DATE", "NO_ZERO_IN_DATE", "ONLY_FULL_GROUP_BY", "ORACLE", "PAD_CHAR_TO_FULL_LENGTH", "PIPES_AS_CONCAT",
	"POSTGRESQL", "REAL_AS_FLOAT", "SIMULTANEOUS_ASSIGNMENT", "STRICT_ALL_TABLES", "STRICT_TRANS_TABLES",
	"TIME_ROUND_FRACTIONAL", "TIME_TRUNCATE_FRACTIONAL", "TRADITIONAL",
}

// checkMode checks a list of modes, or the single words strict and loose.
func checkMode(list []string) error {
	if len(list) == 1 && (list[0] == "strict" || list[0] == "loose") {
		return nil
	}
	for _, m := range list {
		if !slices.Contains(modes, strings.ToUpper(m)) {
			return fmt.Errorf(`sql_mode %q is neither "strict", "loose" nor one of MySQL's modes`, m)
		}
	}
	return nil
}

package python

import (
	"path"
	"strings"
)

// missing gives the Missing of a module whose other attributes depend on the machine.
func missing(module string) func(ev *Eval, name string) Value {
	return func(ev *Eval, name string) Value {
		return NewUnknown(ev.Pos(), "what "+module+"."+name+" gives depends on the machine that runs it")
	}
}

func stdOS(ev *Eval) *Module {
	environ := NewUnknown(Pos{}, "the environment of the run is not known")
	m := NewModule("os", "sep", Str("/"), "linesep", Str("\n"), "name", Str("posix"), "curdir", Str("."), "pardir", Str(".."), "extsep", Str("."),
		"environ", environ, "getenv", unknowable("getenv", environ.Why), "path", stdPath(ev),
		"fspath", pureFn("fspath", func(ev *Eval, b *Bound) (Value, error) { return b.Value("path"), nil }, "path"))
	m.Missing = missing("os")
	return m
}

// stdPath is os.path. A path is text of the program: what only looks at the text is known.
func stdPath(ev *Eval) *Module {
	text := func(name string, fn func(p string) Value) *Native {
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			p, err := b.str(ev, "path", "")
			if err != nil {
				return nil, err
			}
			return fn(p), nil
		}, "path")
	}
	split := func(p string) (dir, base string) {
		i := strings.LastIndexByte(p, '/') + 1
		dir, base = p[:i], p[i:]
		if trimmed := strings.TrimRight(dir, "/"); trimmed != "" {
			dir = trimmed
		}
		return dir, base
	}
	splitext := func(p string) (root, ext string) {
		_, base := split(p)
		stem := strings.TrimLeft(base, ".")
		if i := strings.LastIndexByte(stem, '.'); i >= 0 {
			n := len(stem) - i
			return p[:len(p)-n], p[len(p)-n:]
		}
		return p, ""
	}
	same := func(p string) Value {
		// The working folder of the run is not known: only a path from the root is made whole.
		if strings.HasPrefix(p, "/") {
			return Str(path.Clean(p))
		}
		return Str(p)
	}
	m := NewModule("os.path", "sep", Str("/"),
		"join", pureFn("join", func(ev *Eval, b *Bound) (Value, error) {
			p, err := b.str(ev, "path", "")
			if err != nil {
				return nil, err
			}
			for _, v := range b.Rest {
				s, ok := v.(Str)
				if !ok {
					return nil, ev.Raisef("TypeError", "join() argument must be str, not %s", v.TypeName())
				}
				switch {
				case strings.HasPrefix(string(s), "/"):
					p = string(s)
				case p == "" || strings.HasSuffix(p, "/"):
					p += string(s)
				default:
					p += "/" + string(s)
				}
				if err := ev.alloc(len(p)); err != nil {
					return nil, err
				}
			}
			return Str(p), nil
		}, "path", "*paths"),
		"basename", text("basename", func(p string) Value { _, b := split(p); return Str(b) }),
		"dirname", text("dirname", func(p string) Value { d, _ := split(p); return Str(d) }),
		"split", text("split", func(p string) Value { d, b := split(p); return NewTuple(Str(d), Str(b)) }),
		"splitext", text("splitext", func(p string) Value { r, e := splitext(p); return NewTuple(Str(r), Str(e)) }),
		"normpath", text("normpath", func(p string) Value { return Str(path.Clean(p)) }),
		"isabs", text("isabs", func(p string) Value { return Bool(strings.HasPrefix(p, "/")) }),
		"abspath", text("abspath", same), "realpath", text("realpath", same),
	)
	m.Missing = missing("os.path")
	return m
}

func stdSys(ev *Eval) *Module {
	m := NewModule("sys", "maxsize", Int(1<<63-1), "platform", Str("linux"), "byteorder", Str("little"),
		"version_info", NewTuple(Int(3), Int(11), Int(0), Str("final"), Int(0)), "exit", &Native{Name: "exit", Fn: func(ev *Eval, call *Call) (Value, error) {
			cls := Builtin("SystemExit")
			if cls == nil {
				cls = exceptionClass("Exception")
			}
			return nil, ev.Raise(cls, call.Args...)
		}},
		"intern", pureFn("intern", func(ev *Eval, b *Bound) (Value, error) { return b.Value("string"), nil }, "string"))
	m.Missing = func(ev *Eval, name string) Value {
		if name == "path" {
			return &List{Items: nil}
		}
		return missing("sys")(ev, name)
	}
	return m
}

// A logger swallows what is logged. Its questions about levels are not known.
type logger struct{ name string }

func (l *logger) TypeName() string { return "Logger" }

// Same implements Same.
func (l *logger) Same(ev *Eval, other Value) bool {
	o, ok := other.(*logger)
	return ok && o.name == l.name
}

// Attr implements Attrer.
func (l *logger) Attr(ev *Eval, name string) (Value, bool) {
	switch name {
	case "debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "setLevel", "addHandler", "removeHandler", "addFilter":
		return quietFn(name), true
	case "name":
		return Str(l.name), true
	case "getChild":
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			s, err := b.str(ev, "suffix", "")
			return &logger{l.name + "." + s}, err
		}, "suffix"), true
	case "handlers":
		return NewList(), true
	}
	return NewUnknown(ev.Pos(), "how logging is set up is not known"), true
}

func stdLogging(ev *Eval) *Module {
	m := NewModule("logging", "getLogger", &Native{Name: "getLogger", Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
		name := "root"
		if len(call.Args) > 0 {
			if s, ok := call.Args[0].(Str); ok {
				name = string(s)
			}
		}
		return &logger{name}, nil
	}})
	for _, name := range []string{"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "basicConfig", "captureWarnings", "disable", "addLevelName"} {
		m.Attrs.Store(ev, name, quietFn(name))
	}
	for i, name := range []string{"NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"} {
		m.Attrs.Store(ev, name, Int(10*i))
	}
	m.Attrs.Store(ev, "WARN", Int(30))
	m.Attrs.Store(ev, "FATAL", Int(50))
	m.Missing = func(ev *Eval, name string) Value {
		return NewUnknown(ev.Pos(), "logging."+name+" is not modelled")
	}
	return m
}

// A catcher is warnings.catch_warnings().
type catcher struct{}

func (*catcher) TypeName() string { return "catch_warnings" }

// Enter implements Manager.
func (c *catcher) Enter(ev *Eval, pos Pos) (Value, error) { return NewList(), nil }

// Exit implements Manager.
func (c *catcher) Exit(*Eval, Pos, *Instance) (bool, error) { return false, nil }

func stdWarnings(ev *Eval) *Module {
	m := NewModule("warnings", "catch_warnings", &Native{Name: "catch_warnings", Pure: true, Fn: func(*Eval, *Call) (Value, error) { return &catcher{}, nil }})
	for _, name := range []string{"warn", "warn_explicit", "filterwarnings", "simplefilter", "resetwarnings"} {
		m.Attrs.Store(ev, name, quietFn(name))
	}
	return m
}

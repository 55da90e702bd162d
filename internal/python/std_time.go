package python

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A momentKind tells the types of datetime apart.
type momentKind uint8

const (
	dateKind momentKind = iota
	datetimeKind
	timeKind
)

// A moment is a datetime.date, datetime.datetime or datetime.time. A naive one is kept as UTC.
type moment struct {
	Object
	kind  momentKind
	t     time.Time
	aware bool
	cal   *calendar
}

// A duration is a datetime.timedelta.
type duration struct {
	Object
	d   time.Duration // microseconds are the smallest unit; some 292 years are the largest, where Python's is larger
	cal *calendar
}

// A calendar is the classes of one import of datetime.
type calendar struct{ date, datetime, time, timedelta, timezone, tzinfo *Class }

const clockWhy = "the time of the run is not known before it runs"

// The years that Python's datetime takes.
const minYear, maxYear = 1, 9999

func (c *calendar) moment(kind momentKind, t time.Time, aware bool) *moment {
	cls := c.date
	switch kind {
	case datetimeKind:
		cls = c.datetime
	case timeKind:
		cls = c.time
	}
	return &moment{Object: Object{Cls: cls}, kind: kind, t: t, aware: aware, cal: c}
}

func (c *calendar) duration(d time.Duration) *duration {
	return &duration{Object: Object{Cls: c.timedelta}, d: d.Truncate(time.Microsecond), cal: c}
}

func stdDatetime(ev *Eval) *Module {
	c := &calendar{}
	c.tzinfo = &Class{Name: "tzinfo", Module: "datetime"}
	c.timezone = &Class{Name: "timezone", Module: "datetime", Bases: []*Class{c.tzinfo}}
	utc := NewInstance(c.timezone)
	c.timezone.Attrs = NewNamespace("utc", utc)
	ints := func(ev *Eval, b *Bound, names ...string) ([]int, error) {
		out := make([]int, len(names))
		for i, n := range names {
			v, err := b.int(ev, n, 0)
			if err != nil {
				return nil, err
			}
			if v < -1e6 || v > 1e7 {
				return nil, ev.Raisef("ValueError", "%s is out of range", n)
			}
			out[i] = int(v)
		}
		return out, nil
	}
	make := func(kind momentKind, name string, params []string, build func(n []int) (time.Time, bool)) *Class {
		return &Class{Name: name, Module: "datetime", New: func(ev *Eval, cls *Class, call *Call) (Value, error) {
			with := append([]string{}, params...)
			if kind != dateKind {
				with = append(with, "tzinfo=", "*", "fold=")
			}
			b, err := call.Bind(ev, name, with...)
			if err != nil {
				return nil, err
			}
			if u := b.unknown(); u != nil {
				return u.derive(), nil
			}
			var fields []string
			for _, p := range params {
				fields = append(fields, strings.TrimSuffix(p, "="))
			}
			n, err := ints(ev, b, fields...)
			if err != nil {
				return nil, err
			}
			t, ok := build(n)
			if !ok {
				return nil, ev.Raisef("ValueError", "a field of %s is out of range", name)
			}
			aware := kind != dateKind && b.passed("tzinfo")
			if aware && b.Value("tzinfo") != Value(utc) {
				return NewUnknown(call.Pos(), "time zones other than UTC are not modelled"), nil
			}
			m := c.moment(kind, t, aware)
			m.Cls = cls
			return m, nil
		}}
	}
	exact := func(n []int) (time.Time, bool) {
		t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], n[6]*1000, time.UTC)
		return t, n[0] >= minYear && n[0] <= maxYear && t.Year() == n[0] && int(t.Month()) == n[1] && t.Day() == n[2] &&
			n[3] >= 0 && n[3] < 24 && n[4] >= 0 && n[4] < 60 && n[5] >= 0 && n[5] < 60 && n[6] >= 0 && n[6] < 1e6
	}
	c.date = make(dateKind, "date", []string{"year", "month", "day"}, func(n []int) (time.Time, bool) {
		return exact([]int{n[0], n[1], n[2], 0, 0, 0, 0})
	})
	c.datetime = make(datetimeKind, "datetime", []string{"year", "month", "day", "hour=", "minute=", "second=", "microsecond="}, exact)
	c.datetime.Bases = []*Class{c.date}
	c.time = make(timeKind, "time", []string{"hour=", "minute=", "second=", "microsecond="}, func(n []int) (time.Time, bool) {
		return exact([]int{2000, 1, 1, n[0], n[1], n[2], n[3]})
	})
	c.date.Attrs = NewNamespace("today", unknowable("today", clockWhy), "fromtimestamp", unknowable("fromtimestamp", "the time zone of the machine is not known"),
		"fromisoformat", parseISO(c, dateKind), "min", c.moment(dateKind, time.Date(minYear, 1, 1, 0, 0, 0, 0, time.UTC), false),
		"max", c.moment(dateKind, time.Date(maxYear, 12, 31, 0, 0, 0, 0, time.UTC), false))
	c.datetime.Attrs = NewNamespace("now", unknowable("now", clockWhy), "utcnow", unknowable("utcnow", clockWhy), "today", unknowable("today", clockWhy),
		"fromtimestamp", unknowable("fromtimestamp", "the time zone of the machine is not known"), "strptime", unknowable("strptime", "datetime.strptime is not modelled"),
		"fromisoformat", parseISO(c, datetimeKind),
		"utcfromtimestamp", staticFn("utcfromtimestamp", func(ev *Eval, b *Bound) (Value, error) {
			n, err := b.int(ev, "timestamp", 0)
			if err != nil {
				return nil, err
			}
			t := time.Unix(n, 0).UTC()
			if t.Year() < minYear || t.Year() > maxYear {
				return nil, ev.Raisef("ValueError", "year is out of range")
			}
			return c.moment(datetimeKind, t, false), nil
		}, "timestamp"),
		"combine", unknowable("combine", "datetime.combine is not modelled"),
		"min", c.moment(datetimeKind, time.Date(minYear, 1, 1, 0, 0, 0, 0, time.UTC), false),
		"max", c.moment(datetimeKind, time.Date(maxYear, 12, 31, 23, 59, 59, 999999000, time.UTC), false))
	c.timedelta = &Class{Name: "timedelta", Module: "datetime", New: func(ev *Eval, cls *Class, call *Call) (Value, error) {
		units := []struct {
			name string
			d    time.Duration
		}{
			{"days", 24 * time.Hour}, {"seconds", time.Second}, {"microseconds", time.Microsecond}, {"milliseconds", time.Millisecond},
			{"minutes", time.Minute}, {"hours", time.Hour}, {"weeks", 7 * 24 * time.Hour},
		}
		var params []string
		for _, u := range units {
			params = append(params, u.name+"=")
		}
		b, err := call.Bind(ev, "timedelta", params...)
		if err != nil {
			return nil, err
		}
		if u := b.unknown(); u != nil {
			return u.derive(), nil
		}
		total := 0.0
		for _, u := range units {
			switch v := b.Value(u.name).(type) {
			case nil:
			case Int:
				total += float64(v) * float64(u.d)
			case Float:
				total += float64(v) * float64(u.d)
			default:
				return nil, ev.Raisef("TypeError", "unsupported type for timedelta %s component: %s", u.name, v.TypeName())
			}
		}
		if total > 9e18 || total < -9e18 {
			return NewUnknown(call.Pos(), "a timedelta of more than 290 years is not modelled"), nil
		}
		return c.duration(time.Duration(total)), nil
	}}
	return NewModule("datetime", "date", c.date, "datetime", c.datetime, "time", c.time, "timedelta", c.timedelta,
		"timezone", c.timezone, "tzinfo", c.tzinfo, "UTC", utc, "MINYEAR", Int(minYear), "MAXYEAR", Int(maxYear))
}

func parseISO(c *calendar, kind momentKind) *Native {
	layouts := []string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"}
	if kind == dateKind {
		layouts = layouts[:1]
	}
	return staticFn("fromisoformat", func(ev *Eval, b *Bound) (Value, error) {
		s, err := b.str(ev, "date_string", "")
		if err != nil {
			return nil, err
		}
		for _, l := range layouts {
			if t, err := time.Parse(l, s); err == nil {
				return c.moment(kind, t, false), nil
			}
		}
		return NewUnknown(ev.Pos(), "this form of a date is not modelled"), nil
	}, "date_string")
}

func (m *moment) iso(sep string) string {
	var s string
	if m.kind != timeKind {
		s = m.t.Format("2006-01-02")
	}
	if m.kind == dateKind {
		return s
	}
	if m.kind == datetimeKind {
		s += sep
	}
	s += m.t.Format("15:04:05")
	if us := m.t.Nanosecond() / 1000; us != 0 {
		s += fmt.Sprintf(".%06d", us)
	}
	if m.aware {
		s += "+00:00"
	}
	return s
}

// Text implements Texter.
func (m *moment) Text(ev *Eval, repr bool) (Value, error) {
	if !repr {
		return Str(m.iso(" ")), nil
	}
	parts := []int{m.t.Year(), int(m.t.Month()), m.t.Day(), m.t.Hour(), m.t.Minute(), m.t.Second(), m.t.Nanosecond() / 1000}
	name := "datetime." + m.Cls.Name
	switch m.kind {
	case dateKind:
		parts = parts[:3]
	case timeKind:
		parts = parts[3:]
	}
	if m.kind != dateKind {
		least := len(parts) - 2
		for len(parts) > least && parts[len(parts)-1] == 0 {
			parts = parts[:len(parts)-1]
		}
	}
	var fields []string
	for _, p := range parts {
		fields = append(fields, fmt.Sprint(p))
	}
	if m.aware {
		fields = append(fields, "tzinfo=datetime.timezone.utc")
	}
	return Str(name + "(" + strings.Join(fields, ", ") + ")"), nil
}

// Attr implements Attrer.
func (m *moment) Attr(ev *Eval, name string) (Value, bool) {
	if m.kind != timeKind {
		switch name {
		case "year":
			return Int(m.t.Year()), true
		case "month":
			return Int(m.t.Month()), true
		case "day":
			return Int(m.t.Day()), true
		case "weekday":
			return pureFn(name, func(*Eval, *Bound) (Value, error) { return Int((int(m.t.Weekday()) + 6) % 7), nil }), true
		case "isoweekday":
			return pureFn(name, func(*Eval, *Bound) (Value, error) { return Int((int(m.t.Weekday())+6)%7 + 1), nil }), true
		case "toordinal":
			return pureFn(name, func(*Eval, *Bound) (Value, error) {
				return Int(m.t.Unix()/86400 + 719163), nil
			}), true
		}
	}
	if m.kind != dateKind {
		switch name {
		case "hour":
			return Int(m.t.Hour()), true
		case "minute":
			return Int(m.t.Minute()), true
		case "second":
			return Int(m.t.Second()), true
		case "microsecond":
			return Int(m.t.Nanosecond() / 1000), true
		case "tzinfo":
			if !m.aware {
				return None, true
			}
			return NewUnknown(ev.Pos(), "time zones are not modelled"), true
		}
	}
	if m.kind == datetimeKind {
		switch name {
		case "date":
			return pureFn(name, func(*Eval, *Bound) (Value, error) {
				y, mo, d := m.t.Date()
				return m.cal.moment(dateKind, time.Date(y, mo, d, 0, 0, 0, 0, time.UTC), false), nil
			}), true
		case "timestamp":
			if m.aware {
				return pureFn(name, func(*Eval, *Bound) (Value, error) { return Float(float64(m.t.UnixMicro()) / 1e6), nil }), true
			}
			return unknowable(name, "the time zone of the machine is not known"), true
		}
	}
	switch name {
	case "isoformat":
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			sep, err := b.str(ev, "sep", "T")
			if err != nil {
				return nil, err
			}
			if b.passed("timespec") {
				return NewUnknown(ev.Pos(), "isoformat with a timespec is not modelled"), nil
			}
			return Str(m.iso(sep)), nil
		}, "sep=", "timespec="), true
	case "strftime":
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			f, err := b.str(ev, "format", "")
			if err != nil {
				return nil, err
			}
			s, bad := strftime(m.t, f)
			if bad != "" {
				return NewUnknown(ev.Pos(), "strftime's "+bad+" is not modelled"), nil
			}
			return Str(s), ev.alloc(len(s))
		}, "format"), true
	case "replace", "astimezone", "timetuple", "utctimetuple", "utcoffset", "ctime", "isocalendar":
		return unknowable(name, "datetime."+name+" is not modelled"), true
	}
	return nil, false
}

// strftime formats a time; bad is a directive that is not known.
func strftime(t time.Time, format string) (s, bad string) {
	directives := map[byte]string{
		'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'y': "06", 'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'I': "03", 'p': "PM",
	}
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) {
			return "", "trailing %"
		}
		switch layout, ok := directives[format[i]]; {
		case ok:
			out.WriteString(t.Format(layout))
		case format[i] == '%':
			out.WriteByte('%')
		case format[i] == 'f':
			fmt.Fprintf(&out, "%06d", t.Nanosecond()/1000)
		case format[i] == 'j':
			fmt.Fprintf(&out, "%03d", t.YearDay())
		default:
			return "", "%" + format[i:i+1]
		}
	}
	return out.String(), ""
}

// Binary implements Operator.
func (m *moment) Binary(ev *Eval, op Op, other Value, reflected bool) (Value, error) {
	switch o := other.(type) {
	case *duration:
		if m.kind == timeKind || op != OpAdd && (op != OpSub || reflected) {
			return nil, nil
		}
		d := o.d
		if op == OpSub {
			d = -d
		}
		t := m.t.Add(d)
		if m.kind == dateKind {
			days := o.d / (24 * time.Hour)
			if o.d%(24*time.Hour) < 0 {
				days--
			}
			if op == OpSub {
				days = -days
			}
			t = m.t.AddDate(0, 0, int(days))
		}
		if t.Year() < minYear || t.Year() > maxYear {
			return nil, ev.Raisef("OverflowError", "date value out of range")
		}
		r := m.cal.moment(m.kind, t, m.aware)
		r.Cls = m.Cls
		return r, nil
	case *moment:
		if op == OpEq || op == OpNotEq {
			same := o.kind == m.kind && o.aware == m.aware && o.t.Equal(m.t)
			return Bool(same == (op == OpEq)), nil
		}
		if o.kind != m.kind {
			return nil, nil
		}
		if o.aware != m.aware {
			return nil, ev.Raisef("TypeError", "can't compare offset-naive and offset-aware datetimes")
		}
		if op == OpSub {
			if m.kind == timeKind {
				return nil, nil
			}
			a, b := m, o
			if reflected {
				a, b = o, m
			}
			d := a.t.Sub(b.t)
			if d == 1<<63-1 || d == -1<<63 {
				return NewUnknown(ev.Pos(), "a timedelta of more than 290 years is not modelled"), nil
			}
			return m.cal.duration(d), nil
		}
		return ordered(op, m.t.Compare(o.t), reflected), nil
	}
	return nil, nil
}

// ordered is a op b from how a compares with b; nil for what is no comparison.
func ordered(op Op, c int, reflected bool) Value {
	if reflected {
		c = -c
	}
	switch op {
	case OpEq:
		return Bool(c == 0)
	case OpNotEq:
		return Bool(c != 0)
	case OpLt:
		return Bool(c < 0)
	case OpLtE:
		return Bool(c <= 0)
	case OpGt:
		return Bool(c > 0)
	case OpGtE:
		return Bool(c >= 0)
	}
	return nil
}

func (d *duration) parts() (days, seconds, micros int64) {
	days = int64(d.d / (24 * time.Hour))
	rest := d.d % (24 * time.Hour)
	if rest < 0 {
		days--
		rest += 24 * time.Hour
	}
	return days, int64(rest / time.Second), int64(rest % time.Second / time.Microsecond)
}

// Text implements Texter.
func (d *duration) Text(ev *Eval, repr bool) (Value, error) {
	days, seconds, micros := d.parts()
	if repr {
		var fields []string
		for _, f := range []struct {
			name string
			n    int64
		}{{"days", days}, {"seconds", seconds}, {"microseconds", micros}} {
			if f.n != 0 {
				fields = append(fields, fmt.Sprintf("%s=%d", f.name, f.n))
			}
		}
		if len(fields) == 0 {
			fields = []string{"0"}
		}
		return Str("datetime.timedelta(" + strings.Join(fields, ", ") + ")"), nil
	}
	s := fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if micros != 0 {
		s += fmt.Sprintf(".%06d", micros)
	}
	switch {
	case days == 1 || days == -1:
		s = fmt.Sprintf("%d day, %s", days, s)
	case days != 0:
		s = fmt.Sprintf("%d days, %s", days, s)
	}
	return Str(s), nil
}

// Attr implements Attrer.
func (d *duration) Attr(ev *Eval, name string) (Value, bool) {
	days, seconds, micros := d.parts()
	switch name {
	case "days":
		return Int(days), true
	case "seconds":
		return Int(seconds), true
	case "microseconds":
		return Int(micros), true
	case "total_seconds":
		return pureFn(name, func(*Eval, *Bound) (Value, error) { return Float(d.d.Seconds()), nil }), true
	}
	return nil, false
}

// Truth implements Truther.
func (d *duration) Truth(*Eval) (Value, error) { return Bool(d.d != 0), nil }

// Unary implements UnaryOperator.
func (d *duration) Unary(ev *Eval, op Op) (Value, error) {
	switch op {
	case OpNeg:
		return d.cal.duration(-d.d), nil
	case OpPos:
		return d, nil
	}
	return nil, nil
}

// Binary implements Operator.
func (d *duration) Binary(ev *Eval, op Op, other Value, reflected bool) (Value, error) {
	tooLong := NewUnknown(ev.Pos(), "a timedelta of more than 290 years is not modelled")
	switch o := other.(type) {
	case *duration:
		switch op {
		case OpAdd, OpSub:
			a, b := d.d, o.d
			if reflected {
				a, b = b, a
			}
			if op == OpSub {
				b = -b
			}
			if sum := float64(a) + float64(b); sum > 9e18 || sum < -9e18 {
				return tooLong, nil
			}
			return d.cal.duration(a + b), nil
		}
		c := 0
		switch {
		case d.d < o.d:
			c = -1
		case d.d > o.d:
			c = 1
		}
		return ordered(op, c, reflected), nil
	case Int:
		if op == OpMul {
			if p := float64(d.d) * float64(o); p > 9e18 || p < -9e18 {
				return tooLong, nil
			}
			return d.cal.duration(d.d * time.Duration(o)), nil
		}
	}
	return nil, nil
}

func stdTime(ev *Eval) *Module {
	m := NewModule("time", "sleep", quietFn("sleep"))
	m.Missing = func(ev *Eval, name string) Value { return NewUnknown(ev.Pos(), clockWhy) }
	return m
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

func stdUUID(ev *Eval) *Module {
	const why = "a random or time-based UUID is not known before it runs"
	cls := &Class{Name: "UUID", Module: "uuid", Init: func(ev *Eval, self Value, call *Call) error {
		b, err := call.Bind(ev, "UUID", "hex=", "bytes=", "bytes_le=", "fields=", "int=", "version=", "*", "is_safe=")
		if err != nil {
			return err
		}
		i, ok := self.(*Instance)
		if !ok {
			return ev.Raisef("TypeError", "UUID cannot be initialised like that")
		}
		var digits Value
		if u := b.unknown(); u != nil {
			digits = u.derive()
		} else if _, ok := b.Value("hex").(Str); !ok {
			digits = NewUnknown(call.Pos(), "UUID from anything but hex digits is not modelled")
		} else {
			s, err := b.str(ev, "hex", "")
			if err != nil {
				return err
			}
			s = strings.ToLower(strings.NewReplacer("urn:", "", "uuid:", "", "{", "", "}", "", "-", "").Replace(s))
			if !uuidForm.MatchString(s) {
				return ev.Raisef("ValueError", "badly formed hexadecimal UUID string")
			}
			digits = Str(s)
		}
		i.Attrs.Store(ev, "hex", digits)
		return nil
	}}
	text := &Native{Name: "__str__", Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
		if len(call.Args) == 0 {
			return nil, ev.Raisef("TypeError", "__str__ needs a UUID")
		}
		v, err := ev.Attr(call.Args[0], "hex")
		if err != nil {
			return nil, err
		}
		s, ok := v.(Str)
		if !ok || len(s) != 32 {
			return v, nil
		}
		return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], nil
	}}
	bytes := &Native{Name: "bytes", Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
		v, err := ev.Attr(call.Args[0], "hex")
		if err != nil {
			return nil, err
		}
		s, ok := v.(Str)
		if !ok {
			return v, nil
		}
		raw, err := hex.DecodeString(string(s))
		if err != nil {
			return nil, ev.Raisef("ValueError", "badly formed hexadecimal UUID string")
		}
		return Bytes(raw), nil
	}}
	cls.Attrs = NewNamespace("__str__", text, "bytes", &Property{Fget: bytes})
	m := NewModule("uuid", "UUID", cls)
	for _, name := range []string{"uuid1", "uuid3", "uuid4", "uuid5", "uuid6", "uuid7", "getnode"} {
		m.Attrs.Store(ev, name, unknowable(name, why))
	}
	return m
}

package simulate

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// A valueKind says how a value is written.
type valueKind uint8

const (
	valueNull   valueKind = iota
	valueNumber           // digits, perhaps with a sign, a point and an exponent
	valueText             // characters, in UTF-8; dates and times, too
	valueBytes            // bytes
	valueBits             // of a BIT column, as digits 0 and 1
	valueJSON             // JSON text
	valueParsed           // text that the server turns into something else: UUID, INET6
	valueWKT              // a geometry as well-known text
)

// A value is what a column can hold, in a form from which both a literal and a field of LOAD DATA can be written.
type value struct {
	kind valueKind
	text string
	// repeat is how often text stands in the value; 0 means once. Long values stay small that way.
	repeat int
	tail   string // behind the repeated text
	srid   int    // of valueWKT
}

var null = value{}

func number(text string) value { return value{kind: valueNumber, text: text} }
func text(s string) value      { return value{kind: valueText, text: s} }

// String gives the value's text, written out.
func (v value) String() string {
	if v.repeat > 0 {
		return strings.Repeat(v.text, v.repeat) + v.tail
	}
	return v.text
}

// literal writes the value in SQL, such that it means the same under every sql_mode.
func (v value) literal() string {
	switch v.kind {
	case valueNull:
		return "NULL"
	case valueNumber:
		return v.text
	case valueBits:
		return "b'" + v.text + "'"
	case valueWKT:
		if v.srid > 0 {
			return "ST_GeomFromText('" + v.text + "', " + strconv.Itoa(v.srid) + ")"
		}
		return "ST_GeomFromText('" + v.text + "')"
	}
	one := quoteText
	if v.kind == valueBytes {
		one = func(s string) string { return fmt.Sprintf("X'%x'", s) }
	}
	switch {
	case v.repeat == 0:
		return one(v.text)
	case v.tail == "":
		return fmt.Sprintf("REPEAT(%s, %d)", one(v.text), v.repeat)
	}
	return fmt.Sprintf("CONCAT(REPEAT(%s, %d), %s)", one(v.text), v.repeat, one(v.tail))
}

// quoteText writes text as a string literal. What NO_BACKSLASH_ESCAPES changes the meaning of is written as hexadecimal
// (manual, "Character Set Introducers").
func quoteText(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r == '\\' || r < ' ' }) {
		return fmt.Sprintf("_utf8mb4 X'%x'", s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// field appends the value as a field of LOAD DATA … CHARACTER SET binary, that is as the bytes that the column stores: text
// in the column's character set (manual, "LOAD DATA Statement", Field and Line Handling).
func (v value) field(b []byte, charset string) []byte {
	switch v.kind {
	case valueNull:
		return append(b, '\\', 'N')
	case valueNumber:
		return append(b, v.text...)
	case valueBits:
		n, _ := strconv.ParseUint(v.text, 2, 64) // digits only, 64 at most
		var raw [8]byte
		binary.BigEndian.PutUint64(raw[:], n)
		return escapeField(b, string(raw[8-(len(v.text)+7)/8:]))
	case valueText, valueJSON, valueParsed:
		if charset != "" && charset != "utf8mb4" && charset != "utf8mb3" {
			v.text, v.tail = encode(v.text, charset), encode(v.tail, charset)
		}
	}
	b = escapeField(b, v.text)
	for range v.repeat - 1 {
		b = escapeField(b, v.text)
	}
	return escapeField(b, v.tail)
}

// escapeField appends bytes such that none of them ends a field or a line.
func escapeField(b []byte, s string) []byte {
	start := 0
	for i := range len(s) {
		var c byte
		switch s[i] {
		case 0:
			c = '0'
		case '\n':
			c = 'n'
		case '\t':
			c = 't'
		case '\\':
			c = '\\'
		default:
			continue
		}
		b = append(b, s[start:i]...)
		b = append(b, '\\', c)
		start = i + 1
	}
	return append(b, s[start:]...)
}

// encode gives text in a character set that is not UTF-8. Only such text is made: ASCII, Latin letters in latin1, anything in the
// sets of Unicode.
func encode(s, charset string) string {
	switch charset {
	case "latin1":
		b := make([]byte, 0, len(s))
		for _, r := range s {
			b = append(b, byte(r)) // U+00A0 to U+00FF are the same in Windows-1252, which MySQL calls latin1
		}
		return string(b)
	case "ucs2", "utf16":
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.BigEndian.AppendUint16(b, u)
		}
		return string(b)
	case "utf16le":
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return string(b)
	case "utf32":
		var b []byte
		for _, r := range s {
			b = binary.BigEndian.AppendUint32(b, uint32(r))
		}
		return string(b)
	}
	return s
}

// A class is what types have in common for the purpose of making values.
type class uint8

const (
	classUnknown class = iota
	classInt
	classDecimal
	classFloat
	classBit
	classYear
	classDate
	classDatetime
	classTimestamp
	classTime
	classText
	classBinary
	classEnum
	classSet
	classJSON
	classGeometry
	classUUID
	classInet4
	classInet6
	classXML
	classVector
)

// A domain is the set of values that a column can hold, as far as this package makes them.
type domain struct {
	class    class
	nullable bool

	// Of integers.
	lo    int64 // 1 or less
	hi    uint64
	dense bool // AUTO_INCREMENT: only 1, 2, 3 …, so that numbers are left to give out
	// Of decimals: digits before and behind the point. Of floats, -1 without (M,D).
	digits, scale int
	unsigned      bool
	single        bool // FLOAT
	// Of text and binary: the longest value, in characters and in bytes; of BIT and VECTOR the number of elements.
	max     int
	fixed   bool // BINARY(n), which is padded, and CHAR(n), which loses spaces at its end
	charset string
	members []string // of enum and set
	fsp     int      // digits of fractions of seconds
	zero    bool     // the zero date is its default, so it is one of its values
	shape   string   // of a geometry: "point", …
	srid    int
}

// maxText bounds a value of the types without a length worth speaking of, in bytes.
const maxText = 4000

// domainOf gives the domain of a column.
func domainOf(c *schema.Column) domain {
	t := c.Type
	d := domain{nullable: c.Nullable, unsigned: t.Unsigned, charset: c.Charset, members: t.Members, fsp: max(t.Length, 0), srid: c.SRID}
	if c.Default != nil && strings.HasPrefix(c.Default.Value, "0000-00-00") {
		d.zero = true
	}
	ints := func(bits uint) {
		d.class = classInt
		if t.Unsigned {
			d.hi = math.MaxUint64 >> (64 - bits)
			return
		}
		d.hi = math.MaxUint64 >> (65 - bits)
		d.lo = -int64(d.hi) - 1
	}
	chars := func(n int) {
		d.class, d.max = classText, max(n, 0)
	}
	switch t.Name {
	case "tinyint":
		ints(8)
	case "smallint":
		ints(16)
	case "mediumint":
		ints(24)
	case "int":
		ints(32)
	case "bigint":
		ints(64)
	case "decimal":
		d.class, d.scale = classDecimal, max(t.Scale, 0)
		d.digits = max(t.Length-d.scale, 0)
	case "float", "double":
		d.class, d.digits, d.scale, d.single = classFloat, -1, -1, t.Name == "float"
		if t.Scale >= 0 && t.Length >= 0 {
			d.digits, d.scale = max(t.Length-t.Scale, 0), t.Scale
		}
	case "bit":
		d.class, d.max = classBit, min(max(t.Length, 1), 64)
	case "year":
		d.class = classYear
	case "date":
		d.class = classDate
	case "datetime":
		d.class = classDatetime
	case "timestamp":
		d.class = classTimestamp
	case "time":
		d.class = classTime
	case "char", "varchar":
		chars(t.Length)
		d.fixed = t.Name == "char"
	case "tinytext":
		chars(255 / analyzer.CharBytes(c.Charset))
	case "text", "mediumtext", "longtext":
		chars(maxText / analyzer.CharBytes(c.Charset))
		if t.Name == "text" && t.Length > 0 { // TEXT(n) gives the smallest type that holds n
			d.max = min(d.max, t.Length)
		}
	case "binary", "varbinary":
		d.class, d.max, d.fixed = classBinary, max(t.Length, 0), t.Name == "binary"
	case "tinyblob":
		d.class, d.max = classBinary, 255
	case "blob", "mediumblob", "longblob":
		d.class, d.max = classBinary, maxText
	case "enum":
		d.class = classEnum
	case "set":
		d.class = classSet
	case "json":
		d.class = classJSON
	case "uuid":
		d.class = classUUID
	case "inet4":
		d.class = classInet4
	case "inet6":
		d.class = classInet6
	case "xmltype":
		d.class = classXML
	case "vector":
		d.class, d.max = classVector, max(t.Length, 1)
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		d.class, d.shape = classGeometry, t.Name
	}
	if c.AutoIncrement {
		d.lo, d.dense = 1, true
	}
	return d
}

// domainIn gives the domain of a table's column, with what the table says about it: MariaDB's JSON is LONGTEXT with a check
// (MariaDB: JSON Data Type).
func domainIn(t *schema.Table, c *schema.Column) domain {
	d := domainOf(c)
	if d.class != classText {
		return d
	}
	for _, k := range t.Checks {
		if !k.NotEnforced && strings.EqualFold(strings.NewReplacer("`", "", " ", "").Replace(k.Expr), "json_valid("+c.Name+")") {
			d.class = classJSON
		}
	}
	return d
}

// many is the size of a domain that no table exhausts.
const many = 1 << 60

// pow gives b to the power of n, at most many.
func pow(b uint64, n int) uint64 {
	r := uint64(1)
	for range n {
		if r >= many/b {
			return many
		}
		r *= b
	}
	return r
}

// charBytes are four for sets with the characters beyond U+FFFF, three for those with the others, one where only ASCII is made.
func charBytes(charset string) int {
	switch charset {
	case "utf8mb4", "utf16", "utf16le", "utf32":
		return 4
	case "utf8mb3", "utf8", "ucs2":
		return 3
	case "latin1":
		return 2
	}
	return 1
}

// digitsOf are what the distinct part of a text is written with. No collation of the servers takes two of them for the same
// letter, with or without case and accents: v and w are alike in Swedish, i and y in Lithuanian, i and j and u and v in Roman.
const digitsOf = "0123456789abcdefghiklmnopqrstuxz"

// filler stands behind the distinct part, so that rows have some length.
const filler = "-lorem-ipsum-dolor-sit-amet-consectetur-adipiscing-elit"

// long is what the longest text is made of. No ordinary text begins with it.
const long = "w"

// count gives the number of ordinary values that are distinct in a key over the first prefix characters or bytes; prefix 0 is the
// whole column.
func (d *domain) count(prefix int) uint64 {
	n := d.max
	if prefix > 0 {
		n = min(n, prefix)
	}
	switch d.class {
	case classInt:
		var c uint64
		if d.hi > 1 {
			c = d.hi - 1
		}
		if d.lo < -2 {
			c += uint64(-(d.lo + 2))
		}
		return min(c, many)
	case classDecimal:
		return pow(10, d.digits+d.scale) - 2
	case classFloat:
		c := uint64(1) << 53
		if d.single {
			c = 1 << 24
		}
		if d.digits >= 0 {
			c = min(c, pow(10, d.digits))
		}
		return max(c, 2) - 2
	case classBit:
		return pow(2, d.max) - 2
	case classYear:
		return 2155 - 2001 + 99
	case classDate:
		return uint64(daysAfter + daysBefore)
	case classDatetime:
		return 4_000_000_000
	case classTimestamp:
		return timestampStep * timestampRange
	case classTime:
		return 2*3020398 + 0
	case classText:
		return pow(uint64(len(digitsOf)), n)
	case classBinary:
		return pow(256, min(n, 8))
	case classEnum:
		return uint64(len(d.members))
	case classSet:
		return pow(2, len(d.members)) - 2
	case classVector:
		return 1 << 24
	case classInet4:
		return 1 << 24
	}
	return many
}

// Days of ordinary dates, from 2001-01-01 on and before it; the ends are special.
const (
	daysAfter  = 2921573 // up to 9999-12-30
	daysBefore = 365611  // down to 1000-01-02
)

// Ordinary timestamps run from 2001 to 2038 in steps, and then again between the steps.
const (
	timestampStep  = 37
	timestampBase  = 978307200
	timestampRange = (2145916799 - timestampBase) / timestampStep
)

var epoch2001 = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// ordinary gives the i-th ordinary value. Values are distinct below count, in a unique key with any collation.
func (d *domain) ordinary(i uint64) value {
	if n := d.count(0); n > 0 {
		i %= n
	}
	switch d.class {
	case classInt:
		if d.hi > 1 && i < d.hi-1 {
			return number(strconv.FormatUint(i+1, 10))
		}
		if d.hi > 1 {
			i -= d.hi - 1
		}
		if d.lo < -2 {
			return number(strconv.FormatInt(-2-int64(i), 10))
		}
		return number(strconv.FormatInt(d.lo, 10))
	case classDecimal:
		whole := pow(10, min(d.digits, 17))
		s := strconv.FormatUint((i+1)%whole, 10)
		if f := (i + 1) / whole; f > 0 && d.scale > 0 {
			// The first digits behind the point, backwards, so that the value is distinct and no longer than needed.
			digits := []byte(strconv.FormatUint(f, 10))
			slices.Reverse(digits)
			s += "." + string(digits)
		}
		return number(s)
	case classFloat:
		return number(strconv.FormatUint(i+1, 10))
	case classBit:
		return value{kind: valueBits, text: strconv.FormatUint(i+1, 2)}
	case classYear:
		if i < 2155-2001 {
			return number(strconv.FormatUint(2001+i, 10))
		}
		return number(strconv.FormatUint(2000-(i-(2155-2001)), 10))
	case classDate:
		days := int(i)
		if days >= daysAfter {
			days = daysAfter - days - 1
		}
		return text(string(epoch2001.AddDate(0, 0, days).AppendFormat(make([]byte, 0, 10), "2006-01-02")))
	case classDatetime:
		// Unix, because a Duration ends after 292 years.
		return text(d.instant(timestampBase+int64(i)*61, i))
	case classTimestamp:
		return text(d.instant(timestampBase+int64(i%timestampRange)*timestampStep+int64(i/timestampRange), i))
	case classTime:
		sign := ""
		s := i + 1
		if i >= 3020398 {
			sign, s = "-", i-3020398+1
		}
		return text(fmt.Sprintf("%s%02d:%02d:%02d%s", sign, s/3600, s/60%60, s%60, d.fraction(i)))
	case classText:
		return text(d.word(i))
	case classBinary:
		var raw [8]byte
		binary.LittleEndian.PutUint64(raw[:], (i+1)*0x9e3779b97f4a7c15) // odd, so that each prefix is distinct, too
		return value{kind: valueBytes, text: string(raw[:min(d.max, 8)])}
	case classEnum:
		if len(d.members) == 0 {
			return text("")
		}
		return text(d.members[i])
	case classSet:
		var in []string
		for k, m := range d.members {
			if (i+1)>>k&1 == 1 {
				in = append(in, m)
			}
		}
		return text(strings.Join(in, ","))
	case classJSON:
		return value{kind: valueJSON, text: fmt.Sprintf(`{"id": %d, "name": "row %d"}`, i+1, i+1)}
	case classUUID:
		return value{kind: valueParsed, text: fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i*2654435761), i+1)}
	case classInet4:
		n := i + 1
		return value{kind: valueParsed, text: fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)}
	case classInet6:
		n := i + 1
		return value{kind: valueParsed, text: fmt.Sprintf("2001:db8::%x:%x:%x:%x", n>>48&0xffff, n>>32&0xffff, n>>16&0xffff, n&0xffff)}
	case classXML:
		return text(fmt.Sprintf("<row id=\"%d\"/>", i+1))
	case classVector:
		raw := make([]byte, 0, 4*d.max)
		for k := range d.max {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(i+1+uint64(k))))
		}
		return value{kind: valueBytes, text: string(raw)}
	case classGeometry:
		return d.geometry(i)
	}
	return number(strconv.FormatUint(i+1, 10))
}

// fraction gives the digits of a fraction of a second with the point, "" if the type has none.
func (d *domain) fraction(i uint64) string {
	if d.fsp <= 0 {
		return ""
	}
	n := pow(10, d.fsp)
	return fmt.Sprintf(".%0*d", d.fsp, i*7919%n)
}

// instant writes a moment, seconds since 1970, as DATETIME.
func (d *domain) instant(unix int64, i uint64) string {
	b := make([]byte, 0, 26)
	b = time.Unix(unix, 0).UTC().AppendFormat(b, "2006-01-02 15:04:05")
	return string(append(b, d.fraction(i)...))
}

// word writes the i-th ordinary text.
func (d *domain) word(i uint64) string {
	if d.max == 0 {
		return ""
	}
	var digits [64]byte
	p := len(digits)
	for n := i; ; n /= uint64(len(digitsOf)) {
		p--
		digits[p] = digitsOf[n%uint64(len(digitsOf))]
		if n < uint64(len(digitsOf)) {
			break
		}
	}
	n := len(digits) - p
	b := make([]byte, 0, 64)
	b = append(b, digits[p:]...)
	// Mostly short: what is over eight characters is cut.
	if room := min(d.max-n, 4+int(i%13)); room > 1 {
		b = append(b, filler[:room]...)
	}
	return string(b)
}

// geometry writes the i-th geometry, within the degrees of latitude and longitude.
func (d *domain) geometry(i uint64) value {
	x, y := i%89+1, i/89%89+1
	if rest := i / (89 * 89); rest > 0 {
		return d.shaped(fmt.Sprintf("%d.%d", x, rest), strconv.FormatUint(y, 10))
	}
	return d.shaped(strconv.FormatUint(x, 10), strconv.FormatUint(y, 10))
}

func (d *domain) shaped(x, y string) value {
	p := x + " " + y
	ring := "((0 0, " + x + " 0, " + p + ", 0 " + y + ", 0 0))"
	var s string
	switch d.shape {
	case "linestring":
		s = "LINESTRING(0 0, " + p + ")"
	case "polygon":
		s = "POLYGON" + ring
	case "multipoint":
		s = "MULTIPOINT(0 0, " + p + ")"
	case "multilinestring":
		s = "MULTILINESTRING((0 0, " + p + "))"
	case "multipolygon":
		s = "MULTIPOLYGON(" + ring + ")"
	case "geometrycollection", "geomcollection":
		s = "GEOMETRYCOLLECTION(POINT(" + p + "))"
	default:
		s = "POINT(" + p + ")"
	}
	return value{kind: valueWKT, text: s, srid: max(d.srid, 0)}
}

// specials are the ends of the domain and what stands out, each different from the others and from all ordinary values in a
// unique key over the first prefix characters or bytes.
func (d *domain) specials(prefix int) []value {
	if d.dense {
		return nil
	}
	switch d.class {
	case classInt:
		var v []value
		if d.lo <= 0 {
			v = append(v, number("0"))
		}
		if d.hi >= 1 {
			v = append(v, number(strconv.FormatUint(d.hi, 10)))
		}
		if d.lo <= -2 {
			v = append(v, number(strconv.FormatInt(d.lo, 10)))
		}
		if d.lo <= -1 {
			v = append(v, number("-1"))
		}
		return v
	case classDecimal:
		nines := strings.Repeat("9", d.digits)
		if nines == "" {
			nines = "0"
		}
		if d.scale > 0 {
			nines += "." + strings.Repeat("9", d.scale)
		}
		v := []value{number(nines), number("0")}
		if !d.unsigned {
			v = append(v, number("-"+nines))
		}
		return v
	case classFloat:
		v := []value{number("0")}
		switch {
		case d.digits >= 0:
			if d.scale > 0 {
				v = append(v, number("0.5"))
			}
		case d.single:
			v = append(v, number("0.5"), number("3.4e38"))
		default:
			v = append(v, number("0.5"), number("1.7e308"))
		}
		if !d.unsigned && d.digits != 0 {
			v = append(v, number("-3"))
		}
		return v
	case classBit:
		return []value{{kind: valueBits, text: strings.Repeat("1", d.max)}, {kind: valueBits, text: "0"}}
	case classYear:
		return []value{number("1901"), number("2155"), text("0000")}
	case classDate:
		return []value{text("9999-12-31"), text("1000-01-01")}
	case classDatetime:
		return []value{text("9999-12-31 23:59:59"), text("1000-01-01 00:00:00")} // a fraction would round up
	case classTimestamp:
		return []value{text("2038-01-01 00:00:00"), text("1970-01-02 00:00:01")} // whatever the time zone
	case classTime:
		return []value{text("838:59:59"), text("-838:59:59"), text("00:00:00")}
	case classText:
		if d.max == 0 {
			return nil
		}
		v := []value{text("")}
		if d.max > 1 {
			v = append(v, value{kind: valueText, text: long, repeat: d.max})
		}
		wide := map[int]string{4: "😀", 3: "中"}[charBytes(d.charset)]
		if wide == "" {
			return v
		}
		if v = append(v, text(wide)); d.max > 1 && prefix != 1 {
			v = append(v, value{kind: valueText, text: wide, repeat: d.max})
		}
		return v
	case classBinary:
		var v []value
		if !d.fixed && d.max > 0 {
			v = append(v, value{kind: valueBytes})
		}
		if d.max > 8 && (prefix == 0 || prefix > 8) {
			v = append(v, value{kind: valueBytes, text: "\xff", repeat: d.max})
		}
		return v
	case classSet:
		if len(d.members) == 0 {
			return []value{text("")}
		}
		return []value{text(strings.Join(d.members, ",")), text("")}
	case classJSON:
		var v []value
		for _, s := range []string{`[]`, `"text 😀"`, `null`, `{"a": {"b": [1, 2.5, true, null]}}`} {
			v = append(v, value{kind: valueJSON, text: s})
		}
		return v
	case classUUID:
		return []value{{kind: valueParsed, text: "ffffffff-ffff-ffff-ffff-ffffffffffff"}}
	case classInet4:
		return []value{{kind: valueParsed, text: "0.0.0.0"}, {kind: valueParsed, text: "255.255.255.255"}}
	case classInet6:
		return []value{{kind: valueParsed, text: "::"}, {kind: valueParsed, text: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}}
	}
	return nil
}

// alike are further values that a key may take for the same as others: another case, an accent, a space at the end, a long
// beginning in common.
func (d *domain) alike() []value {
	switch d.class {
	case classText:
		if d.max == 0 {
			return nil
		}
		v := []value{text("A"), text("a"), text("7")}
		if charBytes(d.charset) > 1 {
			v = append(v, text("á"))
		}
		if d.charset == "latin1" {
			v = append(v, value{kind: valueText, text: "é", repeat: d.max})
		}
		if d.max > 1 && !d.fixed {
			v = append(v, text("a "))
		}
		if d.max > 2 {
			v = append(v, value{kind: valueText, text: long, repeat: d.max - 1, tail: "y"})
			v = append(v, text(`'\`), text("x\n\t"))
		}
		return v
	case classBinary:
		if d.max > 0 && d.max <= 8 {
			return []value{{kind: valueBytes, text: "\xff", repeat: d.max}}
		}
		if d.max > 3 {
			return []value{{kind: valueBytes, text: "\x00\t\n\\"}}
		}
	case classSet:
		var v []value
		for _, m := range d.members {
			v = append(v, text(m))
		}
		return v
	case classFloat:
		if !d.unsigned && d.digits != 0 && (d.scale < 0 || d.scale > 0) {
			return []value{number("-3.5")}
		}
	case classDate:
		return d.zeroDate(text("2024-02-29"))
	case classDatetime, classTimestamp:
		v := "2024-02-29 12:34:56"
		if d.fsp > 0 {
			v += "." + strings.Repeat("9", d.fsp)
		}
		return d.zeroDate(text(v))
	}
	return nil
}

func (d *domain) zeroDate(v value) []value {
	if !d.zero {
		return []value{v}
	}
	if d.class == classDate {
		return []value{v, text("0000-00-00")}
	}
	return []value{v, text("0000-00-00 00:00:00")}
}

// maxMembers bounds the members of an enum that each get a row of their own.
const maxMembers = 300

// edges gives what a table should have a row of: two ordinary values first, then what is special, NULL last if it is allowed.
func (d *domain) edges() []value {
	n := d.size(0)
	if d.class == classEnum {
		n = min(n, maxMembers)
	} else {
		n = min(n, uint64(2+len(d.specials(0))))
	}
	var v []value
	for i := range n {
		v = append(v, d.at(i, 0))
	}
	for _, a := range d.alike() {
		if !slices.Contains(v, a) {
			v = append(v, a)
		}
	}
	if len(v) == 0 {
		v = append(v, d.ordinary(0))
	}
	if d.nullable {
		v = append(v, null)
	}
	return v
}

// size gives the number of distinct values in a key over the first prefix characters or bytes.
func (d *domain) size(prefix int) uint64 {
	return d.count(prefix) + uint64(len(d.specials(prefix)))
}

// at gives the i-th value for a unique key: two ordinary ones, the specials, then the rest of the ordinary ones. Values are
// distinct below size.
func (d *domain) at(i uint64, prefix int) value {
	specials := d.specials(prefix)
	ordinary := d.count(prefix)
	head := min(2, ordinary)
	switch n := uint64(len(specials)); {
	case i < head:
		return d.ordinary(i)
	case i < head+n:
		return specials[i-head]
	default:
		return d.ordinary(i - n)
	}
}

// textSize gives a text's length in characters.
func (v value) textSize() int {
	if v.repeat > 0 {
		return v.repeat*utf8.RuneCountInString(v.text) + utf8.RuneCountInString(v.tail)
	}
	return utf8.RuneCountInString(v.text)
}

// edgeLiterals gives literals that a column can hold: two ordinary ones first, then the ends of the type and what stands out,
// NULL last if the column takes it. Checks and keys are not looked at.
func edgeLiterals(c *schema.Column) []string {
	d := domainOf(c)
	v := d.edges()
	if c.AutoIncrement { // a larger one would leave no numbers to give out
		v = []value{number("1"), number("2"), number("3")}
	}
	out := make([]string, len(v))
	for i := range v {
		out[i] = v[i].literal()
	}
	return out
}

// distinctLiteral gives the i-th literal of a sequence of ordinary ones. They are distinct, in a unique key with any
// collation, as long as the type has so many values; then they begin again.
func distinctLiteral(c *schema.Column, i uint64) string {
	d := domainOf(c)
	n := d.count(0)
	size := d.size(0)
	if size == 0 {
		return d.ordinary(0).literal()
	}
	if i %= size; i < n {
		return d.ordinary(i).literal()
	}
	return d.specials(0)[i-n].literal()
}

package schema

import (
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// isText tells whether the type holds characters of a character set.
func (t Type) isText() bool {
	switch t.Name {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		return true
	}
	return false
}

// isBlob tells whether values of the type stand outside of the row, so that keys need a prefix.
func (t Type) isBlob() bool {
	switch t.Name {
	case "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob":
		return true
	}
	return false
}

func (t Type) isSpatial() bool {
	_, ok := spatialTypes[t.Name]
	return ok
}

func (t Type) isInteger() bool {
	switch t.Name {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return true
	}
	return false
}

// binaryType gives the type of bytes that takes the place of a type of characters in the character set binary.
func binaryType(name string) string {
	switch name {
	case "char":
		return "binary"
	case "varchar":
		return "varbinary"
	}
	return strings.Replace(name, "text", "blob", 1)
}

// blobClass gives the prefix of the TEXT or BLOB type that holds so many bytes (manual: The BLOB and TEXT Types).
func blobClass(bytes int) string {
	switch {
	case bytes < 1<<8:
		return "tiny"
	case bytes < 1<<16:
		return ""
	case bytes < 1<<24:
		return "medium"
	}
	return "long"
}

// column resolves a definition: type, charset, nullability and default, as the server does when it creates the column in that
// table. The primary key's NOT NULL comes later, when the keys are known.
func (w *work) column(d *columnDef, t *Table) *Column {
	slices.SortFunc(d.attributes, func(a, b string) int { return strings.Compare(b, a) }) // STORAGE, COLUMN_FORMAT: as printed
	col := &Column{
		Name: d.name, Type: d.typ, AutoIncrement: d.auto, Comment: d.comment, Generated: d.generated, Invisible: d.invisible,
		SRID: d.srid, Attributes: strings.Join(d.attributes, " "), Created: w.st, Last: w.st,
	}
	if col.SRID >= 0 && w.s.server.MariaDB {
		w.refuse(d.at, 1064, "MariaDB has no SRID of a column, but REF_SYSTEM_ID")
	}
	w.nameLength(d.at, d.name, 64)
	if strings.HasSuffix(d.name, " ") {
		w.refuse(d.at, 1166, "incorrect column name %q", d.name)
	}
	if col.Generated != nil {
		col.Generated.Columns = d.genExpr.refs
	}
	if col.Type.Name == "json" && w.s.server.MariaDB { // an alias (MariaDB: JSON Data Type)
		col.Type.Name = "longtext"
		if d.charset == "" && d.collation == "" {
			d.charset, d.collation = "utf8mb4", "utf8mb4_bin"
		}
	}
	w.charset(d, t, col)
	w.size(d, col)
	for i, m := range col.Type.Members {
		col.Type.Members[i] = strings.TrimRight(m, " ")
		for _, other := range col.Type.Members[:i] {
			if strings.EqualFold(other, col.Type.Members[i]) && !strings.HasSuffix(col.Collation, "_bin") && w.s.session.strict() || other == col.Type.Members[i] && w.s.session.strict() {
				w.refuse(d.at, 1291, "column %s has the value %q twice", quoteName(d.name), other)
			}
		}
	}
	col.Nullable = !d.notNull && !d.auto
	if col.Type.Name == "timestamp" && !w.s.session.timestamps && !d.null && col.Generated == nil {
		col.Nullable = false // manual: explicit_defaults_for_timestamp
	}
	if d.auto && !col.Type.isInteger() && col.Type.Name != "float" && col.Type.Name != "double" {
		w.refuse(d.at, 1063, "column %s of type %s cannot have AUTO_INCREMENT", quoteName(d.name), col.Type.Name)
	}
	if d.def != nil {
		w.setDefault(col, d.def)
		if d.auto && col.Default != nil && !col.Default.Null {
			w.refuse(d.def.at, 1067, "column %s has AUTO_INCREMENT and a default", quoteName(d.name))
		}
		if d.auto {
			col.Default = nil
		}
	}
	if d.onUpdate != nil {
		if col.Type.Name != "timestamp" && col.Type.Name != "datetime" || d.onUpdate.fsp != max(col.Type.Length, 0) {
			w.refuse(d.onUpdate.at, 1294, "column %s cannot have ON UPDATE CURRENT_TIMESTAMP", quoteName(d.name))
		}
		col.OnUpdate = nowText(d.onUpdate.fsp)
		if w.s.server.MariaDB && w.s.session.timestamps && !col.Nullable && col.Default == nil {
			// MariaDB gives it the zero date, so that an INSERT need not name it; MySQL wants a value (tested on 10.11 and 9.7).
			col.Default = &Default{Value: "0000-00-00 00:00:00"}
			if d.onUpdate.fsp > 0 {
				col.Default.Value += "." + strings.Repeat("0", d.onUpdate.fsp)
			}
		}
	}
	col.implicitNull()
	return col
}

// implicitNull gives a nullable column without DEFAULT the default NULL.
func (c *Column) implicitNull() {
	if c.Nullable && c.Default == nil && c.Generated == nil && !c.AutoIncrement {
		c.Default = &Default{Null: true}
	}
}

func nowText(fsp int) string {
	if fsp == 0 {
		return "CURRENT_TIMESTAMP"
	}
	return "CURRENT_TIMESTAMP(" + strconv.Itoa(fsp) + ")"
}

// nameLength refuses names that are too long (manual: Identifier Length Limits).
func (w *work) nameLength(off int, name string, limit int) {
	if n := len([]rune(name)); n > limit {
		w.refuse(off, 1059, "the name %s is too long: %d characters, %d allowed", clip(name, 40), n, limit)
	}
}

// charset resolves a column's character set and collation (manual: Column Character Set and Collation).
func (w *work) charset(d *columnDef, t *Table, col *Column) {
	if !col.Type.isText() {
		return
	}
	set, collation := w.charsetPair(d.at, d.charset, d.collation, t.Charset)
	if d.charset == "" && d.collation == "" {
		set, collation = t.Charset, t.Collation
	}
	if d.binary && d.collation == "" {
		collation = binCollation(set)
	}
	if set == "binary" && col.Type.Name != "enum" && col.Type.Name != "set" {
		col.Type.Name = binaryType(col.Type.Name)
		return
	}
	col.Charset, col.Collation = set, collation
}

func binCollation(set string) string {
	if set == "binary" {
		return set
	}
	return set + "_bin"
}

// charsetPair checks and completes a CHARACTER SET and a COLLATE clause of which one may be missing. around is the set
// that applies where none is named.
func (w *work) charsetPair(off int, set, collation, around string) (string, string) {
	if set == "default" || set == "" && collation == "default" {
		set, collation = w.s.Charset(), ""
	}
	if set != "" {
		if _, ok := charsets[set]; !ok {
			w.refuse(off, 1115, "unknown character set %s", quoteName(set))
		}
	}
	if collation == "" {
		return set, w.s.server.defaultCollation(set)
	}
	of := collationCharset(collation)
	if of == "" && strings.HasPrefix(collation, "uca1400_") && w.s.server.MariaDB {
		if of = set; of == "" {
			of = around
		}
		collation = of + "_" + collation
	}
	if of == "" {
		w.refuse(off, 1273, "unknown collation %s", quoteName(collation))
	}
	if w.s.server.MariaDB && strings.Contains(collation, "_0900_") && !w.s.server.mariaAtLeast(11, 4) || !w.s.server.MariaDB && strings.Contains(collation, "_uca1400_") ||
		!w.s.server.MariaDB && !w.s.server.atLeast(8, 0) && strings.Contains(collation, "_0900_") {
		w.refuse(off, 1273, "the server does not know the collation %s", quoteName(collation))
	}
	if set != "" && set != of {
		w.refuse(off, 1253, "collation %s does not belong to character set %s", quoteName(collation), quoteName(set))
	}
	return of, collation
}

// size checks a type's length and picks the TEXT or BLOB type that a length asks for.
func (w *work) size(d *columnDef, col *Column) {
	t := &col.Type
	width := 1
	if col.Charset != "" {
		width = charsets[col.Charset].max
	}
	tooBig := func(limit int) {
		w.refuse(d.at, 1074, "column %s is too long: %d, %d allowed", quoteName(d.name), t.Length, limit)
	}
	switch t.Name {
	case "text", "blob":
		if t.Length >= 0 {
			if t.Length > 0 {
				t.Name = blobClass(t.Length*width) + t.Name
			}
			t.Length = -1
		}
	case "char", "binary":
		if t.Length > 255 {
			tooBig(255)
		}
	case "varchar", "varbinary":
		if t.Length < 0 {
			w.refuse(d.at, 0, "column %s needs a length", quoteName(d.name))
		}
		if t.Length*width > 65535 {
			if w.s.session.strict() {
				tooBig(65535 / width)
			}
			name := "text"
			if t.Name == "varbinary" {
				name = "blob"
			}
			t.Name = blobClass(t.Length*width) + name
			t.Length = -1
		}
	case "decimal":
		switch {
		case t.Length > 65:
			w.refuse(d.at, 1426, "column %s has too many digits: %d, 65 allowed", quoteName(d.name), t.Length)
		case t.Scale > 30 && !w.s.server.MariaDB, t.Scale > 38:
			w.refuse(d.at, 1425, "column %s has too many digits after the point: %d", quoteName(d.name), t.Scale)
		case t.Scale > t.Length:
			w.refuse(d.at, 1427, "column %s has more digits after the point than digits", quoteName(d.name))
		}
	case "float", "double":
		if t.Scale > t.Length {
			w.refuse(d.at, 1427, "column %s has more digits after the point than digits", quoteName(d.name))
		}
	case "bit":
		if t.Length > 64 {
			w.refuse(d.at, 1439, "column %s is too wide: %d bits, 64 allowed", quoteName(d.name), t.Length)
		}
	case "datetime", "timestamp", "time":
		if t.Length > 6 {
			w.refuse(d.at, 1426, "column %s has too many digits of seconds: %d, 6 allowed", quoteName(d.name), t.Length)
		}
	}
}

// setDefault checks a DEFAULT clause against the column and gives it the value that the server stores.
func (w *work) setDefault(col *Column, d *defaultDef) {
	bad := func() { w.refuse(d.at, 1067, "invalid default for column %s", quoteName(col.Name)) }
	if col.Generated != nil {
		w.refuse(d.at, 1221, "generated column %s cannot have a default", quoteName(col.Name))
	}
	value := func(s string) { col.Default = &Default{Value: s} }
	switch d.kind {
	case defNull:
		if !col.Nullable {
			bad()
		}
		col.Default = &Default{Null: true}
		return
	case defNow:
		switch {
		case col.Type.Name == "datetime" || col.Type.Name == "timestamp":
			// MySQL wants the same precision; MariaDB takes another one.
			if !w.s.server.MariaDB && d.fsp != max(col.Type.Length, 0) {
				bad()
			}
			col.Default = &Default{Value: nowText(d.fsp), Expr: true}
		case w.s.server.MariaDB:
			col.Default = &Default{Value: nowText(d.fsp), Expr: true}
		default:
			bad()
		}
		return
	case defExpr:
		if !w.s.server.MariaDB && !w.s.server.atLeast(8, 0) {
			w.refuse(d.at, 1064, "this server takes no expression as a default")
		}
		col.Default = &Default{Value: "(" + d.text + ")", Expr: true}
		return
	}
	switch {
	case col.Type.isBlob(), col.Type.isSpatial(), col.Type.Name == "json", col.Type.Name == "vector":
		if !w.s.server.MariaDB {
			if d.text == "" && d.kind == defString && !w.s.session.strict() {
				return // manual: The BLOB and TEXT Types; a warning only
			}
			w.refuse(d.at, 1101, "column %s of type %s cannot have a default", quoteName(col.Name), col.Type.Name)
		}
		if col.Type.isSpatial() {
			w.refuse(d.at, 1101, "column %s of type %s cannot have a default", quoteName(col.Name), col.Type.Name)
		}
		value(d.asString())
	case col.Type.isInteger():
		n, ok := d.integer()
		low, high := col.Type.bounds()
		if !ok || n.Cmp(low) < 0 || n.Cmp(high) > 0 {
			bad()
		}
		value(n.String())
	case col.Type.Name == "decimal":
		s, ok := d.decimal(col.Type.Length, col.Type.Scale)
		if !ok || col.Type.Unsigned && strings.HasPrefix(s, "-") {
			bad()
		}
		value(s)
	case col.Type.Name == "float", col.Type.Name == "double":
		f, ok := d.float()
		if !ok {
			bad()
		}
		value(f.format(col.Type))
	case col.Type.Name == "bit":
		n, ok := d.integer()
		if d.kind == defString {
			n, ok = new(big.Int).SetBytes([]byte(d.text)), true
		}
		if !ok || n.Sign() < 0 || n.BitLen() > col.Type.Length {
			bad()
		}
		col.Default = &Default{Value: "b'" + n.Text(2) + "'", Expr: true}
	case col.Type.Name == "enum":
		m, ok := member(col, d.asString())
		if !ok || d.kind == defNumber {
			bad()
		}
		value(m)
	case col.Type.Name == "set":
		s, ok := setValue(col, d.asString())
		if !ok {
			bad()
		}
		value(s)
	case col.Type.Name == "date", col.Type.Name == "datetime", col.Type.Name == "timestamp", col.Type.Name == "time", col.Type.Name == "year":
		s, ok := d.time(col.Type, w.s.session)
		if !ok {
			bad()
		}
		value(s)
	case col.Type.Name == "char", col.Type.Name == "varchar":
		s := d.asString()
		if len([]rune(s)) > col.Type.Length {
			bad()
		}
		value(s)
	case col.Type.Name == "binary", col.Type.Name == "varbinary":
		s := d.asString()
		if len(s) > col.Type.Length {
			bad()
		}
		if col.Type.Name == "binary" {
			s += strings.Repeat("\x00", col.Type.Length-len(s))
		}
		value(s)
	default:
		value(d.asString())
	}
}

// bounds gives the least and the greatest value of an integer type.
func (t Type) bounds() (low, high *big.Int) {
	bits := map[string]uint{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}[t.Name]
	one := big.NewInt(1)
	if t.Unsigned {
		return new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(one, bits), one)
	}
	half := new(big.Int).Lsh(one, bits-1)
	return new(big.Int).Neg(half), new(big.Int).Sub(half, one)
}

// bytes gives the bytes of x'…', and of b'…'.
func (d *defaultDef) bytes() string {
	if digits, ok := strings.CutPrefix(d.text, "0x"); ok {
		if len(digits)%2 == 1 {
			digits = "0" + digits
		}
		b, _ := hex.DecodeString(digits)
		return string(b)
	}
	n, _ := new(big.Int).SetString(strings.Trim(d.text, "b'"), 2)
	if n == nil {
		return ""
	}
	return string(n.Bytes())
}

// asString gives the literal as a string type stores it.
func (d *defaultDef) asString() string {
	if d.kind == defBits {
		return d.bytes()
	}
	return d.text
}

// rational reads the literal as a number, bounded in size.
func (d *defaultDef) rational() (*big.Rat, bool) {
	s := strings.TrimSpace(d.text)
	if d.kind == defBits {
		return new(big.Rat).SetInt(new(big.Int).SetBytes([]byte(d.bytes()))), true
	}
	if len(s) == 0 || len(s) > 100 || strings.ContainsAny(s, "/_xXpPbBoO") {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if n, err := strconv.Atoi(s[i+1:]); err != nil || n > 400 || n < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

// round gives the number rounded to that many digits after the point, halves away from zero, as the servers do.
func round(r *big.Rat, scale int) *big.Int {
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	x := new(big.Rat).Mul(r, new(big.Rat).SetInt(p))
	half := big.NewRat(1, 2)
	if x.Sign() < 0 {
		half.Neg(half)
	}
	x.Add(x, half)
	return new(big.Int).Quo(x.Num(), x.Denom())
}

func (d *defaultDef) integer() (*big.Int, bool) {
	r, ok := d.rational()
	if !ok {
		return nil, false
	}
	return round(r, 0), true
}

func (d *defaultDef) decimal(digits, scale int) (string, bool) {
	r, ok := d.rational()
	if !ok {
		return "", false
	}
	n := round(r, scale)
	abs := new(big.Int).Abs(n).String()
	if len(strings.TrimLeft(abs, "0")) > digits {
		return "", false
	}
	for len(abs) <= scale {
		abs = "0" + abs
	}
	if scale > 0 {
		abs = abs[:len(abs)-scale] + "." + abs[len(abs)-scale:]
	}
	if n.Sign() < 0 {
		abs = "-" + abs
	}
	return abs, true
}

type float float64

func (d *defaultDef) float() (float, bool) {
	r, ok := d.rational()
	if !ok {
		return 0, false
	}
	f, _ := r.Float64()
	return float(f), !math.IsInf(f, 0)
}

// format gives a number as the server prints it.
func (f float) format(t Type) string {
	bits := 64
	if t.Name == "float" {
		bits = 32
	}
	if t.Scale >= 0 {
		return strconv.FormatFloat(float64(f), 'f', t.Scale, 64)
	}
	s := strconv.FormatFloat(float64(f), 'f', -1, bits)
	if bits == 32 {
		s = strconv.FormatFloat(float64(f), 'g', 6, 32)
	}
	if len(s) > 17 || strings.Contains(s, "e") {
		s = strings.Replace(strconv.FormatFloat(float64(f), 'e', -1, bits), "e+", "e", 1)
		if i := strings.Index(s, "e0"); i >= 0 {
			s = s[:i+1] + s[i+2:]
		}
		s = strings.Replace(s, "e-0", "e-", 1)
	}
	return s
}

// member gives the member of an enum that a value names.
func member(col *Column, s string) (string, bool) {
	s = strings.TrimRight(s, " ")
	for _, m := range col.Type.Members {
		if m == s || strings.EqualFold(m, s) && !strings.HasSuffix(col.Collation, "_bin") {
			return m, true
		}
	}
	return "", false
}

// setValue gives the members of a set that a value names, in the order of the definition.
func setValue(col *Column, s string) (string, bool) {
	if s == "" {
		return "", true
	}
	has := map[string]bool{}
	for p := range strings.SplitSeq(s, ",") {
		m, ok := member(col, p)
		if !ok {
			return "", false
		}
		has[m] = true
	}
	var out []string
	for _, m := range col.Type.Members {
		if has[m] {
			out = append(out, m)
		}
	}
	return strings.Join(out, ","), true
}

// time gives a date or time as the server stores it. Only the usual spellings are read; of others the text stays.
func (d *defaultDef) time(t Type, n session) (string, bool) {
	s := d.text
	if d.kind == defBits {
		return "", false
	}
	frac := ""
	if t.Length > 0 {
		frac = "." + strings.Repeat("0", t.Length)
	}
	if t.Name == "year" {
		switch y, err := strconv.Atoi(s); {
		case err != nil:
			return "", false
		case y == 0 && (len(s) == 4 || d.kind != defString):
			return "0000", true
		case y < 70 && len(s) <= 2:
			return strconv.Itoa(2000 + y), true
		case y < 100 && len(s) <= 2:
			return strconv.Itoa(1900 + y), true
		case y > 1900 && y < 2156:
			return s, true
		}
		return "", false
	}
	if t.Name == "time" {
		if d.kind != defString {
			if s == "0" {
				return "00:00:00" + frac, true
			}
			if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= 8385959 && n%100 < 60 && n/100%100 < 60 {
				return pad(n/10000, 2) + ":" + pad(n/100%100, 2) + ":" + pad(n%100, 2) + frac, true // 123456 is 12:34:56
			}
			return s, true
		}
		parts := strings.Split(s, ":")
		for i, p := range parts {
			if strings.Trim(p, "0123456789.") != "" && !(i == 0 && strings.HasPrefix(p, "-")) {
				return "", false
			}
			if len(p) == 1 {
				parts[i] = "0" + p
			}
		}
		if s == "0" {
			return "00:00:00" + frac, true
		}
		if len(parts) == 3 && !strings.Contains(s, ".") {
			return strings.Join(parts, ":") + frac, true
		}
		return s, true
	}
	if d.kind != defString && strings.Trim(s, "0") == "" || s == "0" {
		s = "0000-00-00"
	} else if d.kind != defString {
		switch len(s) { // 20240131, 20240131235959
		case 14:
			s = s[:8] + "T" + s[8:10] + ":" + s[10:12] + ":" + s[12:]
			fallthrough
		case 8:
			s = s[:4] + "-" + s[4:6] + "-" + s[6:]
		case 6, 12:
			return s, true // a year of two digits
		default:
			return "", false
		}
	}
	y, m, day, ok := parseDate(s)
	if !ok {
		if len(s) > 0 && strings.Trim(s, "0123456789-/.: T") == "" {
			return s, true // an unusual spelling
		}
		return "", false
	}
	clock := strings.TrimSpace(strings.TrimLeft(s[strings.LastIndexByte(s[:min(len(s), 11)], '-')+1:], "0123456789"))
	clock = strings.TrimPrefix(clock, "T")
	zero := y == 0 && m == 0 && day == 0
	if zero && n.strict() && n.has("NO_ZERO_DATE") || !zero && (m == 0 || day == 0) && n.strict() && n.has("NO_ZERO_IN_DATE") {
		return "", false
	}
	if !zero && m > 0 && day > daysIn(y, m) {
		return "", false
	}
	date := pad(y, 4) + "-" + pad(m, 2) + "-" + pad(day, 2)
	if t.Name == "date" {
		return date, true
	}
	if clock == "" {
		return date + " 00:00:00" + frac, true
	}
	whole, f, _ := strings.Cut(clock, ".")
	parts := strings.Split(whole, ":")
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v > 59 || i == 0 && v > 23 {
			return "", false
		}
		parts[i] = pad(v, 2)
	}
	for len(parts) < 3 {
		parts = append(parts, "00")
	}
	if t.Length > 0 {
		f = (f + "000000")[:t.Length]
		frac = "." + f
	}
	if t.Name == "timestamp" && !zero && y < 1970 {
		return "", false
	}
	return date + " " + strings.Join(parts, ":") + frac, true
}

func pad(n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < width {
		s = "0" + s
	}
	return s
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

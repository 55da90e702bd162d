package schema

import "strings"

// atLeast tells whether a MySQL server is of that version or newer; it is false for MariaDB.
func (v Server) atLeast(major, minor int) bool {
	return !v.MariaDB && (v.Major > major || v.Major == major && v.Minor >= minor)
}

// mariaAtLeast tells whether a MariaDB server is of that version or newer; it is false for MySQL.
func (v Server) mariaAtLeast(major, minor int) bool {
	return v.MariaDB && (v.Major > major || v.Major == major && v.Minor >= minor)
}

// sqlMode gives the server's default sql_mode (manual: Server SQL Modes).
func (v Server) sqlMode() string {
	switch {
	case v.MariaDB:
		return "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION"
	case v.atLeast(8, 0):
		return "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
	}
	return "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION"
}

// timestamps gives the default of explicit_defaults_for_timestamp: on since MySQL 8.0 and MariaDB 10.10.
func (v Server) timestamps() bool { return v.atLeast(8, 0) || v.mariaAtLeast(10, 10) }

// charset gives the server's default character set (manual: Server Character Set and Collation). MariaDB's built-in default
// was latin1 until 11.5, but Debian's and the official image's configuration says utf8mb4, and that is what is assumed.
func (v Server) charset() string {
	if !v.MariaDB && !v.atLeast(8, 0) {
		return "latin1"
	}
	return "utf8mb4"
}

// defaultCollation gives the default collation of a character set; "" if the set is not known.
func (v Server) defaultCollation(charset string) string {
	switch charset {
	case "utf8mb4":
		switch {
		case v.atLeast(8, 0):
			return "utf8mb4_0900_ai_ci"
		case v.mariaAtLeast(11, 5):
			return "utf8mb4_uca1400_ai_ci"
		}
		return "utf8mb4_general_ci"
	case "utf8mb3", "ucs2", "utf16", "utf32":
		if v.mariaAtLeast(11, 5) {
			return charset + "_uca1400_ai_ci"
		}
		return charset + "_general_ci"
	}
	return charsets[charset].collation
}

// canonicalCharset gives a character set's name in lower case, with utf8 as what it means.
func canonicalCharset(name string) string {
	name = strings.ToLower(name)
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// canonicalCollation gives a collation's name in lower case, utf8_x as utf8mb3_x.
func canonicalCollation(name string) string {
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "utf8_"); ok {
		return "utf8mb3_" + rest
	}
	return name
}

// collationCharset gives the character set that a collation belongs to; "" if the name says nothing.
// MariaDB's uca1400_… without a set fits several.
func collationCharset(collation string) string {
	set, _, _ := strings.Cut(collation, "_")
	if _, ok := charsets[set]; !ok {
		return ""
	}
	return set
}

// charsets are the character sets of MySQL and MariaDB with the bytes of their longest character and their default
// collation (manual: Supported Character Sets and Collations). It is only read.
var charsets = map[string]struct {
	max       int
	collation string
}{
	"armscii8": {1, "armscii8_general_ci"},
	"ascii":    {1, "ascii_general_ci"},
	"big5":     {2, "big5_chinese_ci"},
	"binary":   {1, "binary"},
	"cp1250":   {1, "cp1250_general_ci"},
	"cp1251":   {1, "cp1251_general_ci"},
	"cp1256":   {1, "cp1256_general_ci"},
	"cp1257":   {1, "cp1257_general_ci"},
	"cp850":    {1, "cp850_general_ci"},
	"cp852":    {1, "cp852_general_ci"},
	"cp866":    {1, "cp866_general_ci"},
	"cp932":    {2, "cp932_japanese_ci"},
	"dec8":     {1, "dec8_swedish_ci"},
	"eucjpms":  {3, "eucjpms_japanese_ci"},
	"euckr":    {2, "euckr_korean_ci"},
	"gb18030":  {4, "gb18030_chinese_ci"},
	"gb2312":   {2, "gb2312_chinese_ci"},
	"gbk":      {2, "gbk_chinese_ci"},
	"geostd8":  {1, "geostd8_general_ci"},
	"greek":    {1, "greek_general_ci"},
	"hebrew":   {1, "hebrew_general_ci"},
	"hp8":      {1, "hp8_english_ci"},
	"keybcs2":  {1, "keybcs2_general_ci"},
	"koi8r":    {1, "koi8r_general_ci"},
	"koi8u":    {1, "koi8u_general_ci"},
	"latin1":   {1, "latin1_swedish_ci"},
	"latin2":   {1, "latin2_general_ci"},
	"latin5":   {1, "latin5_turkish_ci"},
	"latin7":   {1, "latin7_general_ci"},
	"macce":    {1, "macce_general_ci"},
	"macroman": {1, "macroman_general_ci"},
	"sjis":     {2, "sjis_japanese_ci"},
	"swe7":     {1, "swe7_swedish_ci"},
	"tis620":   {1, "tis620_thai_ci"},
	"ucs2":     {2, "ucs2_general_ci"},
	"ujis":     {3, "ujis_japanese_ci"},
	"utf16":    {4, "utf16_general_ci"},
	"utf16le":  {4, "utf16le_general_ci"},
	"utf32":    {4, "utf32_general_ci"},
	"utf8mb3":  {3, "utf8mb3_general_ci"},
	"utf8mb4":  {4, "utf8mb4_general_ci"},
}
